/* SPDX-License-Identifier: MIT
 * See store_pick.h. An hour here is one of UTC, or of it what is there: where a stretch begins or
 * ends within an hour, its first and last stay and what stands out in the part, so that later, with
 * the rest of the hour beside it, what stands out in the whole is still there. */
#include "schema/store_pick.h"

#define HOUR_US    INT64_C(3600000000)
#define DEFAULT_US INT64_C(10000000)

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static bool marked(const struct pt_pick *how, int64_t n)
{
    size_t lo = 0, hi = how->nmarks;
    while (lo < hi) {
        const size_t mid = lo + (hi - lo) / 2;
        if (how->marks[mid] < n)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < how->nmarks && how->marks[lo] == n;
}

/* What an event points to, and the picture before it; what a person or trouble asked for. */
static void keep_marked(const struct pt_snap *snaps, uint32_t n, const struct pt_pick *how,
                        bool *keep)
{
    for (uint32_t i = 0; i < n; i++) {
        if (snaps[i].trigger != PT_TRIGGER_TIMER || marked(how, snaps[i].n))
            keep[i] = true;
        /* the one after may be of the next segment */
        const int64_t next = i + 1 < n ? snaps[i + 1].n : snaps[i].n + 1;
        if (marked(how, next))
            keep[i] = true;
    }
}

static void keep_spaced(const struct pt_snap *snaps, uint32_t n, int64_t every_us, bool *keep)
{
    for (uint32_t i = 0; i < n; i++)
        if (i == 0 ||
            floor_div(snaps[i].real_us, every_us) != floor_div(snaps[i - 1].real_us, every_us))
            keep[i] = true;
}

/* Microseconds stalled a second, from one snapshot to the next; < 0: not known. */
static double steepness(const struct pt_snap *a, const struct pt_snap *b)
{
    if (a->psi_some_us == PT_UNKNOWN || b->psi_some_us == PT_UNKNOWN ||
        b->psi_some_us < a->psi_some_us || b->real_us <= a->real_us)
        return -1;
    return (double)(b->psi_some_us - a->psi_some_us) / (double)(b->real_us - a->real_us);
}

/* The first of the lowest MemAvailable, the first of the most swap, and both ends of the steepest
 * PSI. */
static void keep_extremes(const struct pt_snap *snaps, uint32_t lo, uint32_t hi, bool *keep)
{
    uint32_t least = hi, most = hi, steep = hi;
    double rate = 0;
    for (uint32_t i = lo; i < hi; i++) {
        const int64_t available = snaps[i].mem_available_kb, swap = snaps[i].swap_used_kb;
        if (available != PT_UNKNOWN && (least == hi || available < snaps[least].mem_available_kb))
            least = i;
        if (swap != PT_UNKNOWN && (most == hi || swap > snaps[most].swap_used_kb))
            most = i;
        if (i > 0 && steepness(&snaps[i - 1], &snaps[i]) > rate) {
            rate = steepness(&snaps[i - 1], &snaps[i]);
            steep = i;
        }
    }
    if (least < hi)
        keep[least] = true;
    if (most < hi)
        keep[most] = true;
    if (steep < hi)
        keep[steep] = keep[steep - 1] = true;
}

static void keep_hours(const struct pt_snap *snaps, uint32_t n, bool *keep)
{
    for (uint32_t lo = 0, hi; lo < n; lo = hi) {
        const int64_t hour = floor_div(snaps[lo].real_us, HOUR_US);
        for (hi = lo + 1; hi < n && floor_div(snaps[hi].real_us, HOUR_US) == hour;)
            hi++;
        keep[lo] = keep[hi - 1] = true;
        keep_extremes(snaps, lo, hi, keep);
    }
}

uint32_t pt_pick_kept(const struct pt_snap *snaps, uint32_t n, const struct pt_pick *how,
                      bool *keep)
{
    const int64_t interval = how->interval_us > 0 ? how->interval_us : DEFAULT_US;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i++)
        keep[i] = how->level == PT_THIN_ALL;
    if (how->level < PT_THIN_NONE)
        keep_marked(snaps, n, how, keep);
    if (how->level == PT_THIN_MINUTE || how->level == PT_THIN_TEN) {
        keep_spaced(snaps, n, interval * (how->level == PT_THIN_MINUTE ? 6 : 60), keep);
        keep_hours(snaps, n, keep);
    }
    for (uint32_t i = 0; i < n; i++)
        kept += keep[i];
    return kept;
}
