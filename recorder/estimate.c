/* SPDX-License-Identifier: MIT
 * Estimating. The snapshots are real ones: the first reads everything, some follow as the timer
 * takes them, then one reads everything again, and a last one starts a chain, so that its key frame
 * holds all there is. What their frames take when they are sealed is weighed tier by tier. A
 * segment is then a key frame and so many ticks, and a day so many segments.
 *
 * Files that go round in more ticks than were taken are told by the two snapshots that read
 * everything. Deep reads are told by the governor's rule, for each process as it grew meanwhile.
 * Units: microseconds of CPU, bytes. */
#include "recorder/estimate.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "recorder/clock.h"
#include "recorder/daemon.h"
#include "recorder/fds.h"
#include "recorder/log.h"
#include "recorder/sampler.h"
#include "schema/array.h"
#include "schema/segment.h"
#include "schema/source.h"
#include "schema/weigh.h"

#define TICKS_MIN 6 /* what goes round in PT_SLOW_TICKS is then read once */
#define DAY_S     86400.0
/* Besides its frame and its share of the blocks a snapshot has a row in the database, in a table
 * and its pages; and a transaction of its own. */
#define ROW_BYTES 100
#define COMMIT_US 250

enum tier {
    TIER_TICK = 0,
    TIER_SLOW,
    TIER_RARE,
    TIER_PROCS,
    TIER_CGROUPS,
    TIER_DEEP,
    TIERS,
    TIER_STORE = TIERS,
    LINES,
};

static const char *const names[LINES] = {
    [TIER_TICK] = "the host, every snapshot",
    [TIER_SLOW] = "the host, within 6 snapshots",
    [TIER_RARE] = "the host, within 60 snapshots",
    [TIER_PROCS] = "processes",
    [TIER_CGROUPS] = "control groups",
    [TIER_DEEP] = "deep reads",
    [TIER_STORE] = "encoding, storing, packing",
};

struct day {
    double bytes[LINES], cpu_us[LINES];
    double per_day, budget_us; /* snapshots; CPU time */
};

struct estimate {
    const struct pt_options *options;
    struct pt_roots roots;
    struct pt_sampler *sampler;
    struct pt_weigh_frame *frames;
    size_t cap;
    uint32_t n, ticks; /* ticks: those that the timer took */
    bool nomem;
    struct pt_sampler_stats before, ticked, full, last; /* after which snapshots */
    struct pt_forecast forecast;
    struct pt_gov gov;             /* after the ticks */
    size_t chain_bytes, key_bytes; /* before compression */
};

/* ---- taking snapshots ---- */

static void on_frame(void *ctx, const struct pt_snap *snap, bool key, const struct pt_buf *frame)
{
    struct estimate *e = ctx;
    (void)key;
    struct pt_weigh_frame *more = pt_array_room(e->frames, e->n, &e->cap, sizeof(*more));
    e->nomem |= !more;
    if (!more)
        return;
    e->frames = more;
    void *blob = malloc(frame->len);
    e->nomem |= !blob;
    if (!blob)
        return;
    memcpy(blob, frame->data, frame->len);
    e->frames[e->n++] = (struct pt_weigh_frame){snap->n, blob, frame->len};
}

static int tick(struct estimate *e, enum pt_trigger trigger, struct pt_sampler_stats *ret,
                struct pt_err *err)
{
    const int rc = pt_sampler_tick(e->sampler, trigger, err);
    pt_sampler_stats(e->sampler, ret);
    return rc < 0 ? rc : e->nomem ? pt_err_nomem(err) : 0;
}

static void sleep_until(struct estimate *e, int64_t until_us)
{
    for (;;) {
        const int64_t watch = pt_sampler_watch(e->sampler);
        const int64_t now = pt_clock_us(CLOCK_MONOTONIC);
        if (now >= until_us)
            return;
        const int64_t next = watch >= 0 && now + watch < until_us ? now + watch + 1000 : until_us;
        const struct timespec at = pt_timespec(next);
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
    }
}

/* Ticks keep to the interval where the time allows enough of them. */
static int64_t tick_us(const struct pt_options *o)
{
    const int64_t most = o->estimate_us / TICKS_MIN;
    return o->interval_us < most ? o->interval_us : most;
}

static int watch(struct estimate *e, struct pt_err *err)
{
    const int64_t every = tick_us(e->options);
    const int64_t start = pt_clock_us(CLOCK_MONOTONIC);
    int rc = tick(e, PT_TRIGGER_START, &e->before, err);
    e->key_bytes = e->before.chain_bytes;
    for (int64_t at = every; rc >= 0 && at <= e->options->estimate_us; at += every) {
        sleep_until(e, start + at);
        rc = tick(e, PT_TRIGGER_TIMER, &e->ticked, err);
        e->ticks++;
    }
    e->chain_bytes = e->ticked.chain_bytes;
    e->gov = *pt_sampler_governor(e->sampler);
    pt_sampler_forecast(e->sampler, &e->forecast);
    if (rc >= 0)
        rc = tick(e, PT_TRIGGER_STOP, &e->full, err);
    pt_sampler_new_chain(e->sampler);
    return rc < 0 ? rc : tick(e, PT_TRIGGER_TIMER, &e->last, err);
}

static int begin(struct estimate *e, struct pt_err *err)
{
    const struct pt_options *o = e->options;
    const double dense = (double)o->interval_us / (double)tick_us(o);
    const double ppm = (double)o->budget_ppm * dense; /* of a tick the same as when recording */
    const struct pt_sampler_config sampler = {
        .roots = &e->roots,
        .frame = on_frame,
        .ctx = e,
        .plan = {.mode = (enum pt_deep_mode)o->deep,
                 .budget_ppm = ppm > 1e6 ? 1000000 : (int64_t)ppm,
                 .interval_us = tick_us(o),
                 .stall_us = o->stall_us},
        .cmdline = (enum pt_cmdline)o->cmdline,
        .timestamp_us = PT_UNKNOWN,
    };
    pt_fds_raise();
    if (pt_roots_init(&e->roots, o->procfs, o->sysfs, o->cgroupfs, err) < 0)
        return -1;
    return pt_sampler_new(&sampler, &e->sampler, err);
}

static void end(struct estimate *e)
{
    if (e->sampler)
        pt_sampler_free(e->sampler);
    for (uint32_t i = 0; i < e->n; i++)
        free((void *)(uintptr_t)e->frames[i].blob);
    free(e->frames);
}

/* ---- weighing ---- */

static enum tier host_tier(const char *name)
{
    static const enum tier tiers[PT_TIERS] = {TIER_TICK, TIER_SLOW, TIER_RARE};
    size_t count;
    const struct pt_source_row *rows = pt_source_rows(&count);
    for (size_t i = 0; i < count; i++) {
        const char *prefix = pt_root_prefix(rows[i].root);
        if (strncmp(name, prefix, strlen(prefix)) != 0)
            continue;
        const char *path = name + strlen(prefix);
        if (pt_source_match(rows[i].path, path) ||
            (strncmp(path, "self/", 5) == 0 && pt_source_match(rows[i].path, path + 5)))
            return tiers[rows[i].tier];
    }
    return strncmp(name, "statfs:", 7) == 0 ? TIER_SLOW : TIER_TICK;
}

static enum tier tier_of(const char *name)
{
    switch (pt_block_kind_of(name)) {
    case PT_BLOCK_DEEP:
        return TIER_DEEP;
    case PT_BLOCK_PROC:
    case PT_BLOCK_NAMES:
        return TIER_PROCS;
    case PT_BLOCK_CLOCK:
    case PT_BLOCK_SYSTEM:
        break;
    }
    return strncmp(name, "cgroup:", 7) == 0 ? TIER_CGROUPS : host_tier(name);
}

static bool of_tier(void *ctx, const char *name)
{
    const enum tier *tier = ctx;
    return tier_of(name) == *tier;
}

struct weights {
    struct pt_weight key, ticks, all; /* a key frame; a chain of ticks; the same read in full */
};

static int weigh(const struct estimate *e, enum tier tier, struct weights *w, struct pt_err *err)
{
    const struct pt_weigh_frame *f = e->frames;
    const uint32_t ticks = e->ticks + 1;
    if (pt_weigh(f + e->n - 1, 1, of_tier, &tier, &w->key, err) < 0)
        return -1;
    struct pt_weight first;
    if (pt_weigh(f, 1, of_tier, &tier, &first, err) < 0 ||
        pt_weigh(f, ticks, of_tier, &tier, &w->ticks, err) < 0 ||
        pt_weigh(f, ticks + 1, of_tier, &tier, &w->all, err) < 0)
        return -1;
    w->all.blocks -= w->ticks.blocks;
    w->ticks.blocks -= first.blocks;
    w->ticks.clock -= first.clock;
    return 0;
}

/* ---- a day ---- */

static double part(const struct pt_sampler_stats *from, const struct pt_sampler_stats *to,
                   enum pt_part p)
{
    return (double)(to->part_us[p] - from->part_us[p]);
}

/* Snapshots in a segment. */
static double segment_of(const struct estimate *e)
{
    const double each = (double)(e->chain_bytes - e->key_bytes) / e->ticks;
    const double room = (double)pt_chain_room(e->key_bytes);
    const double fit = each > 0 ? room / each : (double)PT_CHAIN_FRAMES;
    return fit < 1 ? 1 : fit < PT_CHAIN_FRAMES ? fit : PT_CHAIN_FRAMES;
}

static void day_cpu(const struct estimate *e, struct day *d)
{
    const struct pt_sampler_stats *b = &e->before, *t = &e->ticked, *f = &e->full;
    const double n = d->per_day / e->ticks;
    d->cpu_us[TIER_TICK] = part(b, t, PT_PART_TICK) * n;
    d->cpu_us[TIER_SLOW] = part(b, t, PT_PART_SLOW) * n;
    d->cpu_us[TIER_RARE] = part(t, f, PT_PART_RARE) * d->per_day / PT_RARE_TICKS;
    d->cpu_us[TIER_PROCS] = part(b, t, PT_PART_PROCS) * n;
    d->cpu_us[TIER_CGROUPS] = part(b, t, PT_PART_CGROUPS) * n;
    d->cpu_us[TIER_DEEP] = e->forecast.cpu_us_s * DAY_S;
    d->cpu_us[TIER_STORE] += part(b, t, PT_PART_FRAME) * n;
}

/* Deep reads get what the rest leaves. */
static double deep_share(const struct day *d)
{
    double rest = 0;
    for (int i = 0; i < LINES; i++)
        rest += i == TIER_DEEP ? 0 : d->cpu_us[i];
    const double left = d->budget_us > rest ? d->budget_us - rest : 0;
    return d->cpu_us[TIER_DEEP] > left ? left / d->cpu_us[TIER_DEEP] : 1;
}

static void day_bytes(const struct estimate *e, struct day *d, const struct weights w[TIERS])
{
    const double segment = segment_of(e), segments = d->per_day / segment;
    const double ticks = d->per_day - segments;
    for (int i = 0; i < TIERS; i++) {
        d->bytes[i] = (double)w[i].key.blocks * segments;
        if (i == TIER_RARE)
            d->bytes[i] += (double)w[i].all.blocks * ticks / PT_RARE_TICKS;
        else if (i != TIER_DEEP)
            d->bytes[i] += (double)w[i].ticks.blocks * ticks / e->ticks;
    }
    const struct pt_forecast *f = &e->forecast;
    if (f->read) {
        const double one = (double)w[TIER_DEEP].key.blocks / f->read;
        d->bytes[TIER_DEEP] = one * (f->read + f->unread) * segments;
        const uint64_t again = e->full.deep_smaps - e->before.deep_smaps;
        const double change = (double)(w[TIER_DEEP].all.blocks + w[TIER_DEEP].ticks.blocks) /
                              (double)(again ? again : 1);
        d->bytes[TIER_DEEP] += change * f->reads_s * DAY_S * deep_share(d);
    }
    d->bytes[TIER_STORE] = (double)w[0].key.clock * segments +
                           (double)w[0].ticks.clock * ticks / e->ticks + ROW_BYTES * d->per_day;
}

/* Packing is timed: what a key frame takes, and what each further one. Gives the CPU time of a
 * snapshot on average, its transaction too. */
static int time_store(const struct estimate *e, double *ret_us, struct pt_err *err)
{
    struct pt_weight all;
    int64_t at[3];
    at[0] = pt_clock_us(CLOCK_THREAD_CPUTIME_ID);
    if (pt_weigh(e->frames, 1, NULL, NULL, &all, err) < 0)
        return -1;
    at[1] = pt_clock_us(CLOCK_THREAD_CPUTIME_ID);
    if (pt_weigh(e->frames, e->ticks + 1, NULL, NULL, &all, err) < 0)
        return -1;
    at[2] = pt_clock_us(CLOCK_THREAD_CPUTIME_ID);
    const double key = (double)(at[1] - at[0]), both = (double)(at[2] - at[1]);
    const double each = both > key ? (both - key) / e->ticks : 0;
    const double segment = segment_of(e);
    *ret_us = key / segment + each + COMMIT_US;
    return 0;
}

/* As often as the budget allows in the long run: what the start took is a debt for some minutes,
 * and the ticks that were watched may be those of it. */
static double snapshots_a_day(const struct estimate *e, double store_us)
{
    const uint32_t stretch = pt_gov_settled(&e->gov, store_us, e->ticked.processes);
    return DAY_S * 1e6 / ((double)e->options->interval_us * stretch);
}

static int weigh_all(const struct estimate *e, struct day *d, struct pt_err *err)
{
    struct weights w[TIERS] = {0};
    double store_us;
    if (time_store(e, &store_us, err) < 0)
        return -1;
    d->per_day = snapshots_a_day(e, store_us);
    d->cpu_us[TIER_STORE] = store_us * d->per_day;
    day_cpu(e, d);
    for (int i = 0; i < TIERS; i++) {
        if (weigh(e, (enum tier)i, &w[i], err) < 0)
            return -1;
    }
    day_bytes(e, d, w);
    d->cpu_us[TIER_DEEP] *= deep_share(d);
    return 0;
}

/* ---- telling ---- */

static void print_bytes(char ret[24], double bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB"};
    int i = 0;
    for (; bytes >= 1024 && i < 3; i++)
        bytes /= 1024;
    snprintf(ret, 24, "%.*f %s", i ? 1 : 0, bytes, units[i]);
}

static void print_line(const char *name, double bytes, double cpu_us)
{
    char size[24];
    print_bytes(size, bytes);
    printf("  %-32s %12s %10.1f s\n", name, size, cpu_us / 1e6);
}

static void print_denied(void *ctx, const char *name)
{
    (void)ctx;
    printf("  %s\n", name);
}

static void print_not_permitted(const struct estimate *e)
{
    uint32_t any = 0;
    struct pt_sampler_stats s;
    pt_sampler_stats(e->sampler, &s);
    for (int i = 0; i < PT_PROC_FILES; i++)
        any += s.denied[i];
    if (!any && !s.denied_system)
        return;
    puts("\nnot permitted:");
    pt_sampler_denied(e->sampler, print_denied, NULL);
    for (int i = 0; i < PT_PROC_FILES; i++) {
        if (s.denied[i])
            printf("  %s of %" PRIu32 " process%s\n",
                   pt_account_name((enum pt_account_key)(PT_ACCOUNT_DENIED + i)) +
                       strlen("denied_"),
                   s.denied[i], s.denied[i] == 1 ? "" : "es");
    }
}

static void print_day(const struct estimate *e, const struct day *d)
{
    char every[32], watched[32];
    double bytes = 0, cpu = 0;
    pt_print_span(every, sizeof(every), (int64_t)(DAY_S * 1e6 / d->per_day));
    pt_print_span(watched, sizeof(watched), e->options->estimate_us);
    printf("a day of recording this machine, as estimated from %s of it:\n"
           "%" PRIu32 " processes, %" PRIu32 " control groups, a snapshot every %s\n\n"
           "  %-32s %12s %12s\n",
           watched, e->last.processes, e->last.cgroups, every, "", "BYTES", "CPU");
    for (int i = 0; i < LINES; i++) {
        print_line(names[i], d->bytes[i], d->cpu_us[i]);
        bytes += d->bytes[i];
        cpu += d->cpu_us[i];
    }
    print_line("together", bytes, cpu);
    printf("\n%.3f%% of one CPU, of %.3g%% there are for it (--cpu-budget)\n",
           100 * cpu / (DAY_S * 1e6), 100 * d->budget_us / (DAY_S * 1e6));
    print_not_permitted(e);
}

int pt_estimate_run(const struct pt_options *o)
{
    struct estimate e = {.options = o};
    struct day d = {.budget_us = DAY_S * (double)o->budget_ppm};
    struct pt_err err = {0};
    pt_log_init(o->quiet ? PT_LOG_WARNING : o->verbose ? PT_LOG_DEBUG : PT_LOG_INFO);
    for (int i = 0; i < PT_ROOTS; i++)
        e.roots.root[i].fd = -1;
    int rc = begin(&e, &err);
    const int status = rc < 0 ? PT_EXIT_OPEN : PT_EXIT_FAILED;
    if (rc >= 0)
        rc = watch(&e, &err);
    if (rc >= 0)
        rc = weigh_all(&e, &d, &err);
    if (rc >= 0)
        print_day(&e, &d);
    else
        pt_log(PT_LOG_ERROR, "no estimate: %s", err.text);
    end(&e);
    if (rc >= 0 && fflush(stdout) != 0)
        rc = -1;
    return rc < 0 ? status : PT_EXIT_OK;
}
