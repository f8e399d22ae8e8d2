/* SPDX-License-Identifier: MIT
 * Kernel memory as text: what grew, then zones, reclaim, limits and shared memory; with -v all of
 * it. */
#include "analyze/kernel/kernel_print.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define MIB         1048576
#define TOP_DEFAULT 5

size_t pt_kernel_top(const struct pt_session *s)
{
    const int64_t top = s->args->top == PT_UNKNOWN ? TOP_DEFAULT : s->args->top;
    return s->args->verbose && s->args->top == PT_UNKNOWN ? SIZE_MAX : (size_t)top;
}

static char *time_text(const struct pt_kernel *k, const struct pt_session *s, int64_t us, char *buf,
                       size_t size)
{
    if (us == PT_UNKNOWN)
        snprintf(buf, size, "?");
    else
        pt_units_time(buf, size, us, s->args->utc ? 0 : k->timeline.utc_offset_s);
    return buf;
}

int pt_kernel_flush(struct pt_table *t, const struct pt_session *s, const char *title)
{
    if (t->ncells == 0)
        return 0;
    if (title)
        fprintf(s->args->out, "\n%s\n", title);
    return pt_table_end(t, s->args->out, s->args->colour);
}

/* ---- what grew ---- */

static void course_row(struct pt_table *t, const struct pt_kernel *k, const char *name,
                       const struct pt_course *c)
{
    pt_table_cell(t, name);
    if (!k->at)
        pt_table_bytes(t, c->first, false);
    pt_table_bytes(t, c->last, false);
    if (k->at)
        return;
    pt_table_bytes(t, pt_course_change(c), true);
    pt_table_bytes(t, c->most, false);
}

/* Areas of vmalloc that are kernel stacks, by the functions that make them since 4.18. */
static bool is_stack(const struct pt_kernel_item *item)
{
    static const char *const names[] = {"kernel_clone", "_do_fork", "copy_process",
                                        "dup_task_struct", "alloc_thread_stack_node"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (item->group == PT_KERNEL_VMALLOC && strcmp(item->name, names[i]) == 0)
            return true;
    return false;
}

/* Which line of the balance sheet an item is part of. */
static bool is_part(const struct pt_kernel_item *item, const char *line)
{
    static const struct {
        enum pt_kernel_group group;
        enum pt_line line;
        int reclaim; /* < 0: any */
    } rules[] = {
        {PT_KERNEL_SLAB, PT_LINE_SLAB_RECLAIMABLE, PT_RECLAIM_YES},
        {PT_KERNEL_SLAB, PT_LINE_SLAB_UNRECLAIMABLE, PT_RECLAIM_NO},
        {PT_KERNEL_SLAB, PT_LINE_SLAB_UNRECLAIMABLE, PT_RECLAIM_UNKNOWN},
        {PT_KERNEL_VMALLOC, PT_LINE_VMALLOC, -1}, /* but for stacks */
        {PT_KERNEL_TMPFS, PT_LINE_SHMEM, -1},
    };
    if (is_stack(item))
        return strcmp(line, pt_line_name(PT_LINE_KERNEL_STACKS)) == 0;
    for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++)
        if (item->group == rules[i].group && strcmp(line, pt_line_name(rules[i].line)) == 0 &&
            (rules[i].reclaim < 0 || (enum pt_reclaim)rules[i].reclaim == item->reclaim))
            return true;
    return false;
}

static bool matters(const struct pt_kernel *k, const struct pt_kernel_item *item, bool all)
{
    const int64_t change = pt_course_change(&item->bytes);
    return k->at || all ? item->bytes.last != 0 : change != 0 && change != PT_UNKNOWN;
}

static void item_name(const struct pt_kernel_item *item, char *buf, size_t size)
{
    const bool unsure = item->group == PT_KERNEL_SLAB && item->reclaim == PT_RECLAIM_UNKNOWN;
    char lost[PT_UNITS_BUF];
    if (item->reclaim == PT_RECLAIM_YES && item->shrank != PT_UNKNOWN && item->shrank >= MIB)
        snprintf(buf, size, "  %s (gave back %s)", item->title,
                 pt_units_bytes(lost, sizeof(lost), item->shrank, false));
    else
        snprintf(buf, size, "  %s%s", item->title, unsure ? " (maybe reclaimable)" : "");
}

static void parts_of(struct pt_table *t, const struct pt_kernel *k, const struct pt_session *s,
                     const char *line)
{
    const size_t top = pt_kernel_top(s);
    size_t n = 0;
    for (size_t i = 0; i < k->nitems && n < top; i++) {
        char name[512];
        if (!is_part(&k->items[i], line) || !matters(k, &k->items[i], s->args->verbose))
            continue;
        item_name(&k->items[i], name, sizeof(name));
        course_row(t, k, name, &k->items[i].bytes);
        n++;
    }
}

static int print_classes(const struct pt_kernel *k, const struct pt_session *s)
{
    static const struct pt_column columns[] = {{"MEMORY", false, 20},
                                               {"FIRST", true, 0},
                                               {"LAST", true, 0},
                                               {"CHANGE", true, 0},
                                               {"MOST", true, 0}};
    static const struct pt_column instant[] = {{"MEMORY", false, 20}, {"NOW", true, 0}};
    struct pt_table t;
    pt_table_init(&t, k->at ? instant : columns, k->at ? 2 : 5);
    for (size_t i = 0; i < k->nitems; i++) {
        const struct pt_kernel_item *item = &k->items[i];
        if (item->group != PT_KERNEL_CLASS ||
            (item->bytes.last == 0 && (k->at || item->bytes.most == 0)))
            continue;
        course_row(&t, k, item->title, &item->bytes);
        parts_of(&t, k, s, item->name);
    }
    return pt_kernel_flush(&t, s, NULL);
}

/* ---- what to make of it ---- */

static const struct pt_kernel_item *line_of(const struct pt_kernel *k, enum pt_line line)
{
    for (size_t i = 0; i < k->nitems; i++)
        if (k->items[i].group == PT_KERNEL_CLASS &&
            strcmp(k->items[i].name, pt_line_name(line)) == 0)
            return &k->items[i];
    return NULL;
}

static bool grew(const struct pt_kernel_item *item)
{
    const int64_t change = item ? pt_course_change(&item->bytes) : 0;
    return change != PT_UNKNOWN && change >= MIB;
}

/* Objects of the caches the kernel can take back, and what these lost to shrinkers. */
static void sum_caches(const struct pt_kernel *k, double *ret_objects, double *ret_lost)
{
    *ret_objects = *ret_lost = 0;
    for (size_t i = 0; i < k->nitems; i++) {
        const struct pt_kernel_item *item = &k->items[i];
        if (item->group != PT_KERNEL_SLAB || item->reclaim != PT_RECLAIM_YES)
            continue;
        *ret_objects += item->count > 0 ? (double)item->count : 0;
        *ret_lost += item->shrank > 0 ? (double)item->shrank : 0;
    }
}

static void say_slab(const struct pt_kernel *k, FILE *out)
{
    char text[256], amount[PT_UNITS_BUF];
    double objects, lost;
    if (!grew(line_of(k, PT_LINE_SLAB_RECLAIMABLE)) || k->slabs_scanned == PT_UNKNOWN)
        return;
    sum_caches(k, &objects, &lost);
    if (k->slabs_scanned == 0)
        snprintf(text, sizeof(text),
                 "reclaimable slab grew: the kernel takes it back when it needs memory, and did "
                 "not look for any");
    else if ((double)k->slabs_scanned < objects / 2)
        snprintf(text, sizeof(text),
                 "reclaimable slab grew: the kernel takes it back when it needs memory, and "
                 "looked at few of its objects (%" PRId64 " of %.0f)",
                 k->slabs_scanned, objects);
    else
        snprintf(text, sizeof(text),
                 "reclaimable slab grew although shrinkers looked at %" PRId64
                 " objects (there are %.0f); its caches gave back %s",
                 k->slabs_scanned, objects,
                 pt_units_bytes(amount, sizeof(amount), pt_kernel_whole(lost), false));
    pt_text_print(out, "", 0, text);
}

static void say_rest(const struct pt_kernel *k, FILE *out)
{
    if (grew(line_of(k, PT_LINE_SLAB_UNRECLAIMABLE)))
        pt_text_print(out, "", 0,
                      "unreclaimable slab grew: it stays until who allocated it frees it");
    if (grew(line_of(k, PT_LINE_UNACCOUNTED)))
        pt_text_print(out, "", 0,
                      "unaccounted memory grew: pages that no counter tells, of drivers, modules, "
                      "network buffers or BPF");
}

/* ---- zones ---- */

/* "node 0 Normal" of "Node 0, zone Normal". */
static void zone_name(const char *row, char *buf, size_t size)
{
    const char *comma = strstr(row, ", zone ");
    if (strncmp(row, "Node ", 5) == 0 && comma)
        snprintf(buf, size, "node %.*s %s", (int)(comma - row - 5), row + 5,
                 comma + strlen(", zone "));
    else
        snprintf(buf, size, "%s", row);
}

static void duration(struct pt_table *t, double seconds)
{
    char text[PT_UNITS_BUF];
    if (isnan(seconds))
        pt_table_cell(t, "?");
    else if (seconds < 0.01)
        pt_table_cell(t, "-");
    else
        pt_table_cell(t, pt_units_duration(text, sizeof(text), pt_units_us(seconds)));
}

static int print_zones(const struct pt_kernel *k, const struct pt_session *s)
{
    static const struct pt_column columns[] = {
        {"ZONE", false, 12},   {"FREE", true, 0}, {"LEAST", true, 0},   {"LOW", true, 0},
        {"BELOW IT", true, 0}, {"MIN", true, 0},  {"BELOW IT", true, 0}};
    struct pt_table t;
    pt_table_init(&t, columns, 7);
    for (size_t i = 0; i < k->nzones; i++) {
        const struct pt_kernel_zone *z = &k->zones[i];
        char name[128];
        zone_name(z->name, name, sizeof(name));
        pt_table_cell(&t, name);
        pt_table_bytes(&t, z->free.last, false);
        pt_table_bytes(&t, z->free.least, false);
        pt_table_bytes(&t, z->low, false);
        duration(&t, z->below_low);
        pt_table_bytes(&t, z->min, false);
        duration(&t, z->below_min);
    }
    return pt_kernel_flush(&t, s, "Free memory against watermarks");
}

static void percent(struct pt_table *t, double share)
{
    if (isnan(share))
        pt_table_cell(t, "?");
    else
        pt_table_cellf(t, "%.0f%%", 100 * share);
}

/* The order of a huge page; where its size is not known, that of 2 MiB in pages of 4 KiB. */
static unsigned huge_order(const struct pt_kernel *k)
{
    const int64_t huge = k->end.mem.v[PT_MEM_HUGE_SIZE], page = pt_db_meta(k->end.db)->page_size;
    unsigned order = 0;
    if (huge == PT_UNKNOWN || huge <= 0 || page <= 0)
        return 9;
    while (order + 1 < PT_ORDERS && page <= huge >> (order + 1))
        order++;
    return order;
}

/* Of each zone that has free memory: how much of it is in blocks too small for some sizes. */
static int print_fragments(const struct pt_kernel *k, const struct pt_session *s)
{
    const unsigned shown[] = {2, 4, huge_order(k)};
    static const struct pt_column columns[] = {{"ZONE", false, 12},
                                               {"FOR 4 PAGES", true, 0},
                                               {"FOR 16", true, 0},
                                               {"FOR A HUGE PAGE", true, 0},
                                               {"AT WORST", true, 0}};
    struct pt_table t;
    pt_table_init(&t, columns, 5);
    for (size_t i = 0; i < k->nzones; i++) {
        const struct pt_kernel_zone *z = &k->zones[i];
        char name[128];
        if (z->norders == 0)
            continue;
        zone_name(z->name, name, sizeof(name));
        pt_table_cell(&t, name);
        for (size_t n = 0; n < sizeof(shown) / sizeof(*shown); n++)
            percent(&t, shown[n] < z->norders ? z->unusable[shown[n]] : NAN);
        percent(&t, shown[2] < z->norders ? z->worst[shown[2]] : NAN);
    }
    return pt_kernel_flush(&t, s, "Free memory in pieces too small");
}

/* ---- counters ---- */

static int print_counters(const struct pt_kernel *k, const struct pt_session *s)
{
    static const struct pt_column columns[] = {
        {"EVENTS", false, 24}, {"COUNT", true, 0}, {"LAST", false, 0}};
    struct pt_table t;
    bool reclaim = false;
    pt_table_init(&t, columns, 3);
    for (size_t i = 0; i < k->ncounters && !k->at; i++) {
        const struct pt_kernel_counter *c = &k->counters[i];
        char when[PT_UNITS_BUF];
        reclaim |= c->topic == PT_TOPIC_RECLAIM && c->n > 0;
        if (c->n == 0 && !s->args->verbose)
            continue;
        pt_table_cell(&t, c->title);
        pt_table_cellf(&t, "%" PRId64, c->n);
        pt_table_cell(&t, c->n ? time_text(k, s, c->last_us, when, sizeof(when)) : "never");
    }
    const int rc = pt_kernel_flush(&t, s, "Reclaim, compaction and huge pages");
    if (rc >= 0 && !k->at && k->ncounters && !reclaim)
        fputs("\nthe kernel did not have to look for memory\n", s->args->out);
    return rc;
}

/* ---- limits ---- */

static void print_limit(FILE *out, const char *what, const struct pt_course *c, int64_t limit,
                        const char *of, double over)
{
    char now[PT_UNITS_BUF], most[PT_UNITS_BUF], top[PT_UNITS_BUF], time[PT_UNITS_BUF];
    char text[512];
    if (c->last == PT_UNKNOWN)
        return;
    const int n = snprintf(text, sizeof(text), "%s %s (most %s) of %s %s", what,
                           pt_units_bytes(now, sizeof(now), c->last, false),
                           pt_units_bytes(most, sizeof(most), c->most, false),
                           pt_units_bytes(top, sizeof(top), limit, false), of);
    if (over >= 0.01 && n > 0 && (size_t)n < sizeof(text))
        snprintf(text + n, sizeof(text) - (size_t)n, ", beyond it for %s",
                 pt_units_duration(time, sizeof(time), pt_units_us(over)));
    pt_text_print(out, "", 0, text);
}

static void print_limits(const struct pt_kernel *k, const struct pt_session *s)
{
    FILE *out = s->args->out;
    const struct pt_course *dying = &k->cgroups.dying;
    char text[PT_UNITS_BUF];
    if (k->commit.committed.last != PT_UNKNOWN || k->dirty.dirty.last != PT_UNKNOWN)
        fputc('\n', out);
    print_limit(out, "committed", &k->commit.committed, k->commit.limit,
                k->commit.policy == 2 ? "(strict)" : "(not enforced)", k->commit.over);
    print_limit(out, "dirty", &k->dirty.dirty, k->dirty.limit, "before writers wait",
                k->dirty.over_limit);
    if (k->dirty.over_background >= 0.01)
        fprintf(out, "dirty pages were written back in the background for %s\n",
                pt_units_duration(text, sizeof(text), pt_units_us(k->dirty.over_background)));
    if (dying->last != PT_UNKNOWN && (dying->last > 0 || dying->most > 0)) {
        fprintf(out, "%" PRId64 " removed control groups hold memory still", dying->last);
        if (dying->first != PT_UNKNOWN && !k->at)
            fprintf(out, " (%" PRId64 " at the start)", dying->first);
        fputc('\n', out);
    }
}

/* ---- the whole ---- */

static void print_head(const struct pt_kernel *k, const struct pt_session *s)
{
    FILE *out = s->args->out;
    const struct pt_timeline *t = &k->timeline;
    char text[PT_UNITS_BUF];
    if (k->at) {
        fprintf(out, "at   %s  @%" PRId64 "\n\n", time_text(k, s, t->last_us, text, sizeof(text)),
                t->last);
        return;
    }
    fprintf(out, "from %s  @%" PRId64 "\n", time_text(k, s, t->first_us, text, sizeof(text)),
            t->first);
    fprintf(out, "to   %s  @%" PRId64 "\n", time_text(k, s, t->last_us, text, sizeof(text)),
            t->last);
    if (t->nboots > 1)
        fprintf(out, "%zu boots: levels are of the newest, events of all\n", t->nboots);
    fputc('\n', out);
}

static void print_unknown(const struct pt_kernel *k, FILE *out)
{
    if (k->nunknown)
        fputs("\nNot known\n", out);
    for (size_t i = 0; i < k->nunknown; i++) {
        char text[256];
        snprintf(text, sizeof(text), "%s: %s", k->unknown[i].what, k->unknown[i].why);
        pt_text_print(out, "", 0, text);
    }
}

int pt_kernel_text(const struct pt_kernel *k, const struct pt_session *s)
{
    FILE *out = s->args->out;
    print_head(k, s);
    int rc = print_classes(k, s);
    if (rc >= 0 && !k->at) {
        say_slab(k, out);
        say_rest(k, out);
    }
    if (rc >= 0)
        rc = pt_kernel_print_shared(k, s);
    if (rc >= 0)
        rc = print_zones(k, s);
    if (rc >= 0)
        rc = print_fragments(k, s);
    if (rc >= 0)
        rc = print_counters(k, s);
    if (rc < 0)
        return rc;
    print_limits(k, s);
    rc = pt_kernel_print_more(k, s);
    if (rc >= 0)
        print_unknown(k, out);
    return rc;
}
