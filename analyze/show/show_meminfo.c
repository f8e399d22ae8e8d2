/* SPDX-License-Identifier: MIT
 * pagetrail show meminfo: free(1) and /proc/meminfo as they were. */
#include "analyze/picture/items.h"
#include "analyze/print/json.h"
#include "analyze/picture/picture.h"
#include "analyze/show/show.h"
#include "analyze/print/table.h"
#include "analyze/print/units.h"

struct line {
    char field[64];
    int64_t value;
    bool bytes;
};
#define LINES 256

struct lines {
    const struct pt_file *file;
    struct line v[LINES];
    size_t n;
};

static int emit(void *ctx, const struct pt_item *item)
{
    struct lines *l = ctx;
    const struct pt_field *field = pt_field_of(l->file, item->field, item->field_len);
    if (l->n == LINES || item->field_len >= sizeof(l->v[0].field))
        return 0;
    struct line *line = &l->v[l->n++];
    memcpy(line->field, item->field, item->field_len);
    line->field[item->field_len] = '\0';
    line->value = pt_items_bytes(l->file, item);
    line->bytes = (field ? field->unit : l->file->unit) == PT_UNIT_KIB;
    return 0;
}

static void row(struct pt_table *t, const char *name, const int64_t *v, unsigned n)
{
    char text[PT_UNITS_BUF];
    pt_table_cell(t, name);
    for (unsigned i = 0; i < 6; i++)
        pt_table_cell(t, i < n ? pt_units_bytes(text, sizeof(text), v[i], false) : "");
}

/* As free(1) of procps 4 counts: used is what is not available, cache holds reclaimable slab. */
static int print_free(const struct pt_session *s, const struct pt_mem_values *m)
{
    static const struct pt_column columns[] = {
        {.title = ""},
        {.title = "total", .right = true},
        {.title = "used", .right = true},
        {.title = "free", .right = true},
        {.title = "shared", .right = true},
        {.title = "buff/cache", .right = true},
        {.title = "available", .right = true},
    };
    const int64_t *v = m->v;
    const int64_t parts[] = {v[PT_MEM_BUFFERS], v[PT_MEM_CACHED], v[PT_MEM_SRECLAIMABLE]};
    int64_t cache = PT_UNKNOWN; /* old kernels lack SReclaimable: the sum of what there is */
    for (unsigned i = 0; i < 3; i++) {
        if (parts[i] != PT_UNKNOWN)
            cache = (cache == PT_UNKNOWN ? 0 : cache) + parts[i];
    }
    const int64_t memory[] = {v[PT_MEM_TOTAL], pt_units_minus(v[PT_MEM_TOTAL], v[PT_MEM_AVAILABLE]),
                              v[PT_MEM_FREE],  v[PT_MEM_SHMEM],
                              cache,           v[PT_MEM_AVAILABLE]};
    const int64_t swap[] = {v[PT_MEM_SWAP_TOTAL],
                            pt_units_minus(v[PT_MEM_SWAP_TOTAL], v[PT_MEM_SWAP_FREE]),
                            v[PT_MEM_SWAP_FREE]};
    struct pt_table t;
    pt_table_init(&t, columns, 7);
    row(&t, "Mem:", memory, 6);
    row(&t, "Swap:", swap, 3);
    return pt_table_end(&t, s->args->out, s->args->colour);
}

static int print_lines(const struct pt_session *s, const struct lines *l)
{
    static const struct pt_column columns[] = {{.title = "", .shrink = 20},
                                               {.title = "", .right = true}};
    struct pt_table t;
    char text[PT_UNITS_BUF];
    pt_table_init(&t, columns, 2);
    t.no_titles = true;
    for (size_t i = 0; i < l->n; i++) {
        pt_table_cell(&t, l->v[i].field);
        pt_table_cell(&t, l->v[i].bytes ? pt_units_bytes(text, sizeof(text), l->v[i].value, false)
                                        : pt_units_count(text, sizeof(text), l->v[i].value, false));
    }
    fputc('\n', s->args->out);
    return pt_table_end(&t, s->args->out, false);
}

static int print_json(const struct pt_session *s, const struct pt_snap *snap, const struct lines *l)
{
    json_t *fields = json_object();
    for (size_t i = 0; i < l->n; i++) {
        json_t *key = pt_json_str(l->v[i].field);
        if (json_is_string(key))
            json_object_set_new(fields, json_string_value(key), pt_json_int(l->v[i].value));
        json_decref(key);
    }
    return pt_json_print(json_pack("{s:I, s:o, s:o}", "snapshot", (json_int_t)snap->n, "time",
                                   pt_json_time(snap->real_us), "meminfo", fields),
                         s->args->out);
}

static int show(const struct pt_session *s, const struct pt_view *view)
{
    struct pt_mem_values m;
    struct pt_err err = {0};
    struct lines l = {.file = pt_file_of("proc:meminfo")};
    struct pt_buf text;
    const struct pt_source_at *at = pt_view_find(view, "proc:meminfo");
    if (!at || !at->reading) {
        fprintf(stderr, "pagetrail: 'proc:meminfo' %s\n",
                pt_show_why_not(at ? at->presence : PT_ABSENT, at ? at->why : 0));
        return PT_EXIT_READ;
    }
    pt_buf_init(&text, SIZE_MAX / 2);
    int rc = pt_items_each(pt_db_shapes(s->db), l.file, at, &text, emit, &l, &err);
    pt_buf_release(&text);
    if (rc >= 0)
        rc = pt_mem_load(view, &m, &err);
    if (rc < 0)
        return pt_fail(&err);
    if (s->args->json)
        return print_json(s, &view->snap, &l) < 0 ? PT_EXIT_READ : PT_EXIT_OK;
    pt_show_head(s, "memory", &view->snap);
    return print_free(s, &m) < 0 || print_lines(s, &l) < 0 ? PT_EXIT_READ : PT_EXIT_OK;
}

int pt_show_meminfo(const struct pt_session *s, int64_t n)
{
    struct pt_view *view;
    struct pt_err err = {0};
    if (pt_view_load(s->db, n, PT_GROUP(PT_BLOCK_SYSTEM), &view, &err) < 0)
        return pt_fail(&err);
    const int status = show(s, view);
    pt_view_free(view);
    return status;
}
