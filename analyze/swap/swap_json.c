/* SPDX-License-Identifier: MIT
 * What swap did as JSON: swap.schema.json. */
#include <math.h>

#include "analyze/print/json.h"
#include "analyze/swap/swap.h"

/* A history has at most so many points: neighbours are joined to the larger. */
#define HISTORY 64

static json_t *whole(double v)
{
    return pt_json_int(pt_swap_whole(v));
}

static json_t *real(double v)
{
    return isfinite(v) ? json_real(v) : json_null();
}

/* Of two parts that make a whole; null where one is not known or the whole is nothing. */
static json_t *fraction(double part, double rest)
{
    return part + rest > 0 ? json_real(part / (part + rest)) : json_null();
}

static json_t *time_of(const struct pt_swap *w, double at)
{
    return pt_json_time(isfinite(at) ? pt_timeline_real(&w->timeline, at) : PT_UNKNOWN);
}

/* Takes `more`. NULL: no memory. */
static json_t *with(json_t *j, json_t *more)
{
    if (j && (!more || json_object_update(j, more) < 0)) {
        json_decref(j);
        j = NULL;
    }
    json_decref(more);
    return j;
}

static json_t *who_of(const struct pt_swap *w, uint32_t process)
{
    const struct pt_life *l = w->processes[process].life;
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "pid", pt_json_int(l->pid), "start_time",
                     pt_json_int(l->start_time), "comm", pt_json_str(l->comm), "exe",
                     pt_json_str(l->exe), "service", pt_json_str(l->service));
}

/* Parked memory hurts nobody; of other episodes that are not looked into it is not known. */
static bool looked_into(const struct pt_swap_episode *e)
{
    return e->blamed || e->state == PT_SWAP_PARKED;
}

static json_t *victims_of(const struct pt_swap *w, const struct pt_swap_blame *b)
{
    json_t *a = json_array();
    for (unsigned i = 0; i < b->nvictims; i++)
        json_array_append_new(
            a, with(who_of(w, b->victims[i].process),
                    json_pack("{s:o, s:o}", "major_faults", pt_json_int(b->victims[i].majflt),
                              "refilled_bytes", pt_json_int(b->victims[i].refilled))));
    return a;
}

static json_t *aggressors_of(const struct pt_swap *w, const struct pt_swap_blame *b)
{
    json_t *a = json_array();
    for (unsigned i = 0; i < b->naggressors; i++)
        json_array_append_new(
            a, with(who_of(w, b->aggressors[i].process),
                    json_pack("{s:o}", "growth_bytes", pt_json_int(b->aggressors[i].growth))));
    return a;
}

/* What an episode and the whole span have in common. */
static json_t *sums_of(const struct pt_swap_episode *e)
{
    json_t *moved = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "peak_in_bytes_per_second",
                              whole(e->peak_in), "peak_out_bytes_per_second", whole(e->peak_out),
                              "bytes_in", whole(e->in), "bytes_out", whole(e->out),
                              "zswap_bytes_in", whole(e->zin), "zswap_bytes_out", whole(e->zout));
    json_t *cost = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "stall_seconds", real(e->some),
        "full_stall_seconds", real(e->full), "refault_fraction", real(e->refault),
        "restore_fraction", real(e->restore), "direct_scanned_pages", whole(e->scan_direct),
        "direct_reclaimed_pages", whole(e->steal_direct), "background_scanned_pages",
        whole(e->scan_kswapd), "background_reclaimed_pages", whole(e->steal_kswapd),
        "direct_reclaim_fraction", fraction(e->steal_direct, e->steal_kswapd), "most_used_bytes",
        whole(e->used_most), "average_seconds", real(e->average));
    return with(moved, cost);
}

static json_t *episode_of(const struct pt_swap *w, size_t i)
{
    const struct pt_swap_episode *e = &w->episodes.v[i];
    json_t *when =
        json_pack("{s:s, s:o, s:o, s:o}", "state", pt_swap_state_name(e->state), "from",
                  time_of(w, e->from), "to", time_of(w, e->to), "seconds", real(e->to - e->from));
    const bool looked = looked_into(e);
    json_t *who = json_pack("{s:o, s:o, s:o, s:o}", "used_before_bytes", whole(e->used_from),
                            "used_after_bytes", whole(e->used_to), "victims",
                            looked ? victims_of(w, &w->blame[i]) : json_null(), "aggressors",
                            looked ? aggressors_of(w, &w->blame[i]) : json_null());
    return with(with(when, sums_of(e)), who);
}

static json_t *history_of(const struct pt_swap *w, const struct pt_curve *c)
{
    json_t *a = json_array();
    const uint32_t step = (c->n + HISTORY - 1) / HISTORY;
    double before = NAN;
    if (c->n == 0 && c->holds)
        json_array_append_new(a, json_pack("{s:o, s:o}", "time", time_of(w, c->start), "bytes",
                                           whole(c->first_value)));
    for (uint32_t i = 0; i < c->n; i += step) {
        double most = NAN;
        for (uint32_t k = i; k < i + step && k < c->n; k++)
            if (c->cell[k].time > 0)
                most = fmax(most, (double)c->cell[k].max);
        if (most < before || most > before || isnan(most) != isnan(before))
            json_array_append_new(a, json_pack("{s:o, s:o}", "time",
                                               time_of(w, c->start + i * c->width), "bytes",
                                               whole(most)));
        before = most;
    }
    return a;
}

static json_t *shares_of(const struct pt_swap_process *p)
{
    json_t *a = json_array();
    for (unsigned i = 0; i < p->nshares; i++)
        json_array_append_new(a, json_pack("{s:o, s:o}", "time", pt_json_time(p->shares[i].read_us),
                                           "bytes", pt_json_int(p->shares[i].bytes)));
    return a;
}

static json_t *process_of(const struct pt_swap *w, uint32_t i)
{
    const struct pt_swap_process *p = &w->processes[i];
    json_t *moved =
        json_pack("{s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "alive", !p->life->died,
                  "first_bytes", pt_json_int(p->first), "last_bytes", pt_json_int(p->last),
                  "most_bytes", pt_json_int(p->most), "most_at", time_of(w, p->most_at),
                  "swapped_in_bytes", pt_json_int(p->swapped_in), "swapped_out_bytes",
                  pt_json_int(p->swapped_out), "major_faults", pt_json_int(p->majflt));
    json_t *deep = json_pack("{s:o, s:o, s:o, s:o, s:o}", "swap_pss_bytes",
                             pt_json_int(p->swap_pss), "shmem_swap_bytes",
                             pt_json_int(p->shmem_swap), "smaps_time", pt_json_time(p->smaps_us),
                             "history", history_of(w, &p->swap), "swap_pss_history", shares_of(p));
    return with(with(who_of(w, i), moved), deep);
}

static json_t *device_of(const struct pt_swap_device *d)
{
    json_t *zram =
        d->zram ? json_pack("{s:o, s:o, s:o, s:o}", "original_bytes", pt_json_int(d->original),
                            "compressed_bytes", pt_json_int(d->compressed), "memory_bytes",
                            pt_json_int(d->memory), "ratio",
                            d->compressed > 0 && d->original != PT_UNKNOWN
                                ? json_real((double)d->original / (double)d->compressed)
                                : json_null())
                : json_null();
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o}", "name", pt_json_str(d->name),
                     "type", pt_json_str(d->type), "size_bytes", pt_json_int(d->size), "used_bytes",
                     pt_json_int(d->gone ? PT_UNKNOWN : d->used), "most_used_bytes",
                     pt_json_int(d->most), "priority", pt_json_int(d->priority), "present",
                     !d->gone, "zram", zram);
}

static json_t *zswap_of(const struct pt_swap_zswap *z)
{
    if (z->most_pool == PT_UNKNOWN && z->most_stored == PT_UNKNOWN)
        return json_null();
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o}", "memory_bytes", pt_json_int(z->pool), "original_bytes",
        pt_json_int(z->stored), "most_memory_bytes", pt_json_int(z->most_pool),
        "most_original_bytes", pt_json_int(z->most_stored), "ratio",
        z->pool > 0 && z->stored != PT_UNKNOWN ? json_real((double)z->stored / (double)z->pool)
                                               : json_null());
}

static json_t *held_of(const struct pt_swap_held *h)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "total_bytes", pt_json_int(h->total),
                     "used_bytes", pt_json_int(h->used), "processes_bytes",
                     pt_json_int(h->processes), "cached_bytes", pt_json_int(h->cached),
                     "sysv_shm_bytes", pt_json_int(h->shm), "mapped_shmem_bytes",
                     pt_json_int(h->mapped), "not_attributed_bytes", pt_json_int(h->rest));
}

json_t *pt_swap_json(const struct pt_swap *w, int64_t top)
{
    char sentence[400];
    const struct pt_timeline *t = &w->timeline;
    json_t *episodes = json_array(), *processes = json_array(), *devices = json_array();
    json_t *missing = json_array();
    for (size_t i = 0; i < w->episodes.n; i++)
        json_array_append_new(episodes, episode_of(w, i));
    for (size_t i = 0; i < w->nprocesses && (top == PT_UNKNOWN || (int64_t)i < top); i++)
        json_array_append_new(processes, process_of(w, (uint32_t)i));
    for (size_t i = 0; i < w->ndevices; i++)
        json_array_append_new(devices, device_of(&w->devices[i]));
    for (uint32_t bit = 1; bit <= PT_SWAP_NO_VMSWAP; bit <<= 1)
        if (w->missing & bit)
            json_array_append_new(missing,
                                  json_string(pt_swap_missing_text((enum pt_swap_missing)bit)));
    json_t *head = json_pack("{s:{s:o, s:o, s:I}, s:s, s:s, s:o, s:o}", "span", "from",
                             pt_json_time(t->first_us), "to", pt_json_time(t->last_us), "snapshots",
                             (json_int_t)t->count, "verdict", pt_swap_verdict_name(w->verdict),
                             "text", pt_swap_sentence(w, sentence, sizeof(sentence)), "not_known",
                             missing, "totals", sums_of(&w->all));
    json_t *lists =
        json_pack("{s:o, s:o, s:o, s:o, s:o}", "episodes", episodes, "processes", processes,
                  "devices", devices, "zswap", zswap_of(&w->zswap), "held", held_of(&w->held));
    return with(head, lists);
}
