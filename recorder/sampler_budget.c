/* SPDX-License-Identifier: MIT
 * The sampler and its governor: what snapshots cost, and what that leaves for the next. */
#include "recorder/sampler_int.h"

#include "recorder/clock.h"

void pt_sampler_budget_pass(struct pt_sampler *s)
{
    const int64_t now = pt_clock_us(CLOCK_MONOTONIC), cpu = pt_clock_us(CLOCK_PROCESS_CPUTIME_ID);
    const int64_t store = pt_sampler_stored(s).cpu_us;
    pt_gov_pass(&s->plan.gov, now - s->pass_us, cpu - s->pass_cpu_us, store - s->pass_store_us);
    if (s->plan.mode == PT_DEEP_ALL) /* whatever it costs */
        pt_gov_forgive(&s->plan.gov);
    s->pass_us = now;
    s->pass_cpu_us = cpu;
    s->pass_store_us = store;
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

void pt_sampler_budget_alarm(struct pt_sampler *s, const int64_t before[PT_PARTS],
                             const struct pt_snap *snap)
{
    pt_gov_alarm(&s->plan.gov, own_us(s, before) + snap->deep_us);
}

void pt_sampler_budget_note(struct pt_sampler *s, const int64_t before[PT_PARTS],
                            const struct pt_snap *snap)
{
    const int64_t store = pt_sampler_stored(s).cpu_us;
    struct pt_gov_tick t = {
        .process_us = s->part_us[PT_PART_PROCS] - before[PT_PART_PROCS],
        .store_us = store - s->note_store_us,
        .visited = pt_procs_visited(s->procs),
        .processes = pt_procs_count(s->procs),
    };
    t.fixed_us =
        own_us(s, before) - t.process_us - (s->part_us[PT_PART_DEEP] - before[PT_PART_DEEP]);
    s->note_store_us = store;
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
