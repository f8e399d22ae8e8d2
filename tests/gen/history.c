/* SPDX-License-Identifier: MIT
 * Families of behaviour and what their processes hold at a time. Units: KiB, hours. */
#include "tests/gen/history.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOUR_US   3600e6
#define TAU       6.283185307179586
#define BUSY_TAU  0.5  /* hours that load remembers */
#define NOON      16.0 /* the busiest hour */
#define OWN_NOISE 0.15 /* of load */

/* ---- shapes ---- */

static double flat(const struct story *s, double age)
{
    (void)s, (void)age;
    return 0;
}

static double line(const struct story *s, double age)
{
    return s->rise * age / s->span;
}

static double decline(const struct story *s, double age)
{
    return -fmin(line(s, age), s->level * 0.6);
}

static double onset(const struct story *s, double age)
{
    return age / s->span > s->at ? line(s, age - s->at * s->span) : 0;
}

/* `at` hours to a stair. */
static double stairs(const struct story *s, double age)
{
    return line(s, floor(age / s->at) * s->at);
}

static double power(const struct story *s, double age)
{
    return s->rise * pow(age / s->span, s->at);
}

static double cap(const struct story *s, double age)
{
    return s->rise * fmin(1, age / s->span / s->at);
}

static double saturate(const struct story *s, double age)
{
    return s->rise * (1 - exp(-age / s->span / s->at));
}

static double logarithm(const struct story *s, double age)
{
    return s->rise * log1p(age / s->span / s->at) / log1p(1 / s->at);
}

/* Collected every `at` hours, down to what is alive. */
static double saw(const struct story *s, double age)
{
    return s->level * 0.4 * (age / s->at - floor(age / s->at));
}

static double sawline(const struct story *s, double age)
{
    return saw(s, age) + line(s, age);
}

/* Three levels, reached at thirds that are not even. */
static double steps(const struct story *s, double age)
{
    const double x = age / s->span;
    return s->rise * ((x > s->at) + (x > 0.35 + s->at)) / 2;
}

/* Ten minutes of every hour. */
static double batch(const struct story *s, double age)
{
    return fmod(age, 1) < 1.0 / 6 ? s->level * 0.5 : 0;
}

/* clang-format off */
static const struct family families[] = {
    {"slow200m",  true,  line,      {190, 210},   {12, 12},  0,    .20, 0,   .015,  .5,  0,  0,  false},
    {"slow4g",    true,  line,      {4000, 4200}, {12, 12},  0,    .03, 0,   .0015, .5,  0,  0,  false},
    {"leak",      true,  line,      {20, 2000},   {30, 300}, 0,    .03, 0,   .005,  .5,  0,  0,  false},
    {"weekly",    true,  line,      {100, 1000},  {30, 300}, 0,    .10, .5,  .005,  .5,  0,  0,  false},
    {"onset",     true,  onset,     {20, 1000},   {40, 300}, .45,  .03, 0,   .003,  .5,  0,  0,  false},
    {"stairs",    true,  stairs,    {20, 1000},   {30, 300}, 13,   .03, 0,   .003,  .5,  0,  0,  true},
    {"swapleak",  true,  line,      {100, 1000},  {30, 300}, 0,    .03, 0,   .005,  .5,  0,  .7, false},
    {"restart",   true,  line,      {50, 500},    {60, 300}, 0,    .03, 0,   .005,  .5,  36, 0,  false},
    {"faster",    true,  power,     {50, 1000},   {30, 300}, 1.8,  .03, 0,   .005,  .5,  0,  0,  true},
    {"sawleak",   true,  sawline,   {100, 1000},  {30, 300}, 2,    .03, 0,   .005,  .5,  0,  0,  false},
    {"noisy",     true,  line,      {100, 500},   {40, 100}, 0,    .20, .5,  .02,   3,   0,  0,  false},
    {"200m",      false, flat,      {190, 210},   {12, 12},  0,    .20, 0,   .015,  .5,  0,  0,  false},
    {"4g",        false, flat,      {4000, 4200}, {12, 12},  0,    .03, 0,   .0015, .5,  0,  0,  false},
    {"wander",    false, flat,      {50, 2000},   {12, 12},  0,    0,   0,   .03,   6,   0,  0,  false},
    {"drift",     false, flat,      {50, 2000},   {12, 12},  0,    .10, 0,   .05,   24,  0,  0,  false},
    {"diurnal",   false, flat,      {50, 2000},   {12, 12},  0,    .30, .6,  .01,   .5,  0,  0,  false},
    {"saw",       false, saw,       {50, 1000},   {12, 12},  2,    .05, 0,   .01,   .5,  0,  0,  false},
    {"cap30",     false, cap,       {50, 1000},   {30, 100}, .3,   .03, 0,   .003,  .5,  0,  0,  false},
    {"cap60",     false, cap,       {50, 1000},   {30, 100}, .6,   .03, 0,   .003,  .5,  0,  0,  false},
    {"cap80",     false, cap,       {50, 1000},   {30, 100}, .8,   .03, 0,   .003,  .5,  0,  0,  false},
    {"warm",      false, saturate,  {50, 1000},   {30, 100}, .15,  .03, 0,   .003,  .5,  0,  0,  false},
    {"log",       false, logarithm, {50, 1000},   {20, 60},  .02,  .03, 0,   .003,  .5,  0,  0,  false},
    {"steps",     false, steps,     {50, 1000},   {20, 60},  .25,  .03, 0,   .003,  .5,  0,  0,  false},
    {"batch",     false, batch,     {50, 1000},   {12, 12},  0,    .03, 0,   .005,  .5,  0,  0,  false},
    {"parked",    false, flat,      {100, 1000},  {12, 12},  0,    .03, 0,   .005,  .5,  0,  .6, false},
    {"reborn",    false, saturate,  {50, 500},    {10, 20},  .01,  .03, 0,   .005,  .5,  36, 0,  false},
    {"decline",   false, decline,   {200, 1000},  {10, 30},  0,    .03, 0,   .005,  .5,  0,  0,  false},
};
/* clang-format on */
#define FAMILIES (sizeof families / sizeof *families)

/* ---- drawing ---- */

static double uniform(struct rng *r)
{
    return (double)rng_below(r, 1u << 30) / (1u << 30);
}

static double normal(struct rng *r)
{
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += uniform(r);
    return sum;
}

static double between(struct rng *r, const double bounds[2])
{
    return bounds[0] * pow(bounds[1] / bounds[0], uniform(r));
}

static void draw(struct machine *m, struct story *s, uint32_t index, double span)
{
    const struct family *f = &families[index % FAMILIES];
    *s = (struct story){.family = f, .at = f->at, .span = span, .seed = rng_next(&m->rng)};
    snprintf(s->name, sizeof s->name, "%s-%u", f->name, index);
    s->level = between(&m->rng, f->level) * 1024;
    s->rise = between(&m->rng, f->rise) * 1024 * span / 24;
}

int history_init(struct machine *m, const struct pt_gen_options *o)
{
    const uint32_t gaps = o->gap_every ? (o->snapshots - 1) / o->gap_every : 0;
    const uint32_t boots = o->reboot_every ? gaps / o->reboot_every + 1 : 1;
    const double hours = (double)o->snapshots * (double)o->interval_us / HOUR_US +
                         gaps * (double)o->gap_us / HOUR_US;
    m->stories = calloc(o->processes ? o->processes : 1, sizeof *m->stories);
    if (!m->stories)
        return -1;
    for (uint32_t i = 0; i < o->processes; i++) {
        draw(m, &m->stories[i], i, hours / boots);
        m->total += (int64_t)((m->stories[i].level + m->stories[i].rise) * 2);
    }
    m->swap_total = m->total / 2;
    return 0;
}

void history_release(struct machine *m)
{
    for (uint32_t i = 0; m->stories && i < m->count; i++)
        free(m->stories[i].pids);
    free(m->stories);
}

/* ---- what it holds ---- */

/* 0..1: the hour of the day, the weekend, and how busy a day it happens to be. */
static double load_at(const struct story *s, int64_t now_us)
{
    const double hours = (double)now_us / HOUR_US;
    const int64_t day = (int64_t)(hours / 24);
    struct rng of_day = {s->seed + (uint64_t)day};
    const double weekend = (day + 4) % 7 == 0 || (day + 4) % 7 == 6 ? 1 - s->family->week : 1;
    const double curve = 0.5 + 0.5 * cos((hours - NOON) * TAU / 24);
    return curve * weekend * (0.85 + 0.3 * uniform(&of_day));
}

static double age_of(const struct machine *m, const struct process *p)
{
    return ((double)m->uptime_us - (double)p->start * 10000) / HOUR_US;
}

/* Noise that fades with `tau` hours: what it was `dt` hours ago counts as much less. */
static double fade(struct rng *r, double was, double dt, double tau, double sd)
{
    const double kept = exp(-dt / tau);
    return was * kept + sd * sqrt(1 - kept * kept) * normal(r);
}

static int64_t pages(double kib)
{
    return (int64_t)(kib / 4) * 4;
}

int history_start(struct machine *m, struct process *p)
{
    struct story *s = &m->stories[p->index];
    uint32_t *more = realloc(s->pids, (s->npids + 1) * sizeof *more);
    if (!more)
        return -1;
    s->pids = more;
    s->pids[s->npids++] = p->pid;
    memcpy(p->name, s->name, sizeof p->name);
    p->base = pages(s->level);
    p->service = true;
    s->ends = s->family->life * (0.6 + 0.8 * uniform(&m->rng));
    history_run(m, p);
    return 0;
}

bool history_ends(const struct machine *m, const struct process *p)
{
    const struct story *s = &m->stories[p->index];
    return s->ends > 0 && age_of(m, p) >= s->ends;
}

void history_run(struct machine *m, struct process *p)
{
    struct rng *r = &m->rng;
    struct story *s = &m->stories[p->index];
    const struct family *f = s->family;
    const double dt = s->ran_us ? (double)(m->now_us - s->ran_us) / HOUR_US : 1;
    const double age = age_of(m, p), load = load_at(s, m->now_us);
    s->ran_us = m->now_us;
    s->noise = fade(r, s->noise, dt, f->memory, f->noise * s->level);
    s->busy = fade(r, s->busy, dt, BUSY_TAU, OWN_NOISE);
    const double work = fmax(0, load + s->busy * load) * dt * 3600;
    p->utime += (uint64_t)(work * 8);
    p->stime += (uint64_t)(work * 2);
    p->minflt += (uint64_t)(work * 30);
    p->voluntary += (uint64_t)(work * 20);
    p->forced += (uint64_t)work;
    p->threads = 4 + (uint32_t)(load * 4 + s->busy);
    p->files = 20 + (uint32_t)fmax(0, 30 * load * (1 + s->busy));
    const double held = s->level * (1 + f->day * load) + f->shape(s, age) + s->noise;
    p->anon = pages(fmax(held, 400));
    p->swap = pages((double)p->anon * f->swapped * fmin(1, age / s->span));
    if (p->anon - p->swap + p->file > p->peak)
        p->peak = p->anon - p->swap + p->file;
}
