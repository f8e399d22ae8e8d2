/* SPDX-License-Identifier: MIT
 * Sets of indexes below a known size: when a source was read, which readings changed it (FORMAT.md,
 * "Sets"). */
#include "schema/segment_int.h"

enum { NONE = 0, ALL = 1, BITMAP = 2, RUNS = 3 /* and more: RUNS + nruns - 1 */ };

/* The longest run with one period from v[i] on; a run of one has period 1. */
static uint32_t run_at(const uint32_t *v, uint32_t n, uint32_t i, uint32_t *period)
{
    *period = 1;
    if (i + 1 >= n)
        return 1;
    *period = v[i + 1] - v[i];
    uint32_t len = 2;
    while (i + len < n && v[i + len] - v[i + len - 1] == *period)
        len++;
    if (len == 2 && *period > 1) { /* a lone member; the next may start a longer run */
        *period = 1;
        return 1;
    }
    return len;
}

static uint64_t put_runs(struct pt_buf *out, const uint32_t *v, uint32_t n)
{
    uint64_t runs = 0;
    uint32_t next = 0, period = 1;
    for (uint32_t i = 0, len; i < n; i += len, runs++) {
        len = run_at(v, n, i, &period);
        pt_buf_varint(out, v[i] - next);
        pt_buf_varint(out, len - 1);
        if (len > 1)
            pt_buf_varint(out, period);
        next = v[i + len - 1] + 1;
    }
    return runs;
}

static void put_bitmap(struct pt_buf *out, const uint32_t *v, uint32_t n, uint32_t size)
{
    const size_t bytes = (size + 7) / 8;
    uint8_t *p = pt_buf_room(out, bytes);
    if (!p)
        return;
    memset(p, 0, bytes);
    for (uint32_t i = 0; i < n; i++)
        p[v[i] / 8] |= (uint8_t)(1u << (v[i] % 8));
    out->len += bytes;
}

void pt_set_put(struct pt_buf *out, const uint32_t *v, uint32_t n, uint32_t size)
{
    if (n == 0 || n == size) {
        pt_buf_varint(out, n == 0 ? NONE : ALL);
        return;
    }
    uint64_t runs = 0;
    uint32_t period;
    for (uint32_t i = 0; i < n; i += run_at(v, n, i, &period))
        runs++;
    const size_t start = out->len;
    pt_buf_varint(out, RUNS + runs - 1);
    put_runs(out, v, n);
    if (out->failed || out->len - start <= (size + 7) / 8 + 1)
        return;
    out->len = start;
    pt_buf_varint(out, BITMAP);
    put_bitmap(out, v, n, size);
}

static uint32_t bits_below(const uint8_t *bits, uint32_t i)
{
    uint32_t n = 0;
    for (uint32_t k = 0; k < i / 8; k++)
        n += (uint32_t)__builtin_popcount(bits[k]);
    if (i % 8)
        n += (uint32_t)__builtin_popcount(bits[i / 8] & ((1u << (i % 8)) - 1));
    return n;
}

struct run {
    uint64_t first, len, period;
};

static bool get_run(struct pt_cur *c, uint64_t *next, uint32_t size, struct run *ret)
{
    const uint64_t gap = pt_cur_varint(c), more = pt_cur_varint(c);
    const uint64_t period = more ? pt_cur_varint(c) : 1;
    if (c->failed || gap >= size - *next || more >= size || period == 0 || period > size ||
        more * period >= size - *next - gap) {
        c->failed = true;
        return false;
    }
    *ret = (struct run){.first = *next + gap, .len = more + 1, .period = period};
    *next += gap + more * period + 1;
    return true;
}

bool pt_set_get(struct pt_cur *c, uint32_t size, struct pt_set *ret)
{
    const uint64_t form = pt_cur_varint(c);
    *ret = (struct pt_set){.size = size, .all = form == ALL};
    if (form == ALL)
        ret->count = size;
    if (form == BITMAP) {
        ret->bits = pt_cur_bytes(c, (size + 7) / 8);
        if (!ret->bits || (size % 8 && ret->bits[size / 8] >> (size % 8)))
            c->failed = true;
        else
            ret->count = bits_below(ret->bits, size);
    }
    if (form >= RUNS) {
        ret->nruns = form - RUNS + 1;
        ret->runs = *c;
        uint64_t next = 0;
        struct run run;
        for (uint64_t i = 0; i < ret->nruns && get_run(c, &next, size, &run); i++)
            ret->count += (uint32_t)run.len;
        ret->runs.end = c->p;
    }
    return !c->failed;
}

uint32_t pt_set_rank(const struct pt_set *s, uint32_t i)
{
    if (s->all)
        return i < s->size ? i : s->size;
    if (s->bits)
        return bits_below(s->bits, i < s->size ? i : s->size);
    uint32_t n = 0;
    uint64_t next = 0;
    struct pt_cur c = s->runs;
    struct run run;
    for (uint64_t k = 0; k < s->nruns && get_run(&c, &next, s->size, &run) && run.first < i; k++) {
        const uint64_t below = (i - 1 - run.first) / run.period + 1;
        n += (uint32_t)(below < run.len ? below : run.len);
    }
    return n;
}

bool pt_set_has(const struct pt_set *s, uint32_t i)
{
    return i < s->size && pt_set_rank(s, i + 1) != pt_set_rank(s, i);
}

void pt_set_list(const struct pt_set *s, uint32_t *ret)
{
    uint32_t n = 0;
    for (uint32_t i = 0; (s->all || s->bits) && i < s->size; i++)
        if (s->all || (s->bits[i / 8] >> (i % 8) & 1))
            ret[n++] = i;
    uint64_t next = 0;
    struct pt_cur c = s->runs;
    struct run run;
    for (uint64_t k = 0; k < s->nruns && get_run(&c, &next, s->size, &run); k++)
        for (uint64_t j = 0; j < run.len; j++)
            ret[n++] = (uint32_t)(run.first + j * run.period);
}
