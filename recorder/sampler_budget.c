/* SPDX-License-Identifier: MIT
 * The sampler and its governor: what snapshots cost, and what that leaves for the next. */
#include "recorder/sampler_int.h"

#include "recorder/clock.h"

/* Until a seal has told. `bench.py --only seal` prints 0.1 of 300 processes and 0.2 of 3,000. */
#define SEAL_US_BYTE 0.15

void pt_sampler_budget_init(struct pt_sampler *s)
{
    s->pass_us = pt_clock_us(CLOCK_MONOTONIC);
    s->sealing.us_byte = SEAL_US_BYTE;
}

/* ---- sealing ---- */

/* All the writer did since the seal before, for the bytes of this one. */
static void learn(struct pt_sealing *z, const struct pt_writer_stats *w)
{
    if (w->seals == z->seals)
        return;
    if (z->waiting) {
        const double rate = (double)(w->cpu_us - z->cpu_us) / (double)z->waiting;
        z->us_byte = rate < SEAL_US_BYTE / 8   ? SEAL_US_BYTE / 8
                     : rate > SEAL_US_BYTE * 8 ? SEAL_US_BYTE * 8
                                               : rate;
    }
    z->seals = w->seals;
    z->cpu_us = w->cpu_us;
    z->waiting = 0;
}

/* What sealing all there is would take. While nothing can be stored chains are lost: of two at
 * most. */
static int64_t due_us(const struct pt_sampler *s)
{
    const struct pt_sealing *z = &s->sealing;
    const size_t most = 2 * (s->key_bytes + pt_chain_room(s->key_bytes));
    const size_t all = z->waiting + pt_enc_chain_bytes(s->enc), bytes = all < most ? all : most;
    return s->config.writer ? (int64_t)((double)bytes * z->us_byte) : 0;
}

/* What a snapshot takes of its chain's seal, its share of the key frame too. */
static int64_t share_us(struct pt_sampler *s)
{
    struct pt_sealing *z = &s->sealing;
    const uint32_t frames = pt_enc_chain_frames(s->enc);
    if (frames > 1)
        z->each = (double)(pt_enc_chain_bytes(s->enc) - s->key_bytes) / (frames - 1);
    const double most = 1.0 / PT_CHAIN_FRAMES;
    const double part = z->each / (double)pt_chain_room(s->key_bytes);
    return (int64_t)(z->us_byte * (z->each + (double)s->key_bytes * (part > most ? part : most)));
}

/* ---- the account ---- */

void pt_sampler_budget_pass(struct pt_sampler *s)
{
    const int64_t now = pt_clock_us(CLOCK_MONOTONIC), cpu = pt_clock_us(CLOCK_PROCESS_CPUTIME_ID);
    const struct pt_writer_stats w = pt_sampler_stored(s);
    learn(&s->sealing, &w);
    pt_gov_pass(&s->plan.gov, now - s->pass_us, cpu - s->pass_cpu_us, w.cpu_us - s->pass_store_us,
                due_us(s));
    if (s->plan.mode == PT_DEEP_ALL) /* whatever it costs */
        pt_gov_forgive(&s->plan.gov);
    s->pass_us = now;
    s->pass_cpu_us = cpu;
    s->pass_store_us = w.cpu_us;
    pt_procs_quota(s->procs, pt_gov_quota(&s->plan.gov));
}

static void budget_tell(struct pt_sampler *s, const struct pt_snap *snap)
{
    char text[PT_THIN_TEXT];
    const struct pt_gov *gov = &s->plan.gov;
    if (pt_thin_processes(&s->thin, pt_procs_visited(s->procs), pt_procs_count(s->procs), text))
        pt_sampler_tell(s, snap, PT_EVENT_SKIP, text);
    if (pt_thin_interval(&s->thin, pt_gov_stretch(gov), gov->interval_us, text))
        pt_sampler_tell(s, snap, PT_EVENT_SKIP, text);
    if (pt_thin_triggers(&s->thin, s->spared, pt_gov_overdrawn(gov), text))
        pt_sampler_tell(s, snap, PT_EVENT_SKIP, text);
}

/* What the sampler's own thread did. */
static int64_t own_us(const struct pt_sampler *s, const int64_t before[PT_PARTS])
{
    int64_t us = 0;
    for (int i = 0; i < PT_PARTS; i++)
        us += s->part_us[i] - before[i];
    return us;
}

void pt_sampler_budget_alarm(struct pt_sampler *s, const int64_t before[PT_PARTS])
{
    pt_gov_alarm(&s->plan.gov, own_us(s, before) + s->deep_us - s->asked_us);
}

void pt_sampler_budget_note(struct pt_sampler *s, const int64_t before[PT_PARTS],
                            const struct pt_snap *snap)
{
    struct pt_gov_tick t = {
        .process_us = s->part_us[PT_PART_PROCS] - before[PT_PART_PROCS],
        .store_us = share_us(s),
        .visited = pt_procs_visited(s->procs),
        .processes = pt_procs_count(s->procs),
    };
    t.fixed_us =
        own_us(s, before) - t.process_us - (s->part_us[PT_PART_DEEP] - before[PT_PART_DEEP]);
    pt_gov_note(&s->plan.gov, &t);
    budget_tell(s, snap);
}

int64_t pt_sampler_interval_us(const struct pt_sampler *s)
{
    return s->plan.gov.interval_us * pt_gov_stretch(&s->plan.gov);
}

const struct pt_gov *pt_sampler_governor(const struct pt_sampler *s)
{
    return &s->plan.gov;
}
