/* SPDX-License-Identifier: MIT
 * Bins of swapping made here, and the episodes found in them. Included by tests once. Units:
 * seconds, MiB a second. */
#ifndef PT_TESTS_ANALYZE_BINS_H
#define PT_TESTS_ANALYZE_BINS_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analyze/swap/whom.h"

#define PAGE      4096
#define MIB_PAGES 256.0f
#define GIB_KIB   1048576.0f
#define BINS      400

static struct pt_swap_bin bins[BINS];
static size_t nbins;

/* What happens for a while: rates in MiB/s, PSI as shares. */
struct span {
    int n; /* bins */
    float in, out, some, full;
};

static void begin(void)
{
    nbins = 0;
}

/* A quiet machine with swap half used, in bins of `width`. */
static void add_wide(struct span s, double width)
{
    for (int i = 0; i < s.n; i++) {
        assert_true(nbins < BINS);
        struct pt_swap_bin *b = &bins[nbins];
        const double from = nbins ? bins[nbins - 1].to : 0;
        const float w = (float)width;
        *b = (struct pt_swap_bin){.from = from, .to = from + width};
        b->v[PT_SWAP_IN] = s.in * MIB_PAGES * w;
        b->v[PT_SWAP_OUT] = s.out * MIB_PAGES * w;
        b->v[PT_SWAP_ZIN] = b->v[PT_SWAP_ZOUT] = NAN;
        b->v[PT_SWAP_SOME] = s.some * w;
        b->v[PT_SWAP_FULL] = s.full * w;
        b->v[PT_SWAP_REFAULT_ANON] = b->v[PT_SWAP_IN];
        b->v[PT_SWAP_RESTORE_ANON] = b->v[PT_SWAP_IN] / 2;
        b->v[PT_SWAP_TOTAL] = 2 * GIB_KIB;
        b->v[PT_SWAP_FREE] = GIB_KIB;
        b->v[PT_SWAP_MEM_TOTAL] = 8 * GIB_KIB;
        b->v[PT_SWAP_AVAILABLE] = 4 * GIB_KIB;
        b->v[PT_SWAP_FILE_ACTIVE] = b->v[PT_SWAP_FILE_INACTIVE] = GIB_KIB;
        nbins++;
    }
}

static void add(struct span s)
{
    add_wide(s, 10);
}

static void add_hole(double width)
{
    add_wide((struct span){.n = 1}, width);
    bins[nbins - 1].hole = true;
}

static void forget(enum pt_swap_column column)
{
    for (size_t i = 0; i < nbins; i++)
        bins[i].v[column] = NAN;
}

static struct pt_swap_episodes found;

static void find(void)
{
    struct pt_err err = {0};
    pt_swap_episodes_release(&found);
    assert_return_code(pt_swap_episodes_find(bins, nbins, PAGE, &found, &err), 0);
}

#endif
