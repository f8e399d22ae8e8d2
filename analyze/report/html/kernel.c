/* SPDX-License-Identifier: MIT
 * Kernel memory: its classes, what of it grew most, zones, and what reclaim did. */
#include "analyze/report/html/sections.h"

/* Of lists that may be long, what changed most. */
#define MOST 12

static void put_cache(const struct pt_html *h, const json_t *slab)
{
    pt_html_put(h, PT_HTML_TEXT, pt_html_get(slab, "name"));
    if (json_is_true(pt_html_get(slab, "reclaimable")))
        pt_html_raw(h, " <span class=\"quiet\">reclaimable</span>");
}

#define COURSE                                                                                     \
    {.title = "First", .path = "bytes.first", .kind = PT_HTML_BYTES},                              \
        {.title = "Last", .path = "bytes.last", .kind = PT_HTML_BYTES},                            \
        {.title = "Change", .path = "bytes.change", .kind = PT_HTML_CHANGE},                       \
    {                                                                                              \
        .title = "At most", .path = "bytes.most", .kind = PT_HTML_BYTES                            \
    }

static const struct pt_html_column class_columns[] = {{.title = "Memory", .path = "name"}, COURSE};
static const struct pt_html_column slab_columns[] = {
    {.title = "Slab cache", .path = "name", .put = put_cache},
    COURSE,
    {.title = "Objects", .path = "objects", .kind = PT_HTML_COUNT}};
static const struct pt_html_column caller_columns[] = {
    {.title = "Caller", .path = "name"},
    COURSE,
    {.title = "Areas", .path = "count", .kind = PT_HTML_COUNT}};
static const struct pt_html_column tmpfs_columns[] = {{.title = "Mounted at", .path = "name"},
                                                      COURSE};
static const struct pt_html_column object_columns[] = {
    {.title = "Object", .path = "name"},
    {.title = "Kind", .path = "kind"},
    {.title = "Size", .path = "size_bytes", .kind = PT_HTML_BYTES},
    {.title = "Last", .path = "bytes.last", .kind = PT_HTML_BYTES},
    {.title = "Change", .path = "bytes.change", .kind = PT_HTML_CHANGE},
    {.title = "Deleted", .path = "deleted"},
    {.title = "Left behind", .path = "left_behind"}};
static const struct pt_html_column zone_columns[] = {
    {.title = "Zone", .path = "name"},
    {.title = "Managed", .path = "managed_bytes", .kind = PT_HTML_BYTES},
    {.title = "Free", .path = "free.last", .kind = PT_HTML_BYTES},
    {.title = "Least free", .path = "free.least", .kind = PT_HTML_BYTES},
    {.title = "Low mark", .path = "low_bytes", .kind = PT_HTML_BYTES},
    {.title = "Below low", .path = "below_low_seconds", .kind = PT_HTML_SECONDS},
    {.title = "Below min", .path = "below_min_seconds", .kind = PT_HTML_SECONDS}};
static const struct pt_html_column counter_columns[] = {
    {.title = "What", .path = "title"},
    {.title = "How often", .path = "count", .kind = PT_HTML_COUNT},
    {.title = "Last", .path = "last_at", .kind = PT_HTML_TIME},
    {.title = "Counter", .path = "name"}};

/* Lists of the document, in this order. */
static const struct list {
    const char *path;
    struct pt_html_table table;
} lists[] = {
    {"classes",
     {.id = "kernel-classes",
      .caption = "Memory that no process owns",
      PT_HTML_COLUMNS(class_columns),
      .zero = "bytes.most",
      .zero_says = "kinds are zero"}},
    {"slabs",
     {.id = "slabs",
      .caption = "Slab caches that changed most",
      PT_HTML_COLUMNS(slab_columns),
      .first = MOST}},
    {"vmalloc",
     {.id = "vmalloc",
      .caption = "vmalloc areas by caller, those that changed most",
      PT_HTML_COLUMNS(caller_columns),
      .first = MOST}},
    {"allocations",
     {.id = "sites",
      .caption = "Allocations by line of the kernel",
      PT_HTML_COLUMNS(caller_columns),
      .first = MOST}},
    {"shared.tmpfs",
     {.id = "tmpfs", .caption = "tmpfs", PT_HTML_COLUMNS(tmpfs_columns), .first = MOST}},
    {"shared.objects",
     {.id = "objects",
      .caption = "Shared memory objects",
      PT_HTML_COLUMNS(object_columns),
      .first = MOST}},
    {"zones", {.id = "zones", .caption = "Zones", PT_HTML_COLUMNS(zone_columns), .first = MOST}},
    {"counters.reclaim",
     {.id = "reclaim",
      .caption = "Reclaim",
      PT_HTML_COLUMNS(counter_columns),
      .zero = "count",
      .zero_says = "counters did not rise"}},
    {"counters.compaction",
     {.id = "compaction",
      .caption = "Compaction",
      PT_HTML_COLUMNS(counter_columns),
      .zero = "count",
      .zero_says = "counters did not rise"}},
};

static const struct pt_html_column facts[] = {
    {.title = "committed at most", .path = "commit.committed.most", .kind = PT_HTML_BYTES},
    {.title = "commit limit", .path = "commit.limit_bytes", .kind = PT_HTML_BYTES},
    {.title = "dirty at most", .path = "dirty.dirty.most", .kind = PT_HTML_BYTES},
    {.title = "dirty limit", .path = "dirty.limit_bytes", .kind = PT_HTML_BYTES},
    {.title = "removed control groups that hold memory",
     .path = "removed_cgroups.dying.last",
     .kind = PT_HTML_COUNT},
    {.title = "shared memory nobody shows", .path = "shared.rest_bytes", .kind = PT_HTML_CHANGE},
};

static const struct pt_html_column unknown_columns[] = {{.title = "Not known", .path = "what"},
                                                        {.title = "Why", .path = "why"}};
static const struct pt_html_table unknown = {.id = "kernel-unknown",
                                             .caption =
                                                 "What the recording cannot tell of the kernel",
                                             PT_HTML_COLUMNS(unknown_columns)};

void pt_html_kernel(const struct pt_html *h, const json_t *kernel, const json_t *doc)
{
    char list[64];
    pt_html_facts(h, facts, sizeof(facts) / sizeof(facts[0]), kernel);
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        snprintf(list, sizeof(list), "kernel.%s", lists[i].path);
        pt_html_table(h, &lists[i].table, pt_html_get(kernel, lists[i].path),
                      json_object_get(pt_html_get(doc, "cut"), list));
    }
    pt_html_table(h, &unknown, pt_html_get(kernel, "unknown"), NULL);
}
