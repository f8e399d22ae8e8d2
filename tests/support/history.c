/* SPDX-License-Identifier: MIT
 * Random histories of sources. See history.h. */
#include "tests/support/history.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

static const struct pt_grammar whole = {.rows = PT_ROWS_WHOLE, .head = PT_LEX_DEC};
static const struct pt_grammar verbatim = {.rows = PT_ROWS_WHOLE, .head = PT_LEX_NONE};
static const struct pt_grammar lines = {
    .rows = PT_ROWS_LINES, .key = PT_KEY_SHAPE, .head = PT_LEX_DEC};
static const struct pt_grammar smaps = {.rows = PT_ROWS_SMAPS,
                                        .key = PT_KEY_RANGE,
                                        .head = PT_LEX_MAPS,
                                        .body = PT_LEX_DEC,
                                        .width = 8};

static const struct {
    const char *name;
    const struct pt_grammar *grammar;
} kinds[PT_H_SOURCES] = {
    {"proc:meminfo", &whole},     {"proc:slabinfo", &lines},      {"proc:11/stat", &whole},
    {"proc:11/smaps", &smaps},    {"proc:11/cmdline", &verbatim}, {"proc:12/stat", &whole},
    {"proc:12/smaps", &smaps},    {"proc:13/stat", &whole},       {"proc:13/exe", &verbatim},
    {"cgroup:a.slice/x", &whole}, {"proc:vmallocinfo", &lines},   {"proc:empty", &whole},
};

uint32_t pt_h_random(struct pt_h *h, uint32_t below)
{
    h->rng ^= h->rng << 13;
    h->rng ^= h->rng >> 7;
    h->rng ^= h->rng << 17;
    return (uint32_t)(h->rng >> 33) % below;
}

void pt_h_init(struct pt_h *h, uint64_t seed)
{
    *h = (struct pt_h){.rng = seed * 0x9e3779b97f4a7c15u + 1};
    for (unsigned i = 0; i < PT_H_SOURCES; i++) {
        struct pt_h_source *s = &h->sources[i];
        snprintf(s->name, sizeof s->name, "%s", kinds[i].name);
        s->grammar = kinds[i].grammar;
        s->presence = PT_ABSENT;
        s->read_us = PT_UNKNOWN;
        s->handle = -1;
    }
    h->snap = (struct pt_snap){.real_us = 1700000000123456, .boot = 1, .utc_offset_s = -3600};
}

static void add_row(struct pt_h *h, struct pt_h_source *s)
{
    if (s->nrows == sizeof s->rows / sizeof *s->rows)
        return;
    const uint32_t at = pt_h_random(h, s->nrows + 1);
    memmove(s->values + at + 1, s->values + at, (s->nrows - at) * sizeof *s->values);
    s->nrows++;
    for (int k = 0; k < 4; k++)
        s->values[at][k] = pt_h_random(h, 100000);
    if (pt_h_random(h, 10) == 0)
        s->values[at][3] = UINT64_MAX - pt_h_random(h, 3);
    for (uint32_t i = 0; i < s->nrows; i++) /* of smaps: in order of address */
        s->rows[i] = i;
}

static void drop_row(struct pt_h *h, struct pt_h_source *s)
{
    if (s->nrows == 0)
        return;
    const uint32_t at = pt_h_random(h, s->nrows);
    memmove(s->values + at, s->values + at + 1, (s->nrows - at - 1) * sizeof *s->values);
    s->nrows--;
}

static void change_values(struct pt_h *h, struct pt_h_source *s)
{
    for (uint32_t i = 0; i < s->nrows; i++)
        if (pt_h_random(h, 3) == 0)
            s->values[i][1 + pt_h_random(h, 3)] += pt_h_random(h, 2) ? 4096u : (uint64_t)-4096;
}

static void print(struct pt_h_source *s)
{
    s->len = 0;
    if (s->grammar == &verbatim) {
        s->len = (size_t)snprintf(s->text, sizeof s->text, "%s\n\xff\n%s", s->flip ? "sh" : "a b",
                                  s->nrows % 2 ? "x" : "");
        return;
    }
    for (uint32_t i = 0; i < s->nrows && s->len + 200 < sizeof s->text; i++) {
        const uint64_t *v = s->values[i];
        char *at = s->text + s->len;
        const size_t room = sizeof s->text - s->len;
        int n;
        if (s->grammar == &smaps)
            n = snprintf(
                at, room,
                "%08" PRIx64 "-%08" PRIx64 " rw-p 00000000 00:00 %u %s\n"
                "Rss:        %8" PRIu64 " kB\nPss:  %8" PRIu64 " kB\nVmFlags: rd %s\n",
                (uint64_t)(i * 16 + 1) * 4096, (uint64_t)(i * 16 + 2) * 4096 + (v[0] & 0xf000), 0u,
                v[0] % 3 ? "" : "                  [heap]", v[1], v[2], s->flip ? "wr" : "");
        else if (s->grammar == &lines)
            n = snprintf(at, room, "name-%c%u %6" PRIu64 " 0.%02" PRIu64 " %" PRIu64 "\n",
                         (char)('a' + v[0] % 20), (unsigned)(v[0] % 7), v[1], v[2] % 100, v[3]);
        else
            n = snprintf(at, room, "k%u (%c) %" PRIu64 " %" PRIu64 " -1\n", i, s->flip ? 'R' : 'S',
                         v[1], v[3]);
        s->len += (size_t)n;
    }
}

static void live(struct pt_h *h, struct pt_h_source *s)
{
    const uint32_t what = pt_h_random(h, 12);
    if (what < 2 || (s->nrows == 0 && what < 10))
        add_row(h, s);
    else if (what == 2)
        drop_row(h, s);
    else if (what == 3)
        s->flip = !s->flip;
    else if (what < 9)
        change_values(h, s);
    print(s);
}

static int64_t some_time(struct pt_h *h, int64_t real_us)
{
    return pt_h_random(h, 4) ? PT_UNKNOWN : real_us + (int64_t)pt_h_random(h, 2000000) - 1500000;
}

/* One source, one snapshot. */
static int step(struct pt_h *h, struct pt_h_source *s, struct pt_enc *e, struct pt_err *err)
{
    const uint32_t what = pt_h_random(h, 20);
    int rc = 0;
    if (s->handle >= 0 && what == 0) { /* gone, at times with another of its name at once */
        if (e)
            rc = pt_enc_gone(e, (uint32_t)s->handle, err);
        s->handle = -1;
        s->presence = PT_ABSENT;
        s->read_us = PT_UNKNOWN;
        s->nrows = 0;
        if (pt_h_random(h, 2))
            return rc;
    }
    if (what > 12 || rc < 0) {
        if (s->presence == PT_READ)
            s->presence = PT_CARRIED;
        return rc;
    }
    const int64_t handle = s->handle >= 0 ? s->handle
                           : e            ? pt_enc_open(e, s->name, s->grammar, err)
                                          : 0;
    const int64_t at = some_time(h, h->snap.real_us);
    if (handle < 0)
        return (int)handle;
    s->handle = handle;
    s->read_us = at == PT_UNKNOWN ? h->snap.real_us : at;
    s->why = what == 1 ? EACCES : what == 2 ? ETIMEDOUT : 0;
    s->presence = s->why ? PT_UNREADABLE : PT_READ;
    if (s->why)
        return e ? pt_enc_fail(e, (uint32_t)handle, s->why, at, err) : 0;
    if (what > 5)
        live(h, s);
    else
        print(s);
    return e ? pt_enc_text(e, (uint32_t)handle, s->text, s->len, at, err) : 0;
}

int pt_h_tick(struct pt_h *h, struct pt_enc *e, struct pt_buf *frame, struct pt_err *err)
{
    h->snap.n++;
    h->snap.real_us += 1000000 + (int64_t)pt_h_random(h, 500);
    h->snap.boot_us += 1000000;
    h->snap.mono_us += 1000000 - (int64_t)pt_h_random(h, 2);
    h->snap.cost_us = pt_h_random(h, 10) ? (int64_t)pt_h_random(h, 9999) : PT_UNKNOWN;
    h->snap.psi_full_us = PT_UNKNOWN;
    h->snap.trigger = pt_h_random(h, 9);
    if (h->quiet && pt_h_random(h, h->quiet))
        h->snap.trigger = PT_TRIGGER_TIMER;
    int rc = e ? pt_enc_begin(e, &h->snap, err) : 0;
    for (unsigned i = 0; rc >= 0 && i < PT_H_SOURCES; i++)
        rc = step(h, &h->sources[i], e, err);
    h->snap.span_us = pt_h_random(h, 40000);
    return rc >= 0 && e ? pt_enc_end(e, &h->snap, frame, err) : rc;
}
