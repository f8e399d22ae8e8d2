/* SPDX-License-Identifier: MIT
 * What memory a process may still take: the machine's, or less where a control group above it has
 * a limit. Units: bytes. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/picture/items.h"
#include "analyze/leaks/leaks_int.h"

#define TEXT_MAX (1u << 20)
/* cgroup v1 writes "no limit" as the largest number of whole pages. */
#define UNLIMITED 0x1p60

/* Files of a group that are one number, and what they mean. */
enum measure { LIMIT, USAGE, SWAP_LIMIT, SWAP_USAGE, BOTH_LIMIT, BOTH_USAGE, MEASURES };
static const struct leaf {
    const char *glob, *name, *root;
    enum measure measure;
} leaves[] = {
    {"cgroup:**memory.max", "memory.max", "unified/", LIMIT},
    {"cgroup:**memory.current", "memory.current", "unified/", USAGE},
    {"cgroup:**memory.swap.max", "memory.swap.max", "unified/", SWAP_LIMIT},
    {"cgroup:**memory.swap.current", "memory.swap.current", "unified/", SWAP_USAGE},
    {"cgroup:**memory.limit_in_bytes", "memory.limit_in_bytes", "memory/", LIMIT},
    {"cgroup:**memory.usage_in_bytes", "memory.usage_in_bytes", "memory/", USAGE},
    {"cgroup:**memory.memsw.limit_in_bytes", "memory.memsw.limit_in_bytes", "memory/", BOTH_LIMIT},
    {"cgroup:**memory.memsw.usage_in_bytes", "memory.memsw.usage_in_bytes", "memory/", BOTH_USAGE},
    {"cgroup:**memory.stat", "memory.stat", "", MEASURES},
};
#define LEAVES (sizeof(leaves) / sizeof(*leaves))

struct pt_limit {
    char *path; /* as PID/cgroup has it: "/", "/a/b" */
    double v[MEASURES], file;
};

struct load {
    struct pt_db *db;
    struct pt_leaks *l;
    size_t cap;
    struct pt_buf text;
    struct pt_limit *at;
    bool total; /* v1: of the groups below it, too */
    bool nomem;
};
struct query {
    struct load *load;
    const struct leaf *leaf;
};

/* The group of a source, made where it is not known yet; NULL: no memory. */
static struct pt_limit *group_of(struct load *load, const char *source, const struct leaf *leaf)
{
    struct pt_leaks *l = load->l;
    char path[4096] = "/";
    const char *dir = source + strlen("cgroup:");
    if (strncmp(dir, "memory/", 7) == 0 && (leaf->measure == MEASURES || *leaf->root == 'm'))
        dir += 7;
    else if (strncmp(dir, "unified/", 8) == 0)
        dir += 8;
    const size_t name = strlen(leaf->name), all = strlen(dir);
    const size_t len = all > name ? all - name - 1 : 0; /* without the '/' at its end */
    if (len + 2 > sizeof(path))
        return NULL;
    memcpy(path + 1, dir, len);
    path[len + 1] = '\0';
    for (size_t i = 0; i < l->nlimits; i++)
        if (strcmp(l->limits[i].path, path) == 0)
            return &l->limits[i];
    if (l->nlimits == load->cap) {
        const size_t cap = load->cap ? load->cap * 2 : 16;
        struct pt_limit *v = realloc(l->limits, cap * sizeof(*v));
        if (!v)
            return NULL;
        l->limits = v;
        load->cap = cap;
    }
    struct pt_limit *g = &l->limits[l->nlimits];
    *g = (struct pt_limit){.path = pt_arena_copy(&l->arena, path, len + 1)};
    for (unsigned i = 0; i < MEASURES; i++)
        g->v[i] = NAN;
    l->nlimits += g->path != NULL;
    return g->path ? g : NULL;
}

static int on_number(void *ctx, const struct pt_source_at *at, int64_t n)
{
    const struct query *q = ctx;
    struct load *load = q->load;
    int64_t v, scale;
    (void)n;
    const char *text = pt_items_text(pt_db_shapes(load->db), at, &load->text);
    const size_t len = text ? strcspn(text, "\n") : 0;
    if (len == 0 || !pt_number(text, len, &v, &scale) || scale != 1)
        return 0; /* "max" */
    struct pt_limit *g = group_of(load, at->name, q->leaf);
    load->nomem |= !g;
    if (g && (double)v < UNLIMITED)
        g->v[q->leaf->measure] = (double)v;
    return g ? 0 : -1;
}

static int on_stat_item(void *ctx, const struct pt_item *item)
{
    struct load *load = ctx;
    const bool total =
        pt_items_is(item, "total_inactive_file") || pt_items_is(item, "total_active_file");
    if (!total && !pt_items_is(item, "inactive_file") && !pt_items_is(item, "active_file"))
        return 0;
    const int64_t v = pt_items_number(item);
    if (total && !load->total)
        load->at->file = 0;
    load->total |= total;
    if (v != PT_UNKNOWN && total == load->total)
        load->at->file += (double)v;
    return 0;
}

/* Pages of files give way before the limit kills. */
static int on_stat(void *ctx, const struct pt_source_at *at, int64_t n)
{
    const struct query *q = ctx;
    struct load *load = q->load;
    (void)n;
    load->at = group_of(load, at->name, q->leaf);
    load->nomem |= !load->at;
    if (!load->at)
        return -1;
    load->at->file = 0;
    load->total = false;
    pt_items_each(pt_db_shapes(load->db), NULL, at, &load->text, on_stat_item, load, NULL);
    return 0;
}

int pt_leaks_load_limits(struct pt_db *db, struct pt_leaks *l, struct pt_err *err)
{
    struct load load = {.db = db, .l = l};
    struct query query[LEAVES];
    struct pt_last_query q[LEAVES];
    pt_buf_init(&load.text, TEXT_MAX);
    for (size_t i = 0; i < LEAVES; i++) {
        query[i] = (struct query){&load, &leaves[i]};
        q[i] = (struct pt_last_query){.glob = leaves[i].glob,
                                      .from = l->timeline.last,
                                      .to = l->timeline.last,
                                      .fn = leaves[i].measure == MEASURES ? on_stat : on_number,
                                      .ctx = &query[i]};
    }
    const int rc = pt_db_last(db, q, LEAVES, err);
    pt_buf_release(&load.text);
    if (load.nomem)
        return pt_err_nomem(err);
    size_t n = 0;
    for (size_t i = 0; i < l->nlimits; i++)
        if (!isnan(l->limits[i].v[LIMIT]) || !isnan(l->limits[i].v[BOTH_LIMIT]))
            l->limits[n++] = l->limits[i];
    l->nlimits = n;
    return rc;
}

/* NAN: not known. */
static double room_of(const struct pt_limit *g, double swap_free)
{
    const double swap = fmin(swap_free, g->v[SWAP_LIMIT] - g->v[SWAP_USAGE]);
    const double memory = g->v[LIMIT] - g->v[USAGE] + g->file + (isnan(swap) ? 0 : swap);
    const double both = g->v[BOTH_LIMIT] - g->v[BOTH_USAGE] + g->file;
    const double room = fmin(memory, both);
    return room < 0 ? 0 : room;
}

static bool above(const char *group, const char *path)
{
    const size_t len = strlen(group);
    return strcmp(group, "/") == 0 ||
           (strncmp(group, path, len) == 0 && (path[len] == '/' || path[len] == '\0'));
}

double pt_leaks_headroom(const struct pt_leaks *l, const char *cgroup, const char **ret_limit)
{
    const struct pt_curve *swap = pt_leaks_counter(l, PT_COUNTER_SWAP_FREE);
    double least = l->headroom;
    *ret_limit = isnan(least) ? NULL : "machine";
    for (size_t i = 0; cgroup && i < l->nlimits; i++) {
        if (!above(l->limits[i].path, cgroup))
            continue;
        const double room = room_of(&l->limits[i], swap ? swap->last_value : NAN);
        if (room < least || (isnan(least) && !isnan(room))) {
            least = room;
            *ret_limit = l->limits[i].path;
        }
    }
    return least;
}
