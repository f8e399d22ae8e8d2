/* SPDX-License-Identifier: MIT
 * smaps rows to sums. Which slot of a row is Rss is found out once a body shape: the slots of the
 * body do not depend on the head before it. */
#include "analyze/picture/mapping.h"

#include <stdlib.h>
#include <string.h>

#include "analyze/arena.h"
#include "schema/array.h"
#include "schema/source.h"
#include "schema/store.h"

#define NO_SLOT        UINT32_MAX
#define PATH_MAX_SHOWN 4096

/* What is known of a body shape (slots, counted from the body's first) or of a head shape (name).
 */
struct known {
    uint64_t hash; /* of the shape: ids are used again */
    bool is_body;  /* slot is filled */
    bool deleted;
    uint32_t slot[PT_SMAPS_FIELDS];
    struct pt_mapping_id *id;
};

struct names {
    struct pt_mapping_id **slots; /* open addressing */
    size_t n, cap;
};

struct pt_smaps {
    const struct pt_shapes *shapes;
    const struct pt_file *file;
    struct known *known; /* by shape id */
    uint32_t nknown;
    struct names names;
    struct pt_arena arena;
    uint64_t *slots;
    uint32_t nslots;
    uint64_t stamp;
};

struct pt_smaps *pt_smaps_new(const struct pt_shapes *shapes)
{
    struct pt_smaps *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->shapes = shapes;
    s->file = pt_file_of("proc:1/smaps");
    return s;
}

void pt_smaps_free(struct pt_smaps *s)
{
    if (!s)
        return;
    free(s->known);
    free(s->names.slots);
    free(s->slots);
    pt_arena_release(&s->arena);
    free(s);
}

/* The entry of a shape, cleared when the id was another shape's; NULL: no memory. */
static struct known *known_of(struct pt_smaps *s, const struct pt_shape *shape)
{
    if (shape->id >= s->nknown) {
        const uint32_t n = shape->id < 1024 ? 2048 : shape->id * 2;
        struct known *grown = realloc(s->known, n * sizeof(*grown));
        if (!grown)
            return NULL;
        memset(grown + s->nknown, 0, (n - s->nknown) * sizeof(*grown));
        s->known = grown;
        s->nknown = n;
    }
    struct known *k = &s->known[shape->id];
    if (k->hash != shape->hash)
        *k = (struct known){.hash = shape->hash};
    return k;
}

/* ---- body: slots ---- */

static int learn_body(struct pt_smaps *s, const struct pt_row *row, struct known *k,
                      struct pt_err *err)
{
    static const char *const fields[PT_SMAPS_FIELDS] = {
        [PT_SMAPS_RSS] = "Rss",
        [PT_SMAPS_PSS] = "Pss",
        [PT_SMAPS_PRIVATE_CLEAN] = "Private_Clean",
        [PT_SMAPS_PRIVATE_DIRTY] = "Private_Dirty",
        [PT_SMAPS_SWAP] = "Swap",
        [PT_SMAPS_SWAP_PSS] = "SwapPss",
        [PT_SMAPS_ANONYMOUS] = "Anonymous",
        [PT_SMAPS_PSS_ANON] = "Pss_Anon",
    };
    struct pt_fieldmap *map;
    const int rc = pt_fieldmap_new(s->file, row->head, row->body, &map, err);
    if (rc < 0)
        return rc;
    for (unsigned i = 0; i < PT_SMAPS_FIELDS; i++) {
        uint32_t at = 0;
        const struct pt_fieldmap_entry *e = pt_fieldmap_find(map, fields[i], &at);
        const bool plain = e && e->scale_slots == 1 && !e->negative && e->slot >= row->head->nslots;
        k->slot[i] = plain ? e->slot - row->head->nslots : NO_SLOT;
    }
    k->is_body = true;
    pt_fieldmap_free(map);
    return 0;
}

/* The values of a row; PT_UNKNOWN where it has none. */
static int row_values(struct pt_smaps *s, const struct pt_row *row, int64_t *ret,
                      struct pt_err *err)
{
    for (unsigned i = 0; i < PT_SMAPS_FIELDS; i++)
        ret[i] = PT_UNKNOWN;
    if (!row->body)
        return 0;
    struct known *k = known_of(s, row->body);
    if (!k)
        return pt_err_nomem(err);
    if (!k->is_body) {
        const int rc = learn_body(s, row, k, err);
        if (rc < 0)
            return rc;
    }
    if (row->nslots > s->nslots) {
        uint64_t *slots = realloc(s->slots, row->nslots * sizeof(*slots));
        if (!slots)
            return pt_err_nomem(err);
        s->slots = slots;
        s->nslots = row->nslots;
    }
    pt_row_slots(row, s->slots);
    for (unsigned i = 0; i < PT_SMAPS_FIELDS; i++) {
        if (k->slot[i] >= row->body->nslots)
            continue;
        const uint64_t kib = s->slots[row->head->nslots + k->slot[i]];
        ret[i] = kib <= INT64_MAX / 1024 ? (int64_t)kib * 1024 : PT_UNKNOWN;
    }
    return 0;
}

static int64_t add(int64_t sum, int64_t v)
{
    int64_t r;
    if (v == PT_UNKNOWN)
        return sum;
    return __builtin_add_overflow(sum == PT_UNKNOWN ? 0 : sum, v, &r) ? INT64_MAX : r;
}

static int64_t anon_pss(const int64_t *v)
{
    const int64_t pss = v[PT_SMAPS_PSS], anon = v[PT_SMAPS_ANONYMOUS];
    if (v[PT_SMAPS_PSS_ANON] != PT_UNKNOWN)
        return v[PT_SMAPS_PSS_ANON];
    return pss == PT_UNKNOWN || anon == PT_UNKNOWN ? PT_UNKNOWN : pss < anon ? pss : anon;
}

int pt_smaps_sum(struct pt_smaps *s, const struct pt_reading *r, struct pt_smaps_sum *ret,
                 struct pt_err *err)
{
    struct pt_smaps_sum sum;
    struct pt_cur c = pt_cur_of(r->bytes, r->len);
    struct pt_row row;
    for (unsigned i = 0; i < PT_SMAPS_FIELDS; i++)
        sum.v[i] = PT_UNKNOWN;
    sum.anon_pss = PT_UNKNOWN;
    while (pt_row_next(s->shapes, &c, &row)) {
        int64_t v[PT_SMAPS_FIELDS];
        const int rc = row_values(s, &row, v, err);
        if (rc < 0)
            return rc;
        for (unsigned i = 0; i < PT_SMAPS_FIELDS; i++)
            sum.v[i] = add(sum.v[i], v[i]);
        sum.anon_pss = add(sum.anon_pss, anon_pss(v));
    }
    if (c.failed)
        return pt_err_set(err, PT_EDAMAGED, 0, NULL, -1, "rows of smaps are not well formed");
    *ret = sum;
    return 0;
}

/* ---- head: names ---- */

static uint64_t name_hash(const char *name, enum pt_mapping_kind kind)
{
    return pt_hash(name, strlen(name)) * 31 + (uint64_t)kind;
}

static bool names_grow(struct names *t)
{
    const size_t cap = t->cap ? t->cap * 2 : 512;
    struct pt_mapping_id **slots = calloc(cap, sizeof(struct pt_mapping_id *));
    if (!slots)
        return false;
    for (size_t i = 0; i < t->cap; i++) {
        if (!t->slots[i])
            continue;
        size_t at = name_hash(t->slots[i]->name, t->slots[i]->kind) & (cap - 1);
        while (slots[at])
            at = (at + 1) & (cap - 1);
        slots[at] = t->slots[i];
    }
    free(t->slots);
    t->slots = slots;
    t->cap = cap;
    return true;
}

static struct pt_mapping_id *intern(struct pt_smaps *s, const char *name, enum pt_mapping_kind kind)
{
    struct names *t = &s->names;
    if (t->n * 2 >= t->cap && !names_grow(t))
        return NULL;
    size_t at = name_hash(name, kind) & (t->cap - 1);
    for (; t->slots[at]; at = (at + 1) & (t->cap - 1)) {
        if (t->slots[at]->kind == kind && strcmp(t->slots[at]->name, name) == 0)
            return t->slots[at];
    }
    struct pt_mapping_id *id = pt_arena_alloc(&s->arena, sizeof(*id));
    char *copy = pt_arena_copy(&s->arena, name, strlen(name));
    if (!id || !copy)
        return NULL;
    *id = (struct pt_mapping_id){.name = copy, .kind = kind};
    t->slots[at] = id;
    t->n++;
    return id;
}

struct tail {
    uint32_t nslots;
    const char *path;
    size_t len;
};

static int last_literal(void *ctx, uint32_t i, const struct pt_slot *slot)
{
    struct tail *t = ctx;
    if (i == t->nslots) {
        t->path = (const char *)slot->literal;
        t->len = slot->literal_len;
    }
    return 0;
}

/* The path stands after the last slot of a head: start, end, offset, major, minor, inode. */
enum { HEAD_START = 0, HEAD_END, HEAD_MAJOR = 3, HEAD_MINOR, HEAD_INODE, HEAD_SLOTS };

static struct tail path_of(const struct pt_shape *head)
{
    struct tail t = {.nslots = head->nslots};
    pt_shape_walk(head, last_literal, &t);
    if (t.len > 0 && t.path[t.len - 1] == '\n')
        t.len--;
    while (t.len > 0 && *t.path == ' ') {
        t.path++;
        t.len--;
    }
    return t;
}

static int learn_head(struct pt_smaps *s, const struct pt_shape *head, struct known *k,
                      struct pt_err *err)
{
    const struct tail t = path_of(head);
    char name[PATH_MAX_SHOWN];
    enum pt_mapping_kind kind = PT_MAPPING_FILE;
    if (head->nslots == HEAD_SLOTS)
        kind = pt_mapping_name(t.path, t.len, name, sizeof(name), &k->deleted);
    else
        memcpy(name, "[?]", sizeof("[?]"));
    k->id = intern(s, name, kind);
    return k->id ? 0 : pt_err_nomem(err);
}

static struct known *head_of(struct pt_smaps *s, const struct pt_shape *head, struct pt_err *err)
{
    struct known *k = known_of(s, head);
    if (!k)
        pt_err_nomem(err);
    else if (!k->id && learn_head(s, head, k, err) < 0)
        return NULL;
    return k;
}

int pt_smaps_each(struct pt_smaps *s, const struct pt_reading *r,
                  int (*fn)(void *ctx, const struct pt_smaps_row *row), void *ctx,
                  struct pt_err *err)
{
    struct pt_cur c = pt_cur_of(r->bytes, r->len);
    struct pt_row row;
    int rc = 0;
    while (rc == 0 && pt_row_next(s->shapes, &c, &row)) {
        int64_t v[PT_SMAPS_FIELDS];
        rc = row_values(s, &row, v, err);
        const struct known *k = rc == 0 ? head_of(s, row.head, err) : NULL;
        if (!k)
            return rc ? rc : -PT_ENOMEM;
        struct pt_smaps_row told = {.id = k->id, .deleted = k->deleted, .v = v, .head = row.head};
        if (row.body && row.head->nslots == HEAD_SLOTS) {
            told.size = s->slots[HEAD_END] - s->slots[HEAD_START];
            told.major = s->slots[HEAD_MAJOR];
            told.minor = s->slots[HEAD_MINOR];
            told.inode = s->slots[HEAD_INODE];
        }
        rc = fn(ctx, &told);
    }
    if (rc == 0 && c.failed)
        rc = pt_err_set(err, PT_EDAMAGED, 0, NULL, -1, "rows of smaps are not well formed");
    return rc;
}

const char *pt_smaps_path(const struct pt_smaps_row *row, size_t *ret_len)
{
    static const char deleted[] = " (deleted)";
    const struct tail t = path_of(row->head);
    *ret_len = t.len - (row->deleted ? sizeof(deleted) - 1 : 0);
    return t.path;
}

struct merge {
    struct pt_mapping *v;
    size_t n, cap;
};

static struct pt_mapping *merge_into(struct pt_smaps *s, struct merge *m, struct pt_mapping_id *id,
                                     struct pt_err *err)
{
    if (id->stamp == s->stamp)
        return &m->v[id->index];
    struct pt_mapping *v = pt_array_room(m->v, m->n, &m->cap, sizeof(*v));
    if (!v) {
        pt_err_nomem(err);
        return NULL;
    }
    m->v = v;
    id->stamp = s->stamp;
    id->index = m->n++;
    m->v[id->index] = (struct pt_mapping){.id = id};
    return &m->v[id->index];
}

int pt_smaps_merge(struct pt_smaps *s, const struct pt_reading *r, struct pt_mapping **ret,
                   size_t *ret_n, struct pt_err *err)
{
    struct merge m = {0};
    struct pt_cur c = pt_cur_of(r->bytes, r->len);
    struct pt_row row;
    int rc = 0;
    s->stamp++;
    while (rc == 0 && pt_row_next(s->shapes, &c, &row)) {
        int64_t v[PT_SMAPS_FIELDS];
        rc = row_values(s, &row, v, err);
        const struct known *k = rc == 0 ? head_of(s, row.head, err) : NULL;
        struct pt_mapping *mapping = k ? merge_into(s, &m, k->id, err) : NULL;
        if (!mapping) {
            rc = rc ? rc : -PT_ENOMEM;
            break;
        }
        mapping->bytes = add(add(mapping->bytes, v[PT_SMAPS_RSS]), v[PT_SMAPS_SWAP]);
        mapping->count++;
        mapping->deleted |= k->deleted;
    }
    if (rc == 0 && c.failed)
        rc = pt_err_set(err, PT_EDAMAGED, 0, NULL, -1, "rows of smaps are not well formed");
    if (rc < 0) {
        free(m.v);
        return rc;
    }
    *ret = m.v;
    *ret_n = m.n;
    return 0;
}
