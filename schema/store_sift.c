/* SPDX-License-Identifier: MIT
 * Every byte of every page may begin a cell with a row, or a blob: what has the right checksum
 * does. Trees are not walked, so that no page is needed to find another. */
#include "schema/store_sift.h"

#include <stdlib.h>

#include "schema/frame_blob.h"
#include "schema/frame_int.h"
#include "schema/segment_int.h"

#define COLUMNS_MAX 14u
#define ROW_MAX     (1u << 20) /* bytes of a row before its blob */

/* Pages of trees: leaves, and those above them. */
#define TREE_LEAF   0x0d
#define TREE_ABOVE  0x05
#define INDEX_LEAF  0x0a
#define INDEX_ABOVE 0x02

/* Bytes read in vain, as many times those of the file: a file that is made to keep us busy does
 * not.
 */
#define PATIENCE 64

struct shape {
    enum pt_table table;
    unsigned n; /* columns before the checksum */
    bool blob, index;
};
static const struct shape shapes[] = {
    {PT_T_META, 2, false, true},
    {PT_T_BOOT, 3, false, false},
    {PT_T_SEALED, PT_SNAP_NCOLUMNS, false, false},
    {PT_T_FRAME, PT_SNAP_NCOLUMNS + 1, true, false},
    {PT_T_SEGMENT, 8, false, false},
    {PT_T_BLOCK, 3, true, false},
    {PT_T_DAMAGED, PT_SNAP_NCOLUMNS + 1, true, false},
    {PT_T_EVENT, 6, false, false},
    {PT_T_THINNED, 4, false, false},
};

struct pt_sift {
    const struct pt_pages *p;
    struct pt_sift_ops ops;
    uint8_t page[PT_PAGE_MAX];
    uint8_t listed[PT_PAGE_MAX / 8]; /* offsets that the page says begin cells */
    bool page_live, page_good, page_counts;
    uint32_t place, found; /* rows */
    struct pt_buf row, blob;
    int64_t patience;
};

/* A record in the making: a cell's header taken apart. */
struct cell {
    uint64_t payload;
    int64_t rowid;
    uint32_t start, local; /* of the payload in the page; its bytes there */
    unsigned head, columns;
    uint64_t type[COLUMNS_MAX];
};

/* ---- SQLite's numbers ---- */

/* Big-endian, seven bits a byte, the ninth whole. 0: none. */
static unsigned varint(const uint8_t *p, const uint8_t *end, uint64_t *ret)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < 9 && p + i < end; i++) {
        if (i == 8) {
            *ret = v << 8 | p[i];
            return 9;
        }
        v = v << 7 | (p[i] & 0x7f);
        if (p[i] < 0x80) {
            *ret = v;
            return i + 1;
        }
    }
    return 0;
}

static uint64_t size_of(uint64_t type)
{
    static const uint8_t fixed[12] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0};
    return type < 12 ? fixed[type] : (type - 12) / 2;
}

static struct pt_val value_of(uint64_t type, const uint8_t *p)
{
    const uint64_t n = size_of(type);
    if (type == 0)
        return (struct pt_val){.type = PT_VAL_NULL};
    if (type == 8 || type == 9)
        return pt_val_int((int64_t)type - 8);
    if (type >= 13 && type % 2 == 1)
        return (struct pt_val){.type = PT_VAL_TEXT, .text = (const char *)p, .len = (size_t)n};
    if (type > 6)
        return (struct pt_val){.type = PT_VAL_OTHER};
    uint64_t v = p[0] & 0x80 ? UINT64_MAX : 0;
    for (uint64_t i = 0; i < n; i++)
        v = v << 8 | p[i];
    return (struct pt_val){.type = PT_VAL_INT, .i = (int64_t)v};
}

/* ---- cells ---- */

/* How much of a payload stands in its cell. */
static uint32_t local_of(uint32_t size, uint64_t payload, bool index)
{
    const uint32_t most = index ? (size - 12) * 64 / 255 - 23 : size - 35;
    const uint32_t least = (size - 12) * 32 / 255 - 23;
    if (payload <= most)
        return (uint32_t)payload;
    const uint64_t k = least + (payload - least) % (size - 4);
    return k <= most ? (uint32_t)k : least;
}

static bool parse_types(const struct pt_sift *s, struct cell *c)
{
    const uint8_t *at = s->page + c->start, *end = s->page + s->p->size;
    uint64_t head, sum = 0;
    const unsigned n = varint(at, end, &head);
    if (n != 1 || head < 4 || head > 60 || head > c->payload || head > (uint64_t)(end - at))
        return false;
    end = at + head;
    at += n;
    c->head = (unsigned)head;
    c->columns = 0;
    while (at < end) {
        uint64_t type;
        const unsigned k = varint(at, end, &type);
        if (!k || c->columns == COLUMNS_MAX || type == 10 || type == 11 || type > UINT32_MAX)
            return false;
        c->type[c->columns++] = type;
        sum += size_of(type);
        at += k;
    }
    return sum + head == c->payload;
}

static bool parse_cell(const struct pt_sift *s, uint32_t at, bool index, struct cell *c)
{
    const uint8_t *p = s->page + at, *end = s->page + s->p->size;
    uint64_t rowid = 0;
    unsigned n = varint(p, end, &c->payload);
    if (!n || c->payload < 4 || c->payload > UINT32_MAX)
        return false;
    p += n;
    if (!index) {
        n = varint(p, end, &rowid);
        if (!n || end - p < n + 2 || p[n + 1] != 0) /* the first column is the row's number */
            return false;
        p += n;
    }
    c->rowid = (int64_t)rowid;
    c->start = (uint32_t)(p - s->page);
    c->local = local_of(s->p->size, c->payload, index);
    if (c->local > s->p->size - c->start ||
        (c->local < c->payload && c->local + 4 > s->p->size - c->start))
        return false;
    return parse_types(s, c);
}

static struct pt_run run_of(const struct pt_sift *s, const struct cell *c, enum pt_page_view view)
{
    return (struct pt_run){
        .place = s->place, .at = c->start, .end = c->start + c->local, .view = view};
}

/* Reads a row's values. false: not in this view. */
static bool read_values(struct pt_sift *s, const struct cell *c, const struct shape *shape,
                        struct pt_run *run, struct pt_val *v, int64_t *ret_crc)
{
    uint64_t need = c->head, at = c->head;
    for (unsigned i = 0; i <= shape->n; i++)
        need += size_of(c->type[i]);
    pt_buf_reset(&s->row);
    if (need > ROW_MAX || !pt_run_read(s->p, run, (size_t)need, &s->row))
        return false;
    for (unsigned i = 0; i <= shape->n; i++) {
        const struct pt_val x = value_of(c->type[i], s->row.data + at);
        at += size_of(c->type[i]);
        if (i < shape->n)
            v[i] = i == 0 && !shape->index ? pt_val_int(c->rowid) : x;
        else if (x.type != PT_VAL_INT)
            return false;
        else
            *ret_crc = x.i;
    }
    return true;
}

/* ---- blobs ---- */

static bool blob_good(const uint8_t *blob, size_t len, bool *ret_frame)
{
    *ret_frame = pt_blob_check(PT_FRAME_MAGIC, "frame", blob, len, PT_FRAME_RAW_MAX, NULL) >= 0;
    return *ret_frame ||
           pt_blob_check(PT_BLOCK_MAGIC, "block", blob, len, PT_BLOCK_RAW_LIMIT, NULL) >= 0;
}

/* 1: there is a blob of this length, and it was told. */
static int try_blob(struct pt_sift *s, struct pt_run run, uint64_t len, bool live,
                    struct pt_err *err)
{
    struct pt_sift_blob b = {.at = run, .live = live};
    if (len < PT_BLOB_HEAD || len > (uint64_t)pt_pages_places(s->p) * s->p->size || s->patience < 0)
        return 0;
    pt_buf_reset(&s->blob);
    if (!pt_run_read(s->p, &run, (size_t)len, &s->blob) ||
        !blob_good(s->blob.data, s->blob.len, &b.frame)) {
        s->patience -= (int64_t)s->blob.len + PT_BLOB_HEAD;
        return 0;
    }
    b.bytes = s->blob.data;
    b.len = s->blob.len;
    const int r = s->ops.blob(s->ops.ctx, &b, err);
    return r < 0 ? r : 1;
}

/* The length that a blob's head tells; 0: no head. */
static uint64_t told_length(const struct pt_sift *s, struct pt_run run)
{
    struct pt_buf head;
    uint64_t len = 0;
    pt_buf_init(&head, PT_BLOB_HEAD);
    if (pt_run_read(s->p, &run, PT_BLOB_HEAD, &head))
        len = pt_blob_length(head.data);
    pt_buf_release(&head);
    return len;
}

static int try_run(struct pt_sift *s, struct pt_run run, bool live, struct pt_err *err)
{
    int r = 0;
    for (int view = 0; view < PT_VIEWS && r == 0; view++) {
        run.view = (enum pt_page_view)view;
        const uint64_t len = told_length(s, run);
        if (len)
            r = try_blob(s, run, len, live, err);
    }
    return r;
}

/* A blob that begins at `at`, by its magic alone: wholly in the page; in a page of overflow; in a
 * cell of which nothing else need be good: where it ends is where the number of a page that goes on
 * rightly stands. */
static int blob_at(struct pt_sift *s, uint32_t at, struct pt_err *err)
{
    const uint32_t size = s->p->size;
    const bool live = s->page_live && !s->page_good;
    struct pt_run run = {.place = s->place, .at = at, .end = size, .overflow = at >= 4};
    int r = try_run(s, run, live, err);
    for (uint32_t end = at + 4; r == 0 && end + 4 <= size; end++) {
        const uint8_t *next = s->page + end;
        const uint32_t number =
            (uint32_t)next[0] << 24 | (uint32_t)next[1] << 16 | (uint32_t)next[2] << 8 | next[3];
        run.overflow = false;
        run.end = end;
        if (number > 1 && number != pt_pages_number(s->p, s->place) &&
            (pt_pages_find(s->p, number, s->place, PT_VIEW_SAME) ||
             pt_pages_find(s->p, number, s->place, PT_VIEW_LAST)))
            r = try_run(s, run, live, err);
    }
    return r < 0 ? r : 0;
}

/* ---- rows ---- */

/* 1: it is a row of this shape, or that of a good blob; told. */
static int try_shape(struct pt_sift *s, const struct cell *c, const struct shape *shape, bool live,
                     struct pt_err *err)
{
    struct pt_val v[COLUMNS_MAX];
    bool told = false;
    int r = 0;
    for (int view = 0; view < PT_VIEWS && r == 0; view++) {
        struct pt_run run = run_of(s, c, (enum pt_page_view)view);
        int64_t crc = 0;
        if (!read_values(s, c, shape, &run, v, &crc))
            continue;
        const bool good = crc == pt_row_crc(shape->table, v, shape->n);
        if (good && !told) {
            const struct pt_sift_row row = {shape->table, v, shape->n, live};
            r = s->ops.row(s->ops.ctx, &row, err);
            told = true;
        }
        if (r >= 0 && shape->blob && size_of(c->type[shape->n + 1]) > 0)
            r = try_blob(s, run, size_of(c->type[shape->n + 1]), live, err);
        if (r == 0 && told && (!shape->blob || c->local == c->payload))
            break;
    }
    return r < 0 ? r : told || r > 0;
}

static int try_cell(struct pt_sift *s, uint32_t at, bool live, struct pt_err *err)
{
    struct cell c;
    int r = 0;
    for (int index = 0; index < 2; index++) {
        if (!parse_cell(s, at, index, &c))
            continue;
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes && r == 0; i++)
            if (shapes[i].index == (bool)index && c.columns == shapes[i].n + 1 + shapes[i].blob)
                r = try_shape(s, &c, &shapes[i], live, err);
    }
    return r;
}

/* ---- pages ---- */

static bool is_listed(const struct pt_sift *s, uint32_t at)
{
    return s->listed[at / 8] >> at % 8 & 1;
}

/* The offsets of the cells with rows. false: it is no page of a tree, or its head is damaged. */
static bool list_cells(struct pt_sift *s)
{
    const uint32_t size = s->p->size, start = pt_pages_number(s->p, s->place) == 1 ? 100 : 0;
    const uint8_t *p = s->page + start;
    const bool leaf = p[0] == TREE_LEAF || p[0] == INDEX_LEAF;
    const uint32_t head = start + (leaf ? 8 : 12), left = leaf ? 0 : 4; /* the page below */
    const uint32_t cells = (uint32_t)p[3] << 8 | p[4], array = head + 2 * cells;
    memset(s->listed, 0, size / 8);
    if ((!leaf && p[0] != TREE_ABOVE && p[0] != INDEX_ABOVE) || array > size)
        return false;
    for (uint32_t i = 0; i < cells; i++) {
        const uint8_t *entry = s->page + head + 2 * i;
        const uint32_t at = ((uint32_t)entry[0] << 8 | entry[1]) + left;
        if (at < array || at >= size)
            return false;
        if (p[0] != TREE_ABOVE)
            s->listed[at / 8] |= (uint8_t)(1u << at % 8);
    }
    return true;
}

/* Is the cell there the row of a frame or block? */
static bool is_of_blob(const struct pt_sift *s, uint32_t at)
{
    struct cell c;
    if (!parse_cell(s, at, false, &c) || c.columns == 0)
        return false;
    const uint64_t last = c.type[c.columns - 1];
    return (c.columns == 5 || c.columns == PT_SNAP_NCOLUMNS + 3) && last >= 12 && last % 2 == 0;
}

static int sift_rows(struct pt_sift *s, struct pt_err *err)
{
    int r = 0;
    for (uint32_t at = 0; at + 8 <= s->p->size && r >= 0; at++) {
        const bool listed = s->page_good && is_listed(s, at);
        r = try_cell(s, at, s->page_live && (listed || !s->page_good), err);
        if (r == 0 && listed && s->page_counts && s->page[0] == TREE_LEAF && !is_of_blob(s, at))
            r = s->ops.bad(s->ops.ctx, pt_pages_number(s->p, s->place), "a row is damaged", err);
        s->found += r > 0;
    }
    return r;
}

static int sift_blobs(struct pt_sift *s, struct pt_err *err)
{
    int r = 0;
    for (uint32_t at = 0; at + 4 <= s->p->size && r >= 0; at++)
        if (memcmp(s->page + at, PT_FRAME_MAGIC, 4) == 0 ||
            memcmp(s->page + at, PT_BLOCK_MAGIC, 4) == 0)
            r = blob_at(s, at, err);
    return r;
}

int pt_sift_page(struct pt_sift *s, uint32_t place, struct pt_err *err)
{
    const uint32_t number = pt_pages_number(s->p, place);
    uint32_t parent;
    const enum pt_page_kind kind = pt_pages_kind(s->p, number, &parent);
    const bool tree = kind == PT_PAGE_TREE || kind == PT_PAGE_ROOT;
    int r = pt_pages_read(s->p, place, s->page, err);
    if (r < 0)
        return r;
    s->place = place;
    s->found = 0;
    s->page_live = pt_pages_last(s->p, place) && (tree || kind == PT_PAGE_UNKNOWN);
    /* below page 1 are the texts of the tables, which are known */
    s->page_counts = s->page_live && tree && number != 1 && parent != 1;
    s->page_good = list_cells(s);
    r = sift_rows(s, err);
    if (r >= 0)
        r = sift_blobs(s, err);
    if (r >= 0 && s->page_counts && !s->page_good && s->found == 0)
        r = s->ops.bad(s->ops.ctx, number, "it is gone", err);
    return r;
}

struct pt_sift *pt_sift_new(const struct pt_pages *p, const struct pt_sift_ops *ops)
{
    struct pt_sift *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->p = p;
    s->ops = *ops;
    s->patience = (int64_t)pt_pages_places(p) * p->size * PATIENCE;
    pt_buf_init(&s->row, ROW_MAX);
    pt_buf_init(&s->blob, PT_BLOCK_RAW_LIMIT);
    return s;
}

void pt_sift_free(struct pt_sift *s)
{
    if (!s)
        return;
    pt_buf_release(&s->row);
    pt_buf_release(&s->blob);
    free(s);
}
