/* SPDX-License-Identifier: MIT
 * Clock blocks: the snapshots of a segment, number by number (FORMAT.md, "Clock blocks"). Units: as
 * frame.h. */
#include "schema/segment_int.h"

#include <stdlib.h>

/* Columns: boot, trigger, then the numbers; boot_us and mono_us as what they are from the clock
 * before. Each column is told as it is (0), as differences (1) or as differences of differences
 * (2), whichever is shortest. */
#define COLUMNS (2 + PT_SNAP_NUMBERS)
#define ORDERS  3
#define AT_REAL 2 /* then boot_us, mono_us */

static void to_row(const struct pt_snap *snap, int64_t v[COLUMNS])
{
    v[0] = snap->boot;
    v[1] = snap->trigger;
    pt_snap_numbers(snap, v + 2);
    v[AT_REAL + 2] = pt_minus(v[AT_REAL + 2], v[AT_REAL + 1]);
    v[AT_REAL + 1] = pt_minus(v[AT_REAL + 1], v[AT_REAL]);
}

static bool from_row(int64_t v[COLUMNS], int64_t n, struct pt_snap *ret)
{
    v[AT_REAL + 1] = pt_plus(v[AT_REAL + 1], v[AT_REAL]);
    v[AT_REAL + 2] = pt_plus(v[AT_REAL + 2], v[AT_REAL + 1]);
    if (v[0] < 0 || v[0] > UINT32_MAX || v[1] < 0 || v[1] > UINT32_MAX ||
        v[2 + PT_SNAP_OFFSET] < INT32_MIN || v[2 + PT_SNAP_OFFSET] > INT32_MAX)
        return false;
    *ret = (struct pt_snap){.n = n, .boot = (uint32_t)v[0], .trigger = (uint32_t)v[1]};
    pt_snap_set_numbers(ret, v + 2);
    return true;
}

/* Differences in place, `order` times. */
static void differ(int64_t *v, uint32_t n, unsigned order)
{
    for (unsigned k = 0; k < order; k++)
        for (uint32_t i = n; i-- > 1;)
            v[i] = pt_minus(v[i], v[i - 1]);
}

static void sum(int64_t *v, uint32_t n, unsigned order)
{
    for (unsigned k = 0; k < order; k++)
        for (uint32_t i = 1; i < n; i++)
            v[i] = pt_plus(v[i], v[i - 1]);
}

static void put_column(struct pt_buf *out, const int64_t *column, uint32_t n, int64_t *scratch)
{
    size_t best = SIZE_MAX;
    unsigned order = 0;
    for (unsigned k = 0; k <= ORDERS; k++) { /* the last time for good */
        const unsigned o = k < ORDERS ? k : order;
        memcpy(scratch, column, n * sizeof *column);
        differ(scratch, n, o);
        const size_t start = out->len;
        pt_buf_u8(out, (uint8_t)o);
        for (uint32_t i = 0; i < n; i++)
            pt_buf_varint(out, pt_zigzag(scratch[i]));
        if (k < ORDERS && out->len - start < best) {
            best = out->len - start;
            order = o;
        }
        if (k < ORDERS)
            out->len = start;
    }
}

int pt_clock_put(struct pt_block_writer *w, const struct pt_snap *snaps, struct pt_err *err)
{
    int64_t *column = malloc(2 * w->nticks * sizeof *column);
    if (!column)
        return pt_err_nomem(err);
    for (unsigned c = 0; c < COLUMNS; c++) {
        for (uint32_t i = 0; i < w->nticks; i++) {
            int64_t row[COLUMNS];
            to_row(&snaps[i], row);
            column[i] = row[c];
        }
        put_column(&w->head, column, w->nticks, column + w->nticks);
    }
    free(column);
    return w->head.failed ? pt_err_nomem(err) : 0;
}

int pt_clock_get(struct pt_block *b, struct pt_cur *c)
{
    const uint32_t n = b->nticks;
    if (pt_cur_left(c) / COLUMNS < n)
        return -PT_EDAMAGED;
    int64_t *columns = malloc((size_t)n * COLUMNS * sizeof *columns);
    b->snaps = calloc(n, sizeof *b->snaps);
    bool good = columns && b->snaps;
    if (!good) {
        free(columns);
        return -PT_ENOMEM;
    }
    for (unsigned k = 0; k < COLUMNS && good; k++) {
        const uint8_t order = pt_cur_u8(c);
        good = order < ORDERS;
        for (uint32_t i = 0; i < n; i++)
            columns[(size_t)k * n + i] = pt_unzigzag(pt_cur_varint(c));
        if (good)
            sum(columns + (size_t)k * n, n, order);
    }
    for (uint32_t i = 0; i < n && good; i++) {
        int64_t row[COLUMNS];
        for (unsigned k = 0; k < COLUMNS; k++)
            row[k] = columns[(size_t)k * n + i];
        good = from_row(row, b->first + b->tick_n[i], &b->snaps[i]);
    }
    free(columns);
    return good && !c->failed && !pt_cur_left(c) ? 0 : -PT_EDAMAGED;
}
