/* SPDX-License-Identifier: MIT
 * Stakes in shared memory, an object once: a tmpfs by what statfs says of it, a System V segment by
 * sysvipc/shm, and what has neither (memfd, shared anonymous memory, segments of other namespaces)
 * by the smaps of those who map it. */
#include "analyze/balance/stakes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/picture/items.h"
#include "schema/array.h"

#define TEXT_MAX   (4u << 20)
#define MOUNTS_MAX 256 /* that are told apart from one another */

static char *keep(struct pt_stakes *s, const char *text, size_t n)
{
    char *copy = pt_arena_copy(s->arena, text, n);
    s->nomem |= !copy;
    return copy;
}

/* ---- tmpfs ---- */

struct usage {
    int64_t bsize, blocks, bfree, files, ffree;
};

static int on_statfs(void *ctx, const struct pt_item *item)
{
    struct usage *u = ctx;
    const int64_t v = pt_items_number(item);
    if (pt_items_is(item, "bsize"))
        u->bsize = v;
    else if (pt_items_is(item, "blocks"))
        u->blocks = v;
    else if (pt_items_is(item, "bfree"))
        u->bfree = v;
    else if (pt_items_is(item, "files"))
        u->files = v;
    else if (pt_items_is(item, "ffree"))
        u->ffree = v;
    return 0;
}

/* A mount that says to the block and the inode what another says is the same file system, mounted
 * twice (a bind mount). Nearly empty ones are alike by chance. */
static bool seen_before(const struct usage *seen, size_t n, const struct usage *u)
{
    for (size_t i = 0; i < n && u->files != PT_UNKNOWN; i++) {
        if (seen[i].bsize == u->bsize && seen[i].blocks == u->blocks && seen[i].bfree == u->bfree &&
            seen[i].files == u->files && seen[i].ffree == u->ffree)
            return true;
    }
    return false;
}

static void add_mounts(struct pt_stakes *s, const struct pt_view *view, struct pt_buf *text)
{
    enum { TELLING = 16 }; /* blocks in use */
    static const char prefix[] = "statfs:";
    const size_t len = sizeof(prefix) - 1;
    struct usage seen[MOUNTS_MAX];
    size_t nseen = 0;
    for (uint32_t i = pt_view_lower(view, prefix);
         i < view->count && strncmp(view->sources[i].name, prefix, len) == 0; i++) {
        struct usage u = {PT_UNKNOWN, PT_UNKNOWN, PT_UNKNOWN, PT_UNKNOWN, PT_UNKNOWN};
        int64_t used;
        if (pt_items_each(pt_db_shapes(view->db), NULL, &view->sources[i], text, on_statfs, &u,
                          NULL) < 0)
            continue; /* damage was told when the view was made */
        if (u.blocks < 0 || u.bfree < 0 || u.bsize <= 0 ||
            __builtin_sub_overflow(u.blocks, u.bfree, &used) ||
            (used >= TELLING && seen_before(seen, nseen, &u)))
            continue;
        if (nseen < MOUNTS_MAX)
            seen[nseen++] = u;
        const char *name = view->sources[i].name + len;
        pt_stakes_add(s, &(struct pt_stake){.kind = PT_HOLDER_TMPFS,
                                            .key = keep(s, name, strlen(name)),
                                            .bytes = pt_items_times(used, u.bsize)});
    }
}

/* ---- System V segments ---- */

struct segments {
    struct pt_stakes *s;
    int64_t shmid; /* of the row at hand */
    int64_t *ids;  /* of all of them */
    size_t n, cap;
};

static int on_shm(void *ctx, const struct pt_item *item)
{
    struct segments *g = ctx;
    char name[40];
    const int64_t v = pt_items_number(item);
    if (pt_items_is(item, "shmid")) {
        g->shmid = v;
        int64_t *ids = pt_array_room(g->ids, g->n, &g->cap, sizeof(*ids));
        g->s->nomem |= !ids;
        if (!ids)
            return -1;
        g->ids = ids;
        g->ids[g->n++] = v;
    } else if (pt_items_is(item, "rss") && v != PT_UNKNOWN && v > 0) {
        const int n = snprintf(name, sizeof(name), "shmid %" PRId64, g->shmid);
        pt_stakes_add(g->s, &(struct pt_stake){.kind = PT_HOLDER_SHM,
                                               .key = keep(g->s, name, (size_t)n),
                                               .bytes = v});
    }
    return 0;
}

static int by_id(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void add_segments(struct segments *g, const struct pt_view *view, struct pt_buf *text)
{
    static const char *const names[] = {"proc:sysvipc/shm", "proc:self/sysvipc/shm"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        pt_items_each(pt_db_shapes(view->db), NULL, pt_view_find(view, names[i]), text, on_shm, g,
                      NULL);
    if (g->n > 1)
        qsort(g->ids, g->n, sizeof(*g->ids), by_id);
}

/* ---- objects known by their mappings alone ---- */

struct object {
    uint64_t major, minor, inode;
    const char *name;
    int64_t pss, rss;
};
struct objects {
    struct object *v;
    size_t n, cap;
    const struct segments *segments;
    bool nomem;
};

/* Files of the kernel's own tmpfs, which is mounted nowhere. */
static bool is_pathless(const struct objects *o, const struct pt_smaps_row *row)
{
    static const char *const mounted[] = {"/dev/shm/", "/run/"};
    const int64_t id = row->inode <= INT64_MAX ? (int64_t)row->inode : -1;
    if (row->id->kind != PT_MAPPING_SHMEM || row->inode == 0)
        return false;
    for (size_t i = 0; i < sizeof(mounted) / sizeof(*mounted); i++)
        if (strncmp(row->id->name, mounted[i], strlen(mounted[i])) == 0)
            return false;
    /* a segment's inode is its id; those of other namespaces are in no table */
    return strncmp(row->id->name, "/SYSV", 5) != 0 || !o->segments->n ||
           !bsearch(&id, o->segments->ids, o->segments->n, sizeof(id), by_id);
}

static int on_row(void *ctx, const struct pt_smaps_row *row)
{
    struct objects *o = ctx;
    const int64_t rss = row->v[PT_SMAPS_RSS], pss = row->v[PT_SMAPS_PSS];
    if (!is_pathless(o, row) || rss == PT_UNKNOWN || rss <= 0)
        return 0;
    struct object *v = pt_array_room(o->v, o->n, &o->cap, sizeof(*v));
    o->nomem |= !v;
    if (!v)
        return -PT_ENOMEM;
    o->v = v;
    o->v[o->n++] = (struct object){.major = row->major,
                                   .minor = row->minor,
                                   .inode = row->inode,
                                   .name = row->id->name,
                                   .pss = pss == PT_UNKNOWN ? 0 : pss,
                                   .rss = rss};
    return 0;
}

static int by_inode(const void *a, const void *b)
{
    const struct object *x = a, *y = b;
    if (x->major != y->major)
        return x->major < y->major ? -1 : 1;
    if (x->minor != y->minor)
        return x->minor < y->minor ? -1 : 1;
    return x->inode < y->inode ? -1 : x->inode > y->inode;
}

/* Shares of all who map it add up to what is mapped; where not all were read, it is at least the
 * largest mapping. */
static void add_object(struct pt_stakes *s, const struct object *v, size_t n)
{
    int64_t pss = 0, most = 0;
    char *key;
    for (size_t i = 0; i < n; i++) {
        if (__builtin_add_overflow(pss, v[i].pss, &pss))
            return;
        most = v[i].rss > most ? v[i].rss : most;
    }
    const int len = asprintf(&key, "%s inode %" PRIu64, v->name, v->inode);
    s->nomem |= len < 0;
    if (len < 0)
        return;
    pt_stakes_add(s, &(struct pt_stake){.kind = PT_HOLDER_OBJECT,
                                        .key = keep(s, key, (size_t)len),
                                        .bytes = pss > most ? pss : most});
    free(key);
}

static int add_objects(struct pt_stakes *s, const struct pt_picture *p,
                       const struct segments *segments, struct pt_err *err)
{
    struct objects o = {.segments = segments};
    int rc = 0;
    for (size_t i = 0; i < p->processes.n && rc >= 0; i++)
        if (p->processes.v[i].smaps)
            rc = pt_smaps_each(p->smaps, p->processes.v[i].smaps, on_row, &o, err);
    if (o.n > 1)
        qsort(o.v, o.n, sizeof(*o.v), by_inode);
    for (size_t i = 0, end; i < o.n; i = end) {
        for (end = i + 1; end < o.n && by_inode(&o.v[i], &o.v[end]) == 0;)
            end++;
        add_object(s, &o.v[i], end - i);
    }
    s->nomem |= o.nomem;
    free(o.v);
    return rc;
}

int pt_stakes_shmem(struct pt_stakes *s, const struct pt_picture *p, struct pt_err *err)
{
    struct segments segments = {.s = s};
    struct pt_buf text;
    pt_buf_init(&text, TEXT_MAX);
    add_mounts(s, p->view, &text);
    add_segments(&segments, p->view, &text);
    pt_buf_release(&text);
    const int rc = add_objects(s, p, &segments, err);
    free(segments.ids);
    return rc;
}
