/* SPDX-License-Identifier: MIT
 * Collecting ends of processes. */
#include "recorder/toll.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "recorder/clock.h"
#include "recorder/portrait.h"

void pt_toll_init(struct pt_toll *t, int64_t now_us)
{
    *t = (struct pt_toll){
        .credit_us = PT_TOLL_ONES * PT_TOLL_ONE_US, .earned_us = now_us, .summed_us = now_us};
}

/* ---- collecting ---- */

static void add_other(struct pt_toll *t, const struct pt_toll_one *one)
{
    uint32_t i = 0;
    while (i < t->nnames && strcmp(t->names[i].comm, one->comm) != 0)
        i++;
    if (i == t->nnames && i < PT_TOLL_NAMES) {
        memcpy(t->names[i].comm, one->comm, sizeof(one->comm));
        t->nnames++;
    }
    t->names[i].count++;
    if (one->peak_kb > t->names[i].peak_kb)
        t->names[i].peak_kb = one->peak_kb;
    t->others++;
    t->unseen += one->n == 0;
}

void pt_toll_add(struct pt_toll *t, const struct pt_toll_one *one, bool task)
{
    if (one->n == 0 && (task || one->peak_kb < PT_TOLL_PEAK_KB)) {
        add_other(t, one);
        return;
    }
    if (t->nones < PT_TOLL_ONES) {
        t->ones[t->nones++] = *one;
        return;
    }
    struct pt_toll_one *least = &t->ones[0];
    for (uint32_t i = 1; i < t->nones; i++) {
        if (t->ones[i].peak_kb < least->peak_kb)
            least = &t->ones[i];
    }
    if (one->peak_kb <= least->peak_kb) {
        add_other(t, one);
        return;
    }
    add_other(t, least);
    *least = *one;
}

/* ---- telling ---- */

static int by_peak(const void *a, const void *b)
{
    const struct pt_toll_one *x = a, *y = b;
    return (x->peak_kb < y->peak_kb) - (x->peak_kb > y->peak_kb);
}

static int by_time(const void *a, const void *b)
{
    const struct pt_toll_one *x = a, *y = b;
    return (x->real_us > y->real_us) - (x->real_us < y->real_us);
}

static int by_count(const void *a, const void *b)
{
    const struct pt_toll_name *x = a, *y = b;
    return (x->count < y->count) - (x->count > y->count);
}

static void tell_one(const struct pt_toll_one *one, pt_toll_fn *fn, void *ctx)
{
    char subject[128], comm[PT_COMM_MAX], text[160], how[48] = "";
    pt_line_put(comm, sizeof(comm), one->comm, strlen(one->comm));
    snprintf(subject, sizeof(subject), "%" PRIu32 " %s", one->pid, comm);
    if (one->status >= 0 && (one->status & 0x7f))
        snprintf(how, sizeof(how), ", killed by signal %d", (int)(one->status & 0x7f));
    else if (one->status >= 0)
        snprintf(how, sizeof(how), ", exit status %d", (int)(one->status >> 8 & 0xff));
    snprintf(text, sizeof(text), "peak RSS %" PRId64 " kB, lived %.3f s%s%s", one->peak_kb,
             (double)one->lived_us / (double)PT_SECOND, how, one->n ? "" : ", in no snapshot");
    fn(ctx, one->real_us, one->n ? one->n : PT_UNKNOWN, subject, text);
}

static void tell_ones(struct pt_toll *t, pt_toll_fn *fn, void *ctx)
{
    uint32_t may = (uint32_t)(t->credit_us / PT_TOLL_ONE_US);
    if (may > t->nones)
        may = t->nones;
    qsort(t->ones, t->nones, sizeof(*t->ones), by_peak);
    for (uint32_t i = may; i < t->nones; i++)
        add_other(t, &t->ones[i]);
    qsort(t->ones, may, sizeof(*t->ones), by_time);
    for (uint32_t i = 0; i < may; i++)
        tell_one(&t->ones[i], fn, ctx);
    t->credit_us -= may * PT_TOLL_ONE_US;
    t->nones = 0;
}

struct line {
    char text[PT_TOLL_TEXT];
    size_t n;
};

__attribute__((format(printf, 2, 3))) static void add(struct line *l, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const int n = vsnprintf(l->text + l->n, sizeof(l->text) - l->n, fmt, ap);
    va_end(ap);
    if (n > 0)
        l->n = l->n + (size_t)n < sizeof(l->text) ? l->n + (size_t)n : sizeof(l->text) - 1;
}

static void tell_others(struct pt_toll *t, int64_t now_us, pt_toll_fn *fn, void *ctx)
{
    struct line l = {.n = 0};
    struct pt_toll_name rest = t->names[PT_TOLL_NAMES];
    add(&l, "%" PRIu64 " others ended in %.0f s, %" PRIu64 " of them in no snapshot", t->others,
        (double)(now_us - t->summed_us) / (double)PT_SECOND, t->unseen);
    qsort(t->names, t->nnames, sizeof(*t->names), by_count);
    for (uint32_t i = 0; i < t->nnames; i++) {
        const struct pt_toll_name *name = &t->names[i];
        char comm[PT_COMM_MAX];
        if (i >= PT_TOLL_TOLD) {
            rest.count += name->count;
            rest.peak_kb = name->peak_kb > rest.peak_kb ? name->peak_kb : rest.peak_kb;
            continue;
        }
        pt_line_put(comm, sizeof(comm), name->comm, strlen(name->comm));
        add(&l, "%s %" PRIu64 " %s (peak RSS %" PRId64 " kB)", i ? "," : ":", name->count, comm,
            name->peak_kb);
    }
    if (rest.count)
        add(&l, ", %" PRIu64 " of other names (peak RSS %" PRId64 " kB)", rest.count, rest.peak_kb);
    fn(ctx, PT_UNKNOWN, PT_UNKNOWN, "", l.text);
    memset(t->names, 0, sizeof(t->names));
    t->nnames = 0;
    t->others = t->unseen = 0;
}

void pt_toll_tell(struct pt_toll *t, int64_t now_us, bool end, pt_toll_fn *fn, void *ctx)
{
    t->credit_us += now_us - t->earned_us;
    t->earned_us = now_us;
    if (t->credit_us > PT_TOLL_ONES * PT_TOLL_ONE_US)
        t->credit_us = PT_TOLL_ONES * PT_TOLL_ONE_US;
    tell_ones(t, fn, ctx);
    if (!end && now_us - t->summed_us < PT_TOLL_SUMMARY_US)
        return;
    if (t->others)
        tell_others(t, now_us, fn, ctx);
    t->summed_us = now_us;
}
