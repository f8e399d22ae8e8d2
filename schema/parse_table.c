/* SPDX-License-Identifier: MIT
 * Parsers of tables whose columns a header line names: slabinfo, swaps, sysvipc, and of the lines
 * of vmallocinfo and allocinfo. A row alone, without the header, is understood by the names of
 * today's kernels. */
#include "schema/parse.h"

#define COLUMNS      48
#define COUNT(names) (sizeof(names) / sizeof((names)[0]))

struct columns {
    struct pt_str names[COLUMNS];
    size_t count;
};

static void columns_add(struct columns *c, const char *name, size_t len)
{
    if (c->count < COLUMNS)
        c->names[c->count++] = (struct pt_str){name, len};
}

static void columns_default(struct columns *c, const char *const *names, size_t count)
{
    c->count = 0;
    for (size_t i = 0; i < count; i++)
        columns_add(c, names[i], strlen(names[i]));
}

/* In slabinfo ": tunables" and ": slabdata" stand between columns. */
static bool take_cell(struct pt_str *rest, struct pt_str *ret)
{
    while (pt_take_word(rest, ret)) {
        if (!pt_str_is(*ret, ":"))
            return true;
        pt_take_word(rest, ret);
    }
    return false;
}

static void columns_header(struct columns *c, struct pt_str line)
{
    struct pt_str word;
    c->count = 0;
    while (take_cell(&line, &word)) {
        if (word.n > 2 && word.p[0] == '<' && word.p[word.n - 1] == '>')
            columns_add(c, word.p + 1, word.n - 2);
        else
            columns_add(c, word.p, word.n);
    }
}

/* Cells from column `first` on. */
static int put_cells(const struct pt_out *o, const struct columns *c, size_t first,
                     struct pt_str cells)
{
    struct pt_str word;
    for (size_t i = first; take_cell(&cells, &word); i++) {
        int r = i < c->count ? pt_put(o, c->names[i], word)
                             : pt_put_nth(o, PT_STR("column"), (unsigned)i, "", word);
        if (r < 0)
            return r;
    }
    return 0;
}

/* The cache's name is all that stands before the five numbers before the first ':', blanks and
 * digits included. */
static bool take_slab_name(struct pt_str *line, struct pt_str *ret)
{
    struct pt_str rest = *line, word;
    const char *starts[8];
    size_t count = 0;
    while (pt_take_word(&rest, &word) && !pt_str_is(word, ":"))
        starts[count++ % COUNT(starts)] = word.p;
    if (count < 7) /* the usual: a name of one word, or a line cut short */
        return pt_take_word(line, ret);
    const char *numbers = starts[(count - 5) % COUNT(starts)];
    size_t n = (size_t)(numbers - line->p);
    *ret = pt_trim((struct pt_str){line->p, n});
    line->p += n;
    line->n -= n;
    return ret->n > 0;
}

int pt_parse_slabinfo(const char *text, size_t len, pt_emit *emit, void *ctx)
{
    static const char *const names[] = {"name",         "active_objs",  "num_objs",  "objsize",
                                        "objperslab",   "pagesperslab", "limit",     "batchcount",
                                        "sharedfactor", "active_slabs", "num_slabs", "sharedavail"};
    struct pt_out o = {.emit = emit, .ctx = ctx};
    struct pt_str rest = {text, len}, line;
    struct columns c;
    columns_default(&c, names, COUNT(names));
    while (pt_take_line(&rest, &line)) {
        if (pt_str_starts(line, "# name")) {
            columns_header(&c, (struct pt_str){line.p + 1, line.n - 1});
            continue;
        }
        if (pt_str_starts(line, "slabinfo - version") || !take_slab_name(&line, &o.row))
            continue;
        int r = put_cells(&o, &c, 1, line);
        if (r < 0)
            return r;
    }
    return 0;
}

/* The row is the first column; header: what the line that names the columns begins with. */
static int table(const char *text, size_t len, pt_emit *emit, void *ctx, const char *header,
                 const char *const *names, size_t count)
{
    struct pt_out o = {.emit = emit, .ctx = ctx};
    struct pt_str rest = {text, len}, line;
    struct columns c;
    columns_default(&c, names, count);
    while (pt_take_line(&rest, &line)) {
        if (pt_str_starts(line, header)) {
            columns_header(&c, line);
            continue;
        }
        if (!pt_take_word(&line, &o.row))
            continue;
        int r = put_cells(&o, &c, 1, line);
        if (r < 0)
            return r;
    }
    return 0;
}

int pt_parse_swaps(const char *text, size_t len, pt_emit *emit, void *ctx)
{
    static const char *const names[] = {"Filename", "Type", "Size", "Used", "Priority"};
    return table(text, len, emit, ctx, "Filename", names, COUNT(names));
}

int pt_parse_cgroups(const char *text, size_t len, pt_emit *emit, void *ctx)
{
    static const char *const names[] = {"subsys_name", "hierarchy", "num_cgroups", "enabled"};
    return table(text, len, emit, ctx, "#subsys_name", names, COUNT(names));
}

/* The row is the id, the second column. */
static int sysvipc(const char *text, size_t len, pt_emit *emit, void *ctx, const char *const *names,
                   size_t count)
{
    struct pt_out o = {.emit = emit, .ctx = ctx};
    struct pt_str rest = {text, len}, line, key;
    struct columns c;
    columns_default(&c, names, count);
    while (pt_take_line(&rest, &line)) {
        struct pt_str cells = line;
        if (!pt_take_word(&line, &key) || !pt_take_word(&line, &o.row))
            continue;
        if (pt_str_is(key, "key")) {
            columns_header(&c, cells);
            continue;
        }
        int r = put_cells(&o, &c, 0, cells);
        if (r < 0)
            return r;
    }
    return 0;
}

int pt_parse_shm(const char *text, size_t len, pt_emit *emit, void *ctx)
{
    static const char *const names[] = {"key",    "shmid", "perms", "size", "cpid", "lpid",
                                        "nattch", "uid",   "gid",   "cuid", "cgid", "atime",
                                        "dtime",  "ctime", "rss",   "swap"};
    return sysvipc(text, len, emit, ctx, names, COUNT(names));
}

int pt_parse_msg(const char *text, size_t len, pt_emit *emit, void *ctx)
{
    static const char *const names[] = {"key",   "msqid", "perms", "cbytes", "qnum",
                                        "lspid", "lrpid", "uid",   "gid",    "cuid",
                                        "cgid",  "stime", "rtime", "ctime"};
    return sysvipc(text, len, emit, ctx, names, COUNT(names));
}

int pt_parse_sem(const char *text, size_t len, pt_emit *emit, void *ctx)
{
    static const char *const names[] = {"key", "semid", "perms", "nsems", "uid",
                                        "gid", "cuid",  "cgid",  "otime", "ctime"};
    return sysvipc(text, len, emit, ctx, names, COUNT(names));
}

/* "0x..-0x..   20480 kernel_clone+0x94/0x3e0 pages=4 vmalloc N0=4": the row is the caller, or what
 * stands there. */
static int put_vmalloc_line(struct pt_out *o, struct pt_str line)
{
    struct pt_str range, size, rest, word;
    if (!pt_take_word(&line, &range) || !pt_take_word(&line, &size) || !pt_is_number(size))
        return 0;
    const char *dash = memchr(range.p, '-', range.n);
    if (dash == NULL)
        return 0;
    size_t n = (size_t)(dash - range.p);
    rest = line;
    if (pt_take_word(&rest, &word) && memchr(word.p, '+', word.n) != NULL) {
        o->row = word;
    } else {
        o->row = pt_trim(line);
        rest = (struct pt_str){line.p, 0};
    }
    int r = pt_put_name(o, "start", (struct pt_str){range.p, n});
    if (r >= 0)
        r = pt_put_name(o, "end", (struct pt_str){dash + 1, range.n - n - 1});
    if (r >= 0)
        r = pt_put_name(o, "size", size);
    if (r >= 0)
        r = pt_put_pairs(o, rest);
    while (r >= 0 && pt_take_word(&rest, &word)) {
        if (memchr(word.p, '=', word.n) == NULL)
            r = pt_put_name(o, "kind", word);
    }
    return r;
}

int pt_parse_vmallocinfo(const char *text, size_t len, pt_emit *emit, void *ctx)
{
    struct pt_out o = {.emit = emit, .ctx = ctx};
    struct pt_str rest = {text, len}, line;
    int r = 0;
    while (r >= 0 && pt_take_line(&rest, &line))
        r = put_vmalloc_line(&o, line);
    return r < 0 ? r : 0;
}

/* "   12288    3 mm/slub.c:100 func:alloc_slab": the row is the place. */
int pt_parse_allocinfo(const char *text, size_t len, pt_emit *emit, void *ctx)
{
    struct pt_out o = {.emit = emit, .ctx = ctx};
    struct pt_str rest = {text, len}, line, size, calls;
    int r = 0;
    while (r >= 0 && pt_take_line(&rest, &line)) {
        if (!pt_take_word(&line, &size) || !pt_take_word(&line, &calls) || !pt_is_number(size) ||
            !pt_is_number(calls))
            continue;
        o.row = pt_trim(line);
        r = pt_put_name(&o, "size", size);
        if (r >= 0)
            r = pt_put_name(&o, "calls", calls);
    }
    return r < 0 ? r : 0;
}
