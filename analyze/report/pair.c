/* SPDX-License-Identifier: MIT
 * A table of keys, and pairs by likeness. */
#include "analyze/report/pair.h"

#include <stdlib.h>

#include "analyze/report/match.h"

struct pt_keyed_entry {
    uint64_t key;
    size_t number, next; /* of its bucket */
};

/* ---- keys ---- */

static size_t *bucket(const struct pt_keyed *k, uint64_t key)
{
    return &k->heads[key & (k->nheads - 1)];
}

static int grow(struct pt_keyed *k)
{
    const size_t cap = k->cap ? 2 * k->cap : 64;
    struct pt_keyed_entry *v = realloc(k->v, cap * sizeof(*v));
    k->v = v ? v : k->v;
    size_t *heads = v ? malloc(cap * sizeof(*heads)) : NULL;
    if (!heads)
        return -1;
    free(k->heads);
    k->heads = heads;
    k->nheads = k->cap = cap;
    for (size_t i = 0; i < cap; i++)
        heads[i] = SIZE_MAX;
    for (size_t i = 0; i < k->n; i++) {
        size_t *head = bucket(k, v[i].key);
        v[i].next = *head;
        *head = i;
    }
    return 0;
}

/* The first entry from i on that has the key; SIZE_MAX: none. */
static size_t having(const struct pt_keyed *k, size_t i, uint64_t key)
{
    while (i != SIZE_MAX && k->v[i].key != key)
        i = k->v[i].next;
    return i;
}

static size_t first(const struct pt_keyed *k, uint64_t key)
{
    return k->n ? having(k, *bucket(k, key), key) : SIZE_MAX;
}

static bool has(const struct pt_keyed *k, uint64_t key, size_t number)
{
    for (size_t i = first(k, key); i != SIZE_MAX; i = having(k, k->v[i].next, key))
        if (k->v[i].number == number)
            return true;
    return false;
}

int pt_keyed_add(struct pt_keyed *k, const json_t *finding, size_t number)
{
    uint64_t keys[PT_MATCH_KEYS];
    const size_t n = pt_match_keys(finding, keys);
    for (size_t i = 0; i < n; i++) {
        if (has(k, keys[i], number))
            continue;
        if (k->n == k->cap && grow(k) < 0)
            return -1;
        size_t *head = bucket(k, keys[i]);
        k->v[k->n] = (struct pt_keyed_entry){keys[i], number, *head};
        *head = k->n++;
    }
    return 0;
}

void pt_keyed_release(struct pt_keyed *k)
{
    free(k->v);
    free(k->heads);
    *k = (struct pt_keyed){0};
}

/* ---- pairs ---- */

struct pair {
    size_t a, b;
    int likeness;
};
struct pairs {
    struct pair *v;
    size_t n, cap;
};

/* The likest first, then as both lists are ranked. */
static int by_likeness(const void *x, const void *y)
{
    const struct pair *p = x, *q = y;
    if (p->likeness != q->likeness)
        return q->likeness - p->likeness;
    if (p->a != q->a)
        return p->a < q->a ? -1 : 1;
    return (p->b > q->b) - (p->b < q->b);
}

static int add_pair(struct pairs *p, const struct pair *one)
{
    if (p->n == p->cap) {
        const size_t cap = p->cap ? p->cap * 2 : 256;
        struct pair *grown = realloc(p->v, cap * sizeof(*grown));
        if (!grown)
            return -1;
        p->v = grown;
        p->cap = cap;
    }
    p->v[p->n++] = *one;
    return 0;
}

/* Two that have several keys in common are paired as often: only the first time counts. */
static int add_alike(struct pairs *p, const json_t *a, size_t i, const json_t *b,
                     const struct pt_keyed *k, const bool *taken)
{
    uint64_t keys[PT_MATCH_KEYS];
    const json_t *one = json_array_get(a, i);
    const size_t n = pt_match_sought(one, keys);
    int rc = 0;
    for (size_t key = 0; key < n; key++) {
        for (size_t e = first(k, keys[key]); e != SIZE_MAX && rc == 0;
             e = having(k, k->v[e].next, keys[key])) {
            const size_t other = k->v[e].number;
            const int like = taken[other] ? 0 : pt_match_likeness(one, json_array_get(b, other));
            rc = like ? add_pair(p, &(struct pair){i, other, like}) : 0;
        }
    }
    return rc;
}

int pt_match_keyed(const json_t *a, const json_t *b, const struct pt_keyed *k, bool *taken,
                   size_t *ret_pair)
{
    struct pairs p = {.n = 0};
    const size_t na = json_array_size(a);
    int rc = 0;
    for (size_t i = 0; i < na && rc == 0; i++) {
        ret_pair[i] = SIZE_MAX;
        rc = add_alike(&p, a, i, b, k, taken);
    }
    if (p.n)
        qsort(p.v, p.n, sizeof(*p.v), by_likeness);
    for (size_t i = 0; i < p.n && rc == 0; i++) {
        if (ret_pair[p.v[i].a] != SIZE_MAX || taken[p.v[i].b])
            continue;
        ret_pair[p.v[i].a] = p.v[i].b;
        taken[p.v[i].b] = true;
    }
    free(p.v);
    return rc;
}

int pt_match_findings(const json_t *a, const json_t *b, size_t *ret_pair)
{
    const size_t nb = json_array_size(b);
    struct pt_keyed k = {.n = 0};
    bool *taken = calloc(nb + 1, sizeof(*taken));
    int rc = taken ? 0 : -1;
    for (size_t i = 0; i < nb && rc == 0; i++)
        rc = pt_keyed_add(&k, json_array_get(b, i), i);
    rc = rc == 0 ? pt_match_keyed(a, b, &k, taken, ret_pair) : rc;
    pt_keyed_release(&k);
    free(taken);
    return rc;
}
