/* SPDX-License-Identifier: MIT
 * One instant, loaded. */
#include "analyze/picture/picture.h"

#include "analyze/picture/items.h"

#define TEXT_MAX (64u << 20)

struct mem_load {
    struct pt_mem_values *ret;
    const struct pt_file *file;
    int64_t page_size;
};

static int emit_meminfo(void *ctx, const struct pt_item *item)
{
    struct mem_load *l = ctx;
    for (unsigned i = 0; i < PT_MEM_COUNT; i++) {
        const char *key = pt_mem_key((enum pt_mem)i);
        if (key && pt_items_is(item, key)) {
            l->ret->v[i] = pt_items_bytes(l->file, item);
            break;
        }
    }
    return 0;
}

static int emit_vmstat(void *ctx, const struct pt_item *item)
{
    struct mem_load *l = ctx;
    if (pt_items_is(item, "nr_zspages"))
        l->ret->v[PT_MEM_ZSPAGES] = pt_items_times(pt_items_number(item), l->page_size);
    else if (pt_items_is(item, "nr_memmap_pages"))
        l->ret->v[PT_MEM_MEMMAP] = pt_items_times(pt_items_number(item), l->page_size);
    return 0;
}

/* "cpu3.count": free pages that a CPU keeps for itself; MemFree leaves them out. */
static int emit_zoneinfo(void *ctx, const struct pt_item *item)
{
    struct mem_load *l = ctx;
    static const char count[] = ".count";
    const size_t n = sizeof(count) - 1;
    if (item->field_len <= n || memcmp(item->field, "cpu", 3) != 0 ||
        memcmp(item->field + item->field_len - n, count, n) != 0)
        return 0;
    const int64_t bytes = pt_items_times(pt_items_number(item), l->page_size);
    int64_t *sum = &l->ret->v[PT_MEM_PCP];
    if (bytes != PT_UNKNOWN && __builtin_add_overflow(*sum == PT_UNKNOWN ? 0 : *sum, bytes, sum))
        return -1;
    return 0;
}

static int emit_vmallocinfo(void *ctx, const struct pt_item *item)
{
    struct mem_load *l = ctx;
    int64_t *sum = &l->ret->v[PT_MEM_VMALLOC];
    if (!pt_items_is(item, "pages"))
        return 0;
    const int64_t bytes = pt_items_times(pt_items_number(item), l->page_size);
    if (bytes != PT_UNKNOWN && __builtin_add_overflow(*sum == PT_UNKNOWN ? 0 : *sum, bytes, sum))
        return -1;
    return 0;
}

/* Linux 4.4 to 5.2 say of VmallocUsed that it is 0, which it never is: there the areas are added
 * up. */
static bool is_due(const struct mem_load *l, pt_emit *emit)
{
    int64_t *v = &l->ret->v[PT_MEM_VMALLOC];
    if (emit != emit_vmallocinfo)
        return true;
    if (*v != 0)
        return false;
    *v = PT_UNKNOWN;
    return true;
}

int pt_mem_load(const struct pt_view *view, struct pt_mem_values *ret, struct pt_err *err)
{
    static const struct {
        const char *name;
        pt_emit *emit;
    } sources[] = {{"proc:meminfo", emit_meminfo},
                   {"proc:vmstat", emit_vmstat},
                   {"proc:zoneinfo", emit_zoneinfo},
                   {"proc:vmallocinfo", emit_vmallocinfo}};
    struct pt_mem_values values;
    const int64_t page_size = pt_db_meta(view->db)->page_size;
    struct mem_load l = {.ret = &values, .page_size = page_size > 0 ? page_size : PT_UNKNOWN};
    struct pt_buf text;
    int rc = 0;
    pt_mem_init(&values);
    pt_buf_init(&text, TEXT_MAX);
    for (unsigned i = 0; rc >= 0 && i < sizeof(sources) / sizeof(sources[0]); i++) {
        if (!is_due(&l, sources[i].emit))
            continue;
        l.file = pt_file_of(sources[i].name);
        rc = pt_items_each(pt_db_shapes(view->db), l.file, pt_view_find(view, sources[i].name),
                           &text, sources[i].emit, &l, err);
    }
    pt_buf_release(&text);
    if (rc >= 0)
        *ret = values;
    return rc < 0 ? rc : 0;
}

/* A copy: the table of a live recording is read anew with each transaction. */
static struct pt_boot boot_of(const struct pt_db *db, uint32_t id)
{
    for (uint32_t i = 0; i < pt_db_boots(db); i++) {
        const struct pt_boot *boot = pt_db_boot(db, i);
        if (boot->id == id)
            return *boot;
    }
    return (struct pt_boot){.id = 0};
}

int pt_picture_load(struct pt_db *db, int64_t n, struct pt_smaps *smaps, struct pt_picture *ret,
                    struct pt_err *err)
{
    struct pt_picture p = {.db = db, .smaps = smaps, .slabs = {.presence = PT_ABSENT}};
    int rc = pt_view_load(db, n, PT_GROUP_ALL, &p.view, err);
    if (rc >= 0)
        rc = pt_mem_load(p.view, &p.mem, err);
    if (rc >= 0)
        rc = pt_processes_load(p.view, smaps, &p.processes, err);
    if (rc >= 0)
        rc = pt_slabs_load(p.view, &p.slabs, err);
    if (rc < 0) {
        pt_picture_release(&p);
        return rc;
    }
    pt_balance_of(&p.mem, &p.balance);
    p.boot = boot_of(db, p.view->snap.boot);
    *ret = p;
    return 0;
}

void pt_picture_release(struct pt_picture *p)
{
    pt_processes_release(&p->processes);
    pt_slabs_release(&p->slabs);
    pt_view_free(p->view);
    *p = (struct pt_picture){.slabs = {.presence = PT_ABSENT}};
}
