/* SPDX-License-Identifier: MIT
 * stat, exe and cgroup to names. */
#include "analyze/series/names.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/picture/items.h"
#include "analyze/series/service.h"
#include "schema/source.h"

#define TEXT_MAX (1u << 20)

static const char *keep(struct pt_names *n, const char *was, const char *bytes, size_t len)
{
    if (was && strlen(was) == len && memcmp(was, bytes, len) == 0)
        return was;
    const char *copy = pt_arena_copy(n->arena, bytes, len);
    n->nomem |= !copy;
    return copy ? copy : was;
}

static void name_comm(struct pt_names *n, struct pt_called *to, const char *text, size_t len)
{
    const char *open = memchr(text, '(', len), *close = memrchr(text, ')', len);
    if (open && close && close > open)
        to->comm = keep(n, to->comm, open + 1, (size_t)(close - open - 1));
}

/* A program that was replaced while it runs is the same service as before. */
static void name_exe(struct pt_names *n, struct pt_called *to, const char *text, size_t len)
{
    static const char deleted[] = " (deleted)";
    const size_t tail = sizeof(deleted) - 1;
    if (len > tail && memcmp(text + len - tail, deleted, tail) == 0)
        len -= tail;
    if (len)
        to->exe = keep(n, to->exe, text, len);
}

/* The path of one hierarchy in a PID/cgroup; false: it is not in it. */
static bool hierarchy(const char *text, size_t len, const char *wanted, char *ret, size_t size)
{
    for (const char *at = text, *end; at < text + len; at = end + 1) {
        end = memchr(at, '\n', (size_t)(text + len - at));
        end = end ? end : text + len;
        const char *list = memchr(at, ':', (size_t)(end - at));
        const char *dir = list ? memchr(list + 1, ':', (size_t)(end - list - 1)) : NULL;
        if (!dir || (size_t)(end - dir) > size || (size_t)(dir - list - 1) != strlen(wanted) ||
            memcmp(list + 1, wanted, strlen(wanted)) != 0)
            continue;
        memcpy(ret, dir + 1, (size_t)(end - dir - 1));
        ret[end - dir - 1] = '\0';
        return true;
    }
    return false;
}

/* systemd's own hierarchy names its units, others at most what runs in a container. */
static void name_cgroup(struct pt_names *n, struct pt_called *to, const char *text, size_t len)
{
    static const char *const lists[] = {"name=systemd", "", "memory"};
    struct pt_service best = {0}, s;
    char path[4096], cgroup[4096] = "";
    for (size_t k = 0; k < sizeof(lists) / sizeof(*lists) && !*best.container; k++) {
        if (!hierarchy(text, len, lists[k], path, sizeof(path)))
            continue;
        if (!*cgroup || strcmp(cgroup, "/") == 0)
            memcpy(cgroup, path, strlen(path) + 1);
        if (pt_service_of_cgroup(path, &s) && (!*best.name || *s.container))
            best = s;
    }
    if (hierarchy(text, len, "memory", path, sizeof(path)) ||
        hierarchy(text, len, "", path, sizeof(path)))
        to->memory_cgroup = keep(n, to->memory_cgroup, path, strlen(path));
    to->cgroup = *cgroup ? keep(n, to->cgroup, cgroup, strlen(cgroup)) : NULL;
    to->service = *best.name ? keep(n, to->service, best.name, strlen(best.name)) : NULL;
}

/* Numbers by which it is seen that a text names anew. Of stat the pid and six more, which are those
 * in the name and then what seldom changes; the eighth number is its page faults. */
static const struct leaf {
    const char *glob;
    unsigned slots;
    void (*name)(struct pt_names *n, struct pt_called *to, const char *text, size_t len);
} leaves[PT_NAMES] = {
    {"proc:*/stat", 7, name_comm},
    {"proc:*/exe", PT_SERIES_SLOTS, name_exe},
    {"proc:*/cgroup", PT_SERIES_SLOTS, name_cgroup},
};

static bool room_for(struct pt_names *n, size_t index)
{
    size_t cap = n->n ? n->n : 256;
    while (cap <= index)
        cap *= 2;
    if (cap == n->n)
        return true;
    struct pt_called *v = realloc(n->v, cap * sizeof(*v));
    n->v = v ? v : n->v;
    uint64_t(*marks)[PT_NAMES] = v ? realloc(n->marks, cap * sizeof(*marks)) : NULL;
    n->marks = marks ? marks : n->marks;
    n->nomem |= !marks;
    if (!marks)
        return false;
    memset(v + n->n, 0, (cap - n->n) * sizeof(*v));
    memset(marks + n->n, 0, (cap - n->n) * sizeof(*marks));
    n->n = cap;
    return true;
}

/* The life that a source is of at a snapshot; SIZE_MAX: it is not known of, or no memory. */
static size_t life_of(struct pt_names *n, const char *source, int64_t at)
{
    struct pt_snap snap;
    const char *leaf;
    const int64_t pid = pt_source_pid(source, &leaf);
    if (pid < 0 || pt_db_snap(n->db, at, &snap, NULL) < 0)
        return SIZE_MAX;
    const size_t index =
        n->find(n->ctx, pid, snap.boot, pt_timeline_at(n->timeline, snap.boot, snap.boot_us));
    return index != SIZE_MAX && room_for(n, index) ? index : SIZE_MAX;
}

/* Names seldom change: what was read for this life already need not be read again. */
static bool wanted(void *ctx, const char *source, int64_t n, uint64_t mark)
{
    const struct pt_naming *g = ctx;
    const size_t life = life_of(g->names, source, n);
    if (life == SIZE_MAX)
        return false;
    uint64_t *was = &g->names->marks[life][g->which];
    const bool same = *was == mark && mark != 0;
    *was = mark;
    return !same;
}

static int on_last(void *ctx, const struct pt_source_at *at, int64_t n)
{
    const struct pt_naming *g = ctx;
    struct pt_names *names = g->names;
    const size_t life = life_of(names, at->name, n);
    const char *text =
        life == SIZE_MAX ? NULL : pt_items_text(pt_db_shapes(names->db), at, &names->text);
    if (text)
        leaves[g->which].name(names, &names->v[life], text, names->text.len);
    return names->nomem ? -1 : 0;
}

void pt_names_begin(struct pt_names *n, struct pt_db *db, const struct pt_timeline *t,
                    struct pt_arena *arena, struct pt_last_query ret[PT_NAMES])
{
    n->db = db;
    n->timeline = t;
    n->arena = arena;
    pt_buf_init(&n->text, TEXT_MAX);
    for (unsigned i = 0; i < PT_NAMES; i++) {
        n->naming[i] = (struct pt_naming){n, i};
        ret[i] = (struct pt_last_query){.glob = leaves[i].glob,
                                        .from = t->first,
                                        .to = t->last,
                                        .wanted = wanted,
                                        .slots = leaves[i].slots,
                                        .fn = on_last,
                                        .ctx = &n->naming[i]};
    }
}

struct pt_called pt_names_of(const struct pt_names *n, size_t index)
{
    return index < n->n ? n->v[index] : (struct pt_called){0};
}

void pt_names_release(struct pt_names *n)
{
    pt_buf_release(&n->text);
    free(n->v);
    free(n->marks);
    *n = (struct pt_names){0};
}
