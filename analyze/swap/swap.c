/* SPDX-License-Identifier: MIT
 * From a recording to what swap did: the host's files first, then processes where there is anything
 * to tell of them. */
#include "analyze/swap/swap.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "analyze/print/units.h"
#include "analyze/swap/swap_int.h"

const char *pt_swap_verdict_name(enum pt_swap_verdict v)
{
    static const char *const names[] = {
        [PT_SWAP_UNKNOWN] = "unknown",   [PT_SWAP_NONE] = "none",   [PT_SWAP_UNUSED] = "unused",
        [PT_SWAP_HARMLESS] = "harmless", [PT_SWAP_WATCH] = "watch", [PT_SWAP_HARMFUL] = "harmful",
    };
    return names[v];
}

const char *pt_swap_missing_text(enum pt_swap_missing one)
{
    switch (one) {
    case PT_SWAP_NO_VMSTAT:
        return "pages swapped in and out: vmstat was not recorded";
    case PT_SWAP_NO_PSI:
        return "how long tasks waited: no pressure stall information was recorded (PSI, from Linux "
               "4.20)";
    case PT_SWAP_NO_REFAULTS:
        return "whether memory was wanted back: refaults of anonymous memory were not recorded "
               "(from "
               "Linux 5.9)";
    case PT_SWAP_NO_MEMINFO:
        return "how much swap was in use: meminfo was not recorded";
    case PT_SWAP_NO_DEVICES:
        return "which device is used: no swaps file was recorded";
    case PT_SWAP_NO_SMAPS:
        return "each process's share of swap (SwapPss) and its shared memory there: no smaps was "
               "read";
    case PT_SWAP_NO_VMSWAP:
        return "what some processes have in swap: their status could not be read";
    }
    return "";
}

/* The most swap that was ever set up; NAN: not known. */
static double most_total(const struct pt_swap *w)
{
    double total = w->held.total == PT_UNKNOWN ? NAN : (double)w->held.total;
    for (size_t i = 0; i < w->nbins; i++)
        total = fmax(total, (double)w->bins[i].v[PT_SWAP_TOTAL]);
    return total;
}

static enum pt_swap_verdict verdict_of(const struct pt_swap *w)
{
    bool harm = false, watch = false;
    for (size_t i = 0; i < w->episodes.n; i++) {
        const enum pt_swap_state s = w->episodes.v[i].state;
        harm |= s >= PT_SWAP_CHURN;
        watch |= s == PT_SWAP_OUT_PRESSURE;
    }
    const double total = most_total(w);
    if (harm || watch)
        return harm ? PT_SWAP_HARMFUL : PT_SWAP_WATCH;
    if (isnan(total))
        return PT_SWAP_UNKNOWN;
    if (total <= 0)
        return PT_SWAP_NONE;
    if (w->all.used_most <= 0 || (isnan(w->all.used_most) && w->held.used == 0))
        return PT_SWAP_UNUSED;
    return isnan(w->all.in) ? PT_SWAP_UNKNOWN : PT_SWAP_HARMLESS;
}

static void bytes(char *buf, size_t size, double v)
{
    pt_units_bytes(buf, size, pt_swap_whole(v), false);
}

static void sum_of(const struct pt_swap *w, enum pt_swap_state state, unsigned *n, double *seconds)
{
    *n = 0;
    *seconds = 0;
    for (size_t i = 0; i < w->episodes.n; i++) {
        if (w->episodes.v[i].state != state)
            continue;
        *seconds += w->episodes.v[i].to - w->episodes.v[i].from;
        ++*n;
    }
}

/* "2 episodes of thrash (5 min)", the worst first. */
static void harm_of(const struct pt_swap *w, char *buf, size_t size)
{
    static const char *const what[] = {
        [PT_SWAP_PARKED] = "",
        [PT_SWAP_OUT_PRESSURE] = "swapping out under pressure",
        [PT_SWAP_CHURN] = "churn",
        [PT_SWAP_THRASH] = "thrash",
        [PT_SWAP_EXHAUSTION] = "memory and swap nearly full",
    };
    size_t len = 0;
    for (unsigned state = PT_SWAP_STATES; state-- > PT_SWAP_OUT_PRESSURE;) {
        char time[PT_UNITS_BUF];
        unsigned n;
        double seconds;
        sum_of(w, (enum pt_swap_state)state, &n, &seconds);
        if (n == 0 || len >= size)
            continue;
        const int k = snprintf(buf + len, size - len, "%s%s %s%s", len ? ", " : "", what[state],
                               n > 1 ? "several times, " : "for ",
                               pt_units_duration(time, sizeof(time), pt_swap_whole(seconds * 1e6)));
        len += k > 0 ? (size_t)k : 0;
    }
}

char *pt_swap_sentence(const struct pt_swap *w, char *buf, size_t size)
{
    char used[PT_UNITS_BUF], in[PT_UNITS_BUF], harm[256] = "";
    bytes(used, sizeof(used), w->all.used_most);
    bytes(in, sizeof(in), w->all.in);
    harm_of(w, harm, sizeof(harm));
    switch (w->verdict) {
    case PT_SWAP_UNKNOWN:
        snprintf(buf, size, "whether swap did harm cannot be told from this recording");
        break;
    case PT_SWAP_NONE:
        snprintf(buf, size, "no swap is set up on this machine");
        break;
    case PT_SWAP_UNUSED:
        snprintf(buf, size, "swap is set up and was not used");
        break;
    case PT_SWAP_HARMLESS:
        snprintf(buf, size, "swap use is harmless: up to %s in swap, %s read back in all%s", used,
                 in, isnan(w->all.some) ? "" : ", and nothing had to wait long for it");
        break;
    case PT_SWAP_WATCH:
        snprintf(buf, size, "memory ran short, no harm seen: %s", harm);
        break;
    case PT_SWAP_HARMFUL:
        snprintf(buf, size, "%s: %s",
                 most_total(w) <= 0 ? "memory ran short, and no swap is set up" : "swap did harm",
                 harm);
        break;
    }
    return buf;
}

static int make(const struct pt_session *s, struct pt_swap *w, struct pt_err *err)
{
    struct pt_swap_deeps deeps = {0};
    int rc = pt_swap_load_system(s->db, w, err);
    if (rc >= 0)
        rc = pt_swap_episodes_find(w->bins, w->nbins, w->page_size, &w->episodes, err);
    if (rc >= 0)
        rc = pt_swap_episodes_choose(&w->episodes, PT_SWAP_BLAMED, err);
    if (rc < 0)
        return rc;
    pt_swap_episode_sum(w->bins, 0, w->nbins, w->page_size, &w->all);
    rc = pt_swap_load_held(s, w, &deeps, err);
    if (rc >= 0)
        rc = pt_swap_load_processes(s->db, w, &deeps, err);
    if (rc >= 0)
        rc = pt_swap_load_shares(s, w, err);
    pt_swap_deeps_release(&deeps);
    w->verdict = verdict_of(w);
    /* what is not there to be read may be what did harm */
    if (s->ndamage > 0 && (w->verdict == PT_SWAP_HARMLESS || w->verdict == PT_SWAP_UNUSED))
        w->verdict = PT_SWAP_UNKNOWN;
    if (w->ndevices == 0 && w->held.total > 0)
        w->missing |= PT_SWAP_NO_DEVICES;
    if (w->verdict == PT_SWAP_NONE || w->verdict == PT_SWAP_UNUSED) /* nothing to know */
        w->missing &= PT_SWAP_NO_VMSTAT | PT_SWAP_NO_PSI;
    return rc;
}

int pt_swap_make(const struct pt_session *s, int64_t from, int64_t to, struct pt_swap *ret,
                 struct pt_err *err)
{
    const int64_t page = pt_db_meta(s->db)->page_size;
    struct pt_swap w = {.page_size = page > 0 ? page : 4096,
                        .zswap = {.pool = PT_UNKNOWN,
                                  .stored = PT_UNKNOWN,
                                  .most_pool = PT_UNKNOWN,
                                  .most_stored = PT_UNKNOWN}};
    int rc = pt_timeline_load(s->db, from, to, &w.timeline, err);
    if (rc >= 0)
        rc = make(s, &w, err);
    if (rc < 0) {
        pt_swap_release(&w);
        return rc;
    }
    *ret = w;
    return 0;
}

void pt_swap_release(struct pt_swap *w)
{
    for (size_t i = 0; i < w->nprocesses; i++)
        pt_curve_release(&w->processes[i].swap);
    pt_timeline_release(&w->timeline);
    pt_swap_episodes_release(&w->episodes);
    pt_lives_release(&w->lives);
    free(w->blame);
    free(w->processes);
    free(w->devices);
    free(w->bins);
    *w = (struct pt_swap){0};
}
