/* SPDX-License-Identifier: MIT
 * What may be in the unaccounted line: counters that tell of such pages, though not of them alone.
 */
#include <string.h>

#include "analyze/balance/stakes.h"
#include "analyze/picture/items.h"

#define TEXT_MAX (1u << 20)

/* ---- sockets ---- */

static int on_sockstat(void *ctx, const struct pt_item *item)
{
    int64_t *pages = ctx;
    const int64_t v = pt_items_number(item);
    if (pt_items_is(item, "mem") && v >= 0 &&
        __builtin_add_overflow(*pages == PT_UNKNOWN ? 0 : *pages, v, pages))
        *pages = PT_UNKNOWN;
    return 0;
}

/* The counts of memory hold for all network namespaces: any will do. */
static int64_t sockets(const struct pt_picture *p, struct pt_buf *text)
{
    static const char *const names[] = {"proc:net/sockstat", "proc:1/net/sockstat",
                                        "proc:self/net/sockstat"};
    int64_t pages = PT_UNKNOWN;
    const int64_t page = pt_db_meta(p->db)->page_size;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names) && pages == PT_UNKNOWN; i++)
        pt_items_each(pt_db_shapes(p->db), NULL, pt_view_find(p->view, names[i]), text, on_sockstat,
                      &pages, NULL);
    return pt_items_times(pages, page > 0 ? page : PT_UNKNOWN);
}

/* ---- control groups ---- */

/* Kernel memory of a group less what has a line of its own; Linux 5.18 and later. */
struct charged {
    int64_t kernel, lines;
    bool whole;
};

static int on_memory_stat(void *ctx, const struct pt_item *item)
{
    static const char *const lines[] = {"slab",   "kernel_stack", "pagetables", "sec_pagetables",
                                        "percpu", "vmalloc",      "zswap"};
    struct charged *c = ctx;
    const int64_t v = pt_items_number(item);
    if (pt_items_is(item, "kernel"))
        c->kernel = v;
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
        if (pt_items_is(item, lines[i]) &&
            (v < 0 || __builtin_add_overflow(c->lines, v, &c->lines)))
            c->whole = false;
    return 0;
}

/* A group right below the root: it counts for all below itself. */
static bool is_top(const char *name)
{
    static const char *const roots[] = {"cgroup:unified/", "cgroup:"};
    for (size_t i = 0; i < sizeof(roots) / sizeof(*roots); i++) {
        const size_t n = strlen(roots[i]);
        const char *slash = strncmp(name, roots[i], n) == 0 ? strchr(name + n, '/') : NULL;
        if (slash && strcmp(slash, "/memory.stat") == 0)
            return true;
    }
    return false;
}

static int64_t groups(const struct pt_picture *p, struct pt_buf *text)
{
    static const char prefix[] = "cgroup:";
    int64_t sum = PT_UNKNOWN;
    for (uint32_t i = pt_view_lower(p->view, prefix);
         i < p->view->count && strncmp(p->view->sources[i].name, prefix, sizeof(prefix) - 1) == 0;
         i++) {
        struct charged c = {.kernel = PT_UNKNOWN, .whole = true};
        if (!is_top(p->view->sources[i].name))
            continue;
        pt_items_each(pt_db_shapes(p->db), NULL, &p->view->sources[i], text, on_memory_stat, &c,
                      NULL);
        if (c.kernel == PT_UNKNOWN || !c.whole || c.kernel < c.lines)
            continue;
        if (__builtin_add_overflow(sum == PT_UNKNOWN ? 0 : sum, c.kernel - c.lines, &sum))
            return PT_UNKNOWN;
    }
    return sum;
}

/* ---- all ---- */

static int64_t balloon(const struct pt_picture *p, struct pt_buf *text)
{
    (void)text;
    return p->mem.v[PT_MEM_BALLOON];
}

int64_t pt_hint_of(const struct pt_picture *p, unsigned which, const char **ret_name)
{
    static const struct {
        const char *name;
        int64_t (*bytes)(const struct pt_picture *p, struct pt_buf *text);
    } hints[PT_SHEET_HINTS] = {
        {"buffers of TCP and UDP sockets", sockets},
        {"kernel memory charged to control groups that no line has", groups},
        {"memory given to the hypervisor (balloon)", balloon},
    };
    struct pt_buf text;
    pt_buf_init(&text, TEXT_MAX);
    const int64_t bytes = hints[which].bytes(p, &text);
    pt_buf_release(&text);
    *ret_name = hints[which].name;
    return bytes;
}
