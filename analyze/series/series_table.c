/* SPDX-License-Identifier: MIT
 * See series_table.h. */
#include "analyze/series/series_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/source.h"

static uint64_t key_hash(const char *source, const char *row, uint32_t ordinal)
{
    return (pt_hash(source, strlen(source)) * 31 + pt_hash(row, strlen(row))) * 31 + ordinal;
}

static bool same_key(const struct pt_serie *s, const char *source, const char *row,
                     uint32_t ordinal)
{
    return s->ordinal == ordinal && strcmp(s->row, row) == 0 && strcmp(s->source, source) == 0;
}

struct pt_serie **pt_series_slot(const struct pt_series *t, const char *source, const char *row,
                                 uint32_t ordinal)
{
    size_t at = key_hash(source, row, ordinal) & (t->nslots - 1);
    while (t->slots[at] && !same_key(t->slots[at], source, row, ordinal))
        at = (at + 1) & (t->nslots - 1);
    return &t->slots[at];
}

bool pt_series_room(struct pt_series *t)
{
    if ((t->used + 1) * 2 <= t->nslots)
        return true;
    struct pt_series grown = {.nslots = t->nslots ? t->nslots * 2 : 1024};
    grown.slots = calloc(grown.nslots, sizeof(struct pt_serie *));
    if (!grown.slots)
        return false;
    for (size_t i = 0; i < t->nslots; i++) {
        struct pt_serie *s = t->slots[i];
        if (s)
            *pt_series_slot(&grown, s->source, s->row, s->ordinal) = s;
    }
    free(t->slots);
    t->slots = grown.slots;
    t->nslots = grown.nslots;
    return true;
}

struct pt_serie *pt_serie_alloc(const struct pt_series_spec *spec, const char *source,
                                const char *row)
{
    const size_t tracks = spec->nmeasures * sizeof(struct pt_curve);
    const size_t values = spec->nfields * sizeof(int64_t);
    const size_t nsource = strlen(source) + 1, nrow = strlen(row) + 1;
    struct pt_serie *s = calloc(1, sizeof(*s) + tracks + values + nsource + nrow);
    if (!s)
        return NULL;
    s->nmeasures = spec->nmeasures;
    s->v = (int64_t *)(void *)(s->track + spec->nmeasures);
    char *names = (char *)(s->v + spec->nfields);
    s->source = memcpy(names, source, nsource);
    s->row = memcpy(names + nsource, row, nrow);
    return s;
}

const struct pt_serie *pt_series_newest(const struct pt_series *s, const char *source)
{
    return s->nslots ? *pt_series_slot(s, source, "", 0) : NULL;
}

const struct pt_serie *pt_serie_life(const struct pt_serie *newest, double at)
{
    while (newest && newest->from > at)
        newest = newest->before;
    return newest;
}

const struct pt_serie *pt_series_life(const struct pt_series *lives, int64_t pid, double at)
{
    char name[48];
    snprintf(name, sizeof(name), "proc:%lld/stat", (long long)pid);
    return pt_serie_life(pt_series_newest(lives, name), at);
}

const struct pt_serie *pt_series_newest_life(const struct pt_series *lives, const char *source)
{
    char name[64];
    const char *leaf;
    if (pt_source_pid(source, &leaf) < 0 || (size_t)(leaf - source) > sizeof(name) - sizeof("stat"))
        return NULL;
    memcpy(name, source, (size_t)(leaf - source));
    memcpy(name + (leaf - source), "stat", sizeof("stat"));
    return pt_series_newest(lives, name);
}

void pt_series_release(struct pt_series *s)
{
    for (size_t i = 0; i < s->n; i++) {
        for (unsigned k = 0; k < s->v[i]->nmeasures; k++)
            pt_curve_release(&s->v[i]->track[k]);
        free(s->v[i]);
    }
    free(s->v);
    free(s->slots);
    *s = (struct pt_series){0};
}
