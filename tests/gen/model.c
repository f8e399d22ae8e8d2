/* SPDX-License-Identifier: MIT
 * The generator's machine: what changes from snapshot to snapshot. */
#include "tests/gen/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOUR_US 3600000000ll
#define UNTOLD  (200 * 1024) /* KiB that no counter tells */

uint64_t rng_next(struct rng *r)
{
    uint64_t z = r->state += 0x9e3779b97f4a7c15u; /* splitmix64 */
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint64_t rng_below(struct rng *r, uint64_t n)
{
    return n ? rng_next(r) % n : 0;
}

int64_t rng_walk(struct rng *r, int64_t step)
{
    return (int64_t)rng_below(r, (uint64_t)step * 2 + 1) - step;
}

const char *pt_gen_kind_name(enum pt_gen_kind kind)
{
    static const char *const names[PT_GEN_KINDS] = {"steady", "leak", "cap", "saw", "swapped"};
    return names[kind];
}

/* One process in 40 leaks, caps, saws, is swapped; the rest is steady. */
static enum pt_gen_kind kind_of(uint32_t index)
{
    switch (index % 40) {
    case 3:
        return PT_GEN_LEAK;
    case 11:
        return PT_GEN_CAP;
    case 19:
        return PT_GEN_SAW;
    case 27:
        return PT_GEN_SWAPPED;
    default:
        return PT_GEN_STEADY;
    }
}

int process_start(struct machine *m, struct process *p)
{
    const uint32_t index = p->index;
    struct rng *r = &m->rng;
    *p = (struct process){.index = index, .kind = kind_of(index), .born = true};
    if (m->nfree_pids > 0 && !m->stories && rng_below(r, 4) == 0) /* pids come back */
        p->pid = m->free_pids[--m->nfree_pids];
    else
        p->pid = m->next_pid++;
    snprintf(p->name, sizeof p->name, "%s-%u", pt_gen_kind_name(p->kind), index % 100000);
    p->start = (uint64_t)m->uptime_us / 10000;
    p->threads = 1 + (uint32_t)rng_below(r, 8);
    p->files = 4 + (uint32_t)rng_below(r, 60);
    p->base = p->anon = 1000 + (int64_t)rng_below(r, 30000);
    p->file = 2000 + (int64_t)rng_below(r, 9000);
    p->shmem = (int64_t)rng_below(r, 3) * 64;
    p->peak = p->anon + p->file;
    p->heap = 0x550000000000u + rng_below(r, 1u << 24) * 4096;
    p->rate = 500 + (int64_t)rng_below(r, 20000);
    p->minflt = rng_below(r, 9000);
    p->smaps_in = 2 + (int64_t)rng_below(r, 4);
    return m->stories ? history_start(m, p) : 0;
}

/* One process in 20 is a short-lived worker; of these one in 200 ends in a snapshot. */
bool process_ends(struct machine *m, const struct process *p)
{
    if (p->born)
        return false;
    return m->stories ? history_ends(m, p) : p->index % 20 == 7 && rng_below(&m->rng, 200) == 0;
}

void process_end(struct machine *m, struct process *p)
{
    if (m->nfree_pids < sizeof m->free_pids / sizeof *m->free_pids)
        m->free_pids[m->nfree_pids++] = p->pid;
    m->forks++;
}

static int64_t grown(const struct process *p)
{
    const double hours = (double)p->grown_us / (double)HOUR_US;
    switch (p->kind) {
    case PT_GEN_LEAK:
        return (int64_t)((double)p->rate * hours);
    case PT_GEN_CAP:
        return (int64_t)((double)p->rate * 8 * hours / (hours + 2));
    case PT_GEN_SAW:
        return (int64_t)((double)p->rate * 4 * (hours - (double)(int64_t)hours));
    default:
        return 0;
    }
}

void process_run(struct machine *m, struct process *p, int64_t us)
{
    struct rng *r = &m->rng;
    if (m->stories) {
        history_run(m, p);
        return;
    }
    p->grown_us += us;
    p->utime += rng_below(r, (uint64_t)us / 20000 + 2);
    p->stime += rng_below(r, (uint64_t)us / 60000 + 2);
    p->minflt += rng_below(r, 300);
    p->voluntary += rng_below(r, 200);
    p->forced += rng_below(r, 5);
    if (rng_below(r, 8) == 0 || p->kind != PT_GEN_STEADY)
        p->anon =
            (p->base + grown(p) + rng_walk(r, p->kind == PT_GEN_STEADY ? 64 : 16) * 4) / 4 * 4;
    if (p->anon < 400)
        p->anon = 400;
    if (p->kind == PT_GEN_SWAPPED) {
        p->swap = (int64_t)rng_below(r, (uint64_t)p->anon / 8) * 4;
        p->majflt += rng_below(r, 40);
        if (p->swap > p->anon - 200)
            p->swap = p->anon - 200;
    }
    if (p->anon - p->swap + p->file > p->peak)
        p->peak = p->anon - p->swap + p->file;
}

int machine_boot(struct machine *m, const struct pt_gen_options *o)
{
    m->uptime_us = 30000000;
    if (!m->stories || !m->next_pid) /* labels know a process by its pid */
        m->next_pid = 300;
    m->nfree_pids = 0;
    memset(m->vmstat, 0, sizeof m->vmstat);
    memset(m->cpu, 0, sizeof m->cpu);
    m->psi_some = m->psi_full = m->forks = m->ctxt = m->churned = 0;
    for (uint32_t i = 0; i < SLABS; i++)
        m->slabs[i] = m->slab_base[i] = 200 + rng_below(&m->rng, 40000);
    for (uint32_t i = 0; i < o->processes; i++) {
        m->processes[i].index = i;
        if (process_start(m, &m->processes[i]) < 0)
            return -1;
        m->processes[i].runs_in = (uint32_t)rng_below(&m->rng, 30);
        m->processes[i].smaps_in = 1 + (int64_t)rng_below(&m->rng, o->processes);
    }
    return 0;
}

int machine_init(struct machine *m, const struct pt_gen_options *o)
{
    *m = (struct machine){.rng = {o->seed},
                          .count = o->processes,
                          .now_us = o->start_us,
                          .churn_every = o->churn_every};
    m->processes = calloc(o->processes ? o->processes : 1, sizeof *m->processes);
    if (!m->processes)
        return -1;
    m->total = 16 * 1024 * 1024 + (int64_t)o->processes * 32 * 1024;
    m->swap_total = 4 * 1024 * 1024;
    if (o->history && history_init(m, o) < 0)
        return -1;
    m->cached = m->total / 5;
    m->slab = m->slab_size = m->total / 20;
    return machine_boot(m, o);
}

void machine_release(struct machine *m)
{
    history_release(m);
    free(m->processes);
}

static void tick_psi(struct machine *m, int64_t us)
{
    struct rng *r = &m->rng;
    if (rng_below(r, 50) == 0)
        m->psi_avg = rng_below(r, 900);
    else if (m->psi_avg > 0)
        m->psi_avg -= m->psi_avg / 7 + 1;
    m->psi_some += (uint64_t)us / 10000 * m->psi_avg;
    m->psi_full += (uint64_t)us / 30000 * m->psi_avg;
}

void machine_tick(struct machine *m, int64_t us)
{
    struct rng *r = &m->rng;
    m->uptime_us += us;
    m->anon = 0;
    m->swap_used = 0;
    for (uint32_t i = 0; i < m->count; i++) {
        m->anon += m->processes[i].anon - m->processes[i].swap;
        m->swap_used += m->processes[i].swap;
    }
    m->cached += rng_walk(r, 900) * 4;
    m->slab += rng_walk(r, 40) * 4 - (m->slab - m->slab_size) / 64;
    if (m->cached < m->total / 10)
        m->cached = m->total / 10;
    m->available = m->total - m->anon - m->anon / 200 - m->slab - UNTOLD;
    if (m->available < 0)
        m->available = 0;
    if (m->swap_used > m->swap_total)
        m->swap_used = m->swap_total;
    for (uint32_t c = 0; c < 2; c++)
        for (uint32_t i = 0; i < 8; i++)
            m->cpu[c][i] +=
                i == 3 ? (uint64_t)us / 12000 : rng_below(r, i < 3 ? (uint64_t)us / 100000 : 2);
    m->ctxt += rng_below(r, 90000);
    /* Of the kernel's counters a fifth moves all the time, a fifth now and then, the rest hardly
     * ever. */
    for (uint32_t i = 0; i < VMSTAT_MAX; i++)
        if (i % 5 == 0 || (i % 5 == 1 && rng_below(r, 12) == 0))
            m->vmstat[i] += rng_below(r, 40000);
    for (uint32_t i = 0; i < 4; i++) {
        const uint64_t s = rng_below(r, SLABS);
        m->slabs[s] = m->slabs[s] * 15 / 16 + m->slab_base[s] / 16 + rng_below(r, 60);
    }
    for (uint32_t z = 1; z < ZONES; z++)
        for (uint32_t i = 0; i < 5; i++)
            m->buddy[z][i] = (m->buddy[z][i] + rng_below(r, 40)) % (4000u >> i);
    tick_psi(m, us);
    if (m->churn_every && m->ticks++ / m->churn_every % 2) {
        m->churned += (uint64_t)us / 1000; /* 4 MiB/s */
        m->psi_some += (uint64_t)us / 20;
    }
}
