/* SPDX-License-Identifier: MIT
 * Pools of huge pages by size, at both ends of the span: meminfo tells of the default size alone.
 */
#include <stdio.h>
#include <string.h>

#include "analyze/kernel/kernel_int.h"
#include "analyze/picture/items.h"

static const char prefix[] = "sys:kernel/mm/hugepages/hugepages-";

/* Bytes of the pages that one of a pool's files counts. */
static int64_t bytes_of(const struct pt_view *view, const char *size, size_t len, const char *file,
                        int64_t page)
{
    char name[160];
    snprintf(name, sizeof(name), "%s%.*s/%s", prefix, (int)len, size, file);
    return pt_items_times(pt_kernel_value(view, name), page);
}

static int add(struct pt_kernel_work *w, const char *size, size_t len, int64_t page)
{
    static const struct {
        const char *file, *what;
    } counts[] = {{"nr_hugepages", "in the pool"},
                  {"free_hugepages", "free"},
                  {"surplus_hugepages", "beyond the pool"}};
    for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
        char title[96];
        struct pt_course c;
        pt_course_init(&c);
        c.first = bytes_of(w->first, size, len, counts[i].file, page);
        c.last = bytes_of(w->k->end.view, size, len, counts[i].file, page);
        if (c.last == PT_UNKNOWN || (c.last == 0 && c.first <= 0))
            continue;
        snprintf(title, sizeof(title), "huge pages of %.*s, %s", (int)len, size, counts[i].what);
        struct pt_kernel_item *item =
            pt_kernel_add(w, PT_KERNEL_GAUGE, pt_kernel_copy(w, title, strlen(title)));
        if (!item)
            return -1;
        item->bytes = c;
        item->within = true;
    }
    return 0;
}

int pt_kernel_huge(struct pt_kernel_work *w, struct pt_err *err)
{
    static const char file[] = "/nr_hugepages";
    const struct pt_view *view = w->k->end.view;
    const size_t n = sizeof(prefix) - 1;
    for (uint32_t i = pt_view_lower(view, prefix);
         i < view->count && strncmp(view->sources[i].name, prefix, n) == 0; i++) {
        const char *size = view->sources[i].name + n; /* "2048kB/nr_hugepages" */
        const size_t len = strcspn(size, "/"), digits = strspn(size, "0123456789");
        int64_t kib, scale;
        if (strcmp(size + len, file) != 0 || len != digits + 2 || len > 32 ||
            !pt_number(size, digits, &kib, &scale))
            continue;
        if (add(w, size, len, pt_items_times(kib, 1024)) < 0)
            return pt_err_nomem(err);
    }
    return 0;
}
