/* SPDX-License-Identifier: MIT
 * Two texts of smaps, matched as the format matches rows: by equal start, else equal end, else
 * overlap, so that a leak through mappings that merge is one mapping that grows. */
#include "analyze/leaks/parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/picture/items.h"
#include "analyze/picture/mapping.h"

struct map {
    uint64_t start, end;
    int64_t rss, swap, anonymous, huge, lazy, inode;
    enum pt_class of;
    bool private_memory; /* counts for anon + swap */
    bool barred;         /* no access: what an arena has not taken yet */
    uint32_t name;       /* offset in maps.names */
    bool matched;
};
struct maps {
    struct map *v;
    size_t n, cap;
    struct pt_buf names;
    bool nomem;
};

const char *pt_class_name(enum pt_class c)
{
    static const char *const names[] = {
        [PT_CLASS_HEAP] = "heap",
        [PT_CLASS_ARENA] = "arena",
        [PT_CLASS_ANON] = "anon",
        [PT_CLASS_STACK] = "stack",
        [PT_CLASS_PRIVATE_FILE] = "private-file",
        [PT_CLASS_SHMEM] = "shmem",
        [PT_CLASS_HUGETLB] = "hugetlb",
    };
    return names[c];
}

/* ---- one text ---- */

static uint64_t hex_of(const struct pt_item *item)
{
    uint64_t v = 0;
    for (size_t i = 0; i < item->value_len; i++) {
        const char c = item->value[i];
        const unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                               : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
                                                      : 16;
        if (digit > 15)
            break;
        v = v << 4 | digit;
    }
    return v;
}

static struct map *add(struct maps *m)
{
    if (m->n == m->cap) {
        const size_t cap = m->cap ? m->cap * 2 : 256;
        struct map *v = realloc(m->v, cap * sizeof(*v));
        if (!v) {
            m->nomem = true;
            return NULL;
        }
        m->v = v;
        m->cap = cap;
    }
    m->v[m->n] = (struct map){0};
    return &m->v[m->n++];
}

static enum pt_class class_of(const char *row, size_t len, char *name, size_t size)
{
    static const enum pt_class classes[] = {
        [PT_MAPPING_ANON] = PT_CLASS_ANON,           [PT_MAPPING_HEAP] = PT_CLASS_HEAP,
        [PT_MAPPING_STACK] = PT_CLASS_STACK,         [PT_MAPPING_FILE] = PT_CLASS_PRIVATE_FILE,
        [PT_MAPPING_SHMEM] = PT_CLASS_SHMEM,         [PT_MAPPING_HUGETLB] = PT_CLASS_HUGETLB,
        [PT_MAPPING_DEVICE] = PT_CLASS_PRIVATE_FILE, [PT_MAPPING_KERNEL] = PT_CLASS_PRIVATE_FILE,
    };
    bool deleted;
    const bool anon = len == strlen("[anon]") && memcmp(row, "[anon]", 6) == 0;
    return classes[pt_mapping_name(anon ? "" : row, anon ? 0 : len, name, size, &deleted)];
}

enum pt_class pt_class_of(const char *row, size_t len)
{
    char name[128];
    return class_of(row, len, name, sizeof(name));
}

/* Its class by its name; what is written of a private file's mapping is told by Anonymous. */
static void classify(struct maps *m, struct map *map, const struct pt_item *item)
{
    char name[128];
    map->of = class_of(item->row, item->row_len, name, sizeof(name));
    map->private_memory = map->of != PT_CLASS_SHMEM && map->of != PT_CLASS_HUGETLB;
    map->name = (uint32_t)m->names.len;
    pt_buf_put(&m->names, name, strlen(name) + 1);
}

static int on_item(void *ctx, const struct pt_item *item)
{
    static const struct {
        const char *field;
        size_t at;
    } numbers[] = {
        {"Rss", offsetof(struct map, rss)},
        {"Swap", offsetof(struct map, swap)},
        {"Anonymous", offsetof(struct map, anonymous)},
        {"AnonHugePages", offsetof(struct map, huge)},
        {"LazyFree", offsetof(struct map, lazy)},
    };
    struct maps *m = ctx;
    if (pt_items_is(item, "start")) {
        struct map *map = add(m);
        if (!map)
            return -1;
        map->start = hex_of(item);
        return 0;
    }
    struct map *map = m->n ? &m->v[m->n - 1] : NULL;
    if (!map)
        return 0;
    if (pt_items_is(item, "end")) {
        map->end = hex_of(item);
        classify(m, map, item);
        return m->names.failed ? -1 : 0;
    }
    if (pt_items_is(item, "inode"))
        map->inode = pt_items_number(item);
    if (pt_items_is(item, "perms"))
        map->barred = item->value_len >= 3 && memcmp(item->value, "---", 3) == 0;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
        if (!pt_items_is(item, numbers[i].field))
            continue;
        const int64_t v = pt_items_times(pt_items_number(item), 1024);
        if (v != PT_UNKNOWN)
            memcpy((char *)map + numbers[i].at, &v, sizeof(v));
    }
    return 0;
}

/* An arena is one aligned region: what it uses, then what it may not touch yet. The kernel places
 * it near the stack; runtimes that ask for addresses of their own (Go: 0xc000000000) align alike.
 */
static void find_arenas(struct maps *m)
{
    uint64_t stack = 0;
    for (size_t i = 0; i < m->n; i++)
        if (m->v[i].of == PT_CLASS_STACK && m->v[i].start > stack)
            stack = m->v[i].start;
    for (size_t i = 0; i < m->n; i++) {
        struct map *map = &m->v[i], *next = i + 1 < m->n ? &m->v[i + 1] : NULL;
        const bool rest = next && next->barred && next->start == map->end;
        if (map->of == PT_CLASS_ANON && map->start % PT_ARENA == 0 && map->start >= stack / 2 &&
            (rest ? next->end : map->end) == map->start + PT_ARENA)
            map->of = PT_CLASS_ARENA;
    }
}

static int maps_of(const char *text, size_t len, struct maps *ret)
{
    const struct pt_file *file = pt_file_of("proc:1/smaps");
    *ret = (struct maps){0};
    pt_buf_init(&ret->names, 64u << 20);
    file->parse(text, len, on_item, ret);
    find_arenas(ret);
    return ret->nomem || ret->names.failed ? -1 : 0;
}

static void maps_release(struct maps *m)
{
    free(m->v);
    pt_buf_release(&m->names);
}

/* ---- two texts ---- */

static double held(const struct map *m)
{
    /* of a file, only what was written is the process's own */
    return (double)(m->of == PT_CLASS_PRIVATE_FILE ? m->anonymous : m->rss) + (double)m->swap;
}

/* Index of the first mapping that does not end at or before an address. */
static size_t first_over(const struct maps *m, uint64_t address)
{
    size_t lo = 0, hi = m->n;
    while (lo < hi) {
        const size_t mid = lo + (hi - lo) / 2;
        if (m->v[mid].end <= address)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static struct map *match(struct maps *before, const struct map *now)
{
    struct map *overlap = NULL, *same_end = NULL;
    for (size_t i = first_over(before, now->start); i < before->n && before->v[i].start < now->end;
         i++) {
        struct map *was = &before->v[i];
        if (was->matched || was->of != now->of)
            continue;
        if (was->start == now->start)
            return was;
        same_end = was->end == now->end ? was : same_end;
        overlap = overlap ? overlap : was;
    }
    return same_end ? same_end : overlap;
}

struct sums {
    struct pt_grown *v;
    size_t n, cap;
};

static int add_grown(struct sums *s, const struct maps *m, const struct map *map, double growth)
{
    const char *name = (const char *)m->names.data + map->name;
    const enum pt_class of = map->of;
    size_t i = 0;
    while (i < s->n && (s->v[i].of != of || strcmp(s->v[i].name, name) != 0))
        i++;
    if (i == s->n && s->n == s->cap) {
        const size_t cap = s->cap ? s->cap * 2 : 32;
        struct pt_grown *v = realloc(s->v, cap * sizeof(*v));
        if (!v)
            return -1;
        s->v = v;
        s->cap = cap;
    }
    if (i == s->n) {
        s->v[s->n] = (struct pt_grown){.of = of, .inode = of == PT_CLASS_SHMEM ? map->inode : 0};
        snprintf(s->v[s->n].name, sizeof(s->v[0].name), "%s", name);
        s->n++;
    }
    if (s->v[i].inode != map->inode)
        s->v[i].inode = 0;
    s->v[i].growth += growth;
    s->v[i].mappings++;
    return 0;
}

static int by_growth(const void *a, const void *b)
{
    const struct pt_grown *x = a, *y = b;
    return (x->growth < y->growth) - (x->growth > y->growth);
}

static void summarise(struct sums *s, struct pt_parts_found *ret)
{
    if (s->n)
        qsort(s->v, s->n, sizeof(*s->v), by_growth);
    for (size_t i = 0; i < s->n && ret->ntop < PT_TOP_MAPPINGS && s->v[i].growth > 0; i++)
        ret->top[ret->ntop++] = s->v[i];
    ret->largest = PT_CLASS_ANON;
    for (int c = 0; c < PT_CLASS_COUNT; c++) {
        if (c == PT_CLASS_SHMEM || c == PT_CLASS_HUGETLB)
            continue;
        if (ret->growth[c] > ret->growth[ret->largest])
            ret->largest = (enum pt_class)c;
    }
    ret->parts.largest = ret->growth[ret->largest];
    ret->parts.arena = ret->growth[PT_CLASS_ARENA];
    ret->parts.lazy = ret->lazy_free > 0 ? ret->lazy_free : 0;
    ret->parts.growth -= ret->parts.lazy;
    ret->parts.known = true;
}

static int compare(struct maps *before, struct maps *after, struct sums *s,
                   struct pt_parts_found *ret)
{
    struct pt_parts *p = &ret->parts;
    for (size_t i = 0; i < after->n; i++) {
        const struct map *now = &after->v[i];
        struct map *was = match(before, now);
        const double growth = held(now) - (was ? held(was) : 0);
        const double size =
            (double)(now->end - now->start) - (was ? (double)(was->end - was->start) : 0);
        if (was)
            was->matched = true;
        ret->growth[now->of] += growth;
        if (growth != 0 && add_grown(s, after, now, growth) < 0)
            return -1;
        if (!now->private_memory)
            continue;
        p->growth += growth;
        p->mapped += size;
        p->huge += (double)(now->huge - (was ? was->huge : 0));
        ret->lazy_free += (double)(now->lazy - (was ? was->lazy : 0));
        if (was && growth > 0 && !(size > 0)) {
            p->constant += growth;
            p->room += (double)(now->end - now->start) - held(now);
        }
    }
    for (size_t i = 0; i < before->n; i++) {
        const struct map *was = &before->v[i];
        if (was->matched)
            continue;
        ret->growth[was->of] -= held(was);
        if (was->private_memory) {
            p->growth -= held(was);
            p->mapped -= (double)(was->end - was->start);
            p->huge -= (double)was->huge;
            ret->lazy_free -= (double)was->lazy;
        }
        if (held(was) > 0 && add_grown(s, before, was, -held(was)) < 0)
            return -1;
    }
    return 0;
}

int pt_parts_of(const char *before, size_t before_len, const char *after, size_t after_len,
                struct pt_parts_found *ret)
{
    struct maps a, b;
    struct sums s = {0};
    *ret = (struct pt_parts_found){.parts = {.data = NAN}};
    int rc = maps_of(before, before_len, &a);
    if (maps_of(after, after_len, &b) < 0)
        rc = -1;
    if (rc >= 0)
        rc = compare(&a, &b, &s, ret);
    if (rc >= 0)
        summarise(&s, ret);
    free(s.v);
    maps_release(&a);
    maps_release(&b);
    return rc;
}
