/* SPDX-License-Identifier: MIT
 * The host's files in one pass: vmstat, pressure and meminfo into bins, swap areas, zram and zswap
 * as they were. */
#include <string.h>

#include "analyze/swap/swap_int.h"

enum { VMSTAT_FIELDS = 12, MEMINFO_FIELDS = 6 };
static const char *const vmstat_fields[VMSTAT_FIELDS] = {
    "pswpin",
    "pswpout",
    "zswpin",
    "zswpout",
    "workingset_refault_anon",
    "workingset_restore_anon",
    "workingset_refault_file",
    "workingset_refault", /* before 5.9 it was of files alone */
    "pgscan_direct",
    "pgsteal_direct",
    "pgscan_kswapd",
    "pgsteal_kswapd",
};
static const enum pt_swap_column vmstat_columns[VMSTAT_FIELDS] = {
    PT_SWAP_IN,           PT_SWAP_OUT,          PT_SWAP_ZIN,          PT_SWAP_ZOUT,
    PT_SWAP_REFAULT_ANON, PT_SWAP_RESTORE_ANON, PT_SWAP_REFAULT_FILE, PT_SWAP_REFAULT_FILE,
    PT_SWAP_SCAN_DIRECT,  PT_SWAP_STEAL_DIRECT, PT_SWAP_SCAN_KSWAPD,  PT_SWAP_STEAL_KSWAPD,
};
static const char *const meminfo_fields[MEMINFO_FIELDS] = {
    "SwapTotal", "SwapFree", "MemAvailable", "MemTotal", "Active(file)", "Inactive(file)",
};
static const enum pt_swap_column meminfo_columns[MEMINFO_FIELDS] = {
    PT_SWAP_TOTAL,     PT_SWAP_FREE,        PT_SWAP_AVAILABLE,
    PT_SWAP_MEM_TOTAL, PT_SWAP_FILE_ACTIVE, PT_SWAP_FILE_INACTIVE,
};

struct columns {
    struct pt_swap_fills *fills;
    const enum pt_swap_column *column;
    unsigned n;
};

static int on_column(void *ctx, const struct pt_point *p)
{
    const struct columns *c = ctx;
    /* a source that nobody could read tells nothing of any field */
    const bool all = !p->known && (p->presence != PT_ABSENT || !*p->field);
    for (unsigned i = all ? 0 : p->which; i < (all ? c->n : p->which + 1); i++)
        pt_swap_fill_point(c->fills, c->column[i], p);
    return 0;
}

static int on_pressure(void *ctx, const struct pt_point *p)
{
    static const enum pt_swap_column rows[] = {PT_SWAP_SOME, PT_SWAP_FULL};
    static const char *const names[] = {"some", "full"};
    for (unsigned i = 0; i < 2; i++)
        if (!*p->row || strcmp(p->row, names[i]) == 0)
            pt_swap_fill_point(ctx, rows[i], p);
    return 0;
}

static uint32_t missing_of(const struct pt_swap_fills *f)
{
    static const struct {
        enum pt_swap_column column;
        enum pt_swap_missing missing;
    } needed[] = {
        {PT_SWAP_IN, PT_SWAP_NO_VMSTAT},    {PT_SWAP_OUT, PT_SWAP_NO_VMSTAT},
        {PT_SWAP_SOME, PT_SWAP_NO_PSI},     {PT_SWAP_REFAULT_ANON, PT_SWAP_NO_REFAULTS},
        {PT_SWAP_FREE, PT_SWAP_NO_MEMINFO},
    };
    uint32_t missing = 0;
    for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++)
        missing |= f->of[needed[i].column].ever ? 0 : needed[i].missing;
    return missing;
}

int pt_swap_load_system(struct pt_db *db, struct pt_swap *w, struct pt_err *err)
{
    static const char *const total[] = {"total"};
    const struct pt_timeline *t = &w->timeline;
    struct pt_swap_fills fills = {.timeline = t};
    struct pt_swap_devices devices = {.w = w};
    struct columns vmstat = {&fills, vmstat_columns, VMSTAT_FIELDS};
    struct columns meminfo = {&fills, meminfo_columns, MEMINFO_FIELDS};
    const struct pt_field_query queries[] = {
        {.glob = "proc:vmstat",
         .fields = vmstat_fields,
         .nfields = VMSTAT_FIELDS,
         .fn = on_column,
         .ctx = &vmstat},
        {.glob = "proc:meminfo",
         .fields = meminfo_fields,
         .nfields = MEMINFO_FIELDS,
         .fn = on_column,
         .ctx = &meminfo},
        {.glob = "proc:meminfo",
         .fields = pt_swap_zswap_fields,
         .nfields = 2,
         .fn = pt_swap_on_zswap,
         .ctx = &devices},
        {.glob = "proc:pressure/memory",
         .fields = total,
         .nfields = 1,
         .fn = on_pressure,
         .ctx = &fills},
        {.glob = "proc:swaps",
         .fields = pt_swap_device_fields,
         .nfields = 3,
         .fn = pt_swap_on_device,
         .ctx = &devices},
        {.glob = "sys:block/zram*/mm_stat",
         .fields = pt_swap_zram_fields,
         .nfields = 3,
         .fn = pt_swap_on_zram,
         .ctx = &devices},
    };
    enum { QUERIES = sizeof(queries) / sizeof(*queries) };
    struct pt_field_query q[QUERIES];
    memcpy(q, queries, sizeof(q));
    for (size_t i = 0; i < QUERIES; i++) {
        q[i].from = t->first;
        q[i].to = t->last;
    }
    int rc = pt_swap_bins_make(db, t, &w->bins, &w->nbins, err);
    fills.bins = w->bins;
    fills.n = w->nbins;
    if (rc >= 0)
        rc = pt_db_fields(db, q, QUERIES, err);
    if (devices.nomem)
        return pt_err_nomem(err);
    if (rc < 0)
        return rc;
    pt_swap_fill_end(&fills);
    w->missing |= missing_of(&fills);
    return pt_swap_devices_end(db, w, err);
}
