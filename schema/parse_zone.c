/* SPDX-License-Identifier: MIT
 * Parsers of the page allocator's files: zoneinfo, buddyinfo, pagetypeinfo. Rows are "Node 0, zone
 * DMA" as the file spells it, padding included (pt_row_name takes that out). */
#include "schema/parse.h"

/* "Node 0, zone      DMA" off the line; with a type, ", type    Movable" as well. */
static bool take_zone(struct pt_str *line, struct pt_str *ret)
{
    struct pt_str rest = *line, word;
    const char *start = line->p;
    if (!pt_take_word(&rest, &word) || !pt_str_is(word, "Node") || !pt_take_word(&rest, &word) ||
        word.p[word.n - 1] != ',' || !pt_take_word(&rest, &word) || !pt_str_is(word, "zone") ||
        !pt_take_word(&rest, &word))
        return false;
    if (word.p[word.n - 1] == ',' && (!pt_take_word(&rest, &word) || !pt_take_word(&rest, &word)))
        return false;
    *ret = pt_trim((struct pt_str){start, (size_t)(word.p + word.n - start)});
    *line = rest;
    return true;
}

static int put_orders(const struct pt_out *o, struct pt_str cells)
{
    struct pt_str word;
    for (unsigned i = 0; pt_take_word(&cells, &word); i++) {
        int r = pt_put_nth(o, PT_STR("order"), i, "", word);
        if (r < 0)
            return r;
    }
    return 0;
}

int pt_parse_buddyinfo(const char *text, size_t len, pt_emit *emit, void *ctx)
{
    struct pt_out o = {.emit = emit, .ctx = ctx};
    struct pt_str rest = {text, len}, line;
    int r = 0;
    while (r >= 0 && pt_take_line(&rest, &line)) {
        if (take_zone(&line, &o.row))
            r = put_orders(&o, line);
    }
    return r < 0 ? r : 0;
}

/* Cells under the migrate types that the header line of the second table names. */
static int put_blocks(const struct pt_out *o, struct pt_str types, struct pt_str cells)
{
    struct pt_str type, word;
    while (pt_take_word(&types, &type) && pt_take_word(&cells, &word)) {
        int r = pt_put(o, type, word);
        if (r < 0)
            return r;
    }
    return 0;
}

/* A header line of one of its tables. *ret_types: the names of the columns that follow, none:
 * orders. */
static bool take_pagetype_header(struct pt_str line, struct pt_str *ret_types, bool *ret_known)
{
    static const char blocks[] = "Number of blocks type";
    if (pt_str_starts(line, blocks)) {
        const size_t n = sizeof(blocks) - 1;
        *ret_types = (struct pt_str){line.p + n, line.n - n};
        *ret_known = true;
    } else if (pt_str_starts(line, "Free pages count")) {
        *ret_types = (struct pt_str){line.p, 0};
        *ret_known = true;
    } else if (pt_str_starts(line, "Number of ")) {
        *ret_known = false; /* mixed blocks, of debugging kernels */
    } else {
        return false;
    }
    return true;
}

/* Every node has its own header lines. */
int pt_parse_pagetypeinfo(const char *text, size_t len, pt_emit *emit, void *ctx)
{
    struct pt_out o = {.emit = emit, .ctx = ctx};
    struct pt_str rest = {text, len}, line, types = {text, 0};
    bool known = true;
    int r = 0;
    while (r >= 0 && pt_take_line(&rest, &line)) {
        if (take_pagetype_header(line, &types, &known))
            continue;
        if (take_zone(&line, &o.row)) {
            if (known)
                r = types.n > 0 ? put_blocks(&o, types, line) : put_orders(&o, line);
        } else if (pt_str_starts(line, "Page")) {
            o.row = (struct pt_str){line.p, 0};
            r = pt_put_key_line(&o, line);
        }
    }
    return r < 0 ? r : 0;
}

/* zoneinfo is read with a little state: whose numbers follow. */
struct zone {
    struct pt_out o;
    struct pt_str zone; /* "Node 0, zone DMA" */
    bool in_cpu;        /* within the per-cpu page sets */
    unsigned cpu;       /* the how manieth */
};

/* "protection: (0, 3019, 4811)" */
static int put_protection(const struct zone *z, struct pt_str list)
{
    struct pt_str word, digits;
    for (unsigned i = 0; pt_take_word(&list, &word); i++) {
        if (*word.p == '(') {
            word.p++;
            word.n--;
        }
        if (!pt_take_digits(&word, &digits))
            return 0;
        int r = pt_put_nth(&z->o, PT_STR("protection"), i, "", digits);
        if (r < 0)
            return r;
    }
    return 0;
}

/* A line within the page sets; *ret_used false: it is not of them, they have ended. */
static int put_cpu_line(struct zone *z, struct pt_str line, bool *ret_used)
{
    static const struct {
        const char *key, *tail;
    } keys[] = {
        {"cpu:", ".cpu"},
        {"count:", ".count"},
        {"high:", ".high"},
        {"batch:", ".batch"},
        {"high_min:", ".high_min"},
        {"high_max:", ".high_max"},
        {"vm stats threshold:", ".vm_stats_threshold"},
    };
    *ret_used = true;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (!pt_str_starts(line, keys[i].key))
            continue;
        size_t n = strlen(keys[i].key);
        if (i == 0)
            z->cpu++;
        return pt_put_nth(&z->o, PT_STR("cpu"), z->cpu - 1, keys[i].tail,
                          pt_trim((struct pt_str){line.p + n, line.n - n}));
    }
    *ret_used = false;
    return 0;
}

static int put_zone_line(struct zone *z, struct pt_str line)
{
    struct pt_str word;
    line = pt_trim(line);
    if (pt_str_is(line, "per-node stats")) { /* what follows is the node's, not the zone's */
        const char *comma = memchr(z->zone.p, ',', z->zone.n);
        z->o.row.n = comma != NULL ? (size_t)(comma - z->zone.p) : z->zone.n;
        return 0;
    }
    if (pt_str_is(line, "pagesets")) {
        z->in_cpu = true;
        z->cpu = 0;
        return 0;
    }
    if (z->in_cpu && (z->cpu > 0 || pt_str_starts(line, "cpu:"))) {
        bool used;
        int r = put_cpu_line(z, line, &used);
        if (used)
            return r;
        z->in_cpu = false;
    }
    if (pt_str_starts(line, "pages free")) {
        z->o.row = z->zone;
        pt_take_word(&line, &word);
    } else if (pt_str_starts(line, "protection:")) {
        pt_take_word(&line, &word);
        return put_protection(z, line);
    }
    return pt_put_key_line(&z->o, line);
}

int pt_parse_zoneinfo(const char *text, size_t len, pt_emit *emit, void *ctx)
{
    struct zone z = {.o = {.emit = emit, .ctx = ctx}, .zone = {text, 0}};
    struct pt_str rest = {text, len}, line;
    int r = 0;
    while (r >= 0 && pt_take_line(&rest, &line)) {
        if (take_zone(&line, &z.zone)) {
            z.o.row = z.zone;
            z.in_cpu = false;
        } else if (z.zone.n > 0) {
            r = put_zone_line(&z, line);
        }
    }
    return r < 0 ? r : 0;
}
