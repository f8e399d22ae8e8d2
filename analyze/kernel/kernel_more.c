/* SPDX-License-Identifier: MIT
 * Shared memory by owner, and what -v shows besides: orders, mobility, nodes, sockets, allocations
 * and other levels. */
#include "analyze/kernel/kernel_print.h"

#include <inttypes.h>
#include <math.h>

/* ---- shared memory ---- */

static void who(const struct pt_object *o, char *buf, size_t size)
{
    if (o->nowners) {
        const struct pt_process *p = o->owners[0].process;
        const int n = snprintf(buf, size, "%" PRId64 " %s", p->pid, pt_process_title(p));
        if (o->nowners > 1 && n > 0 && (size_t)n < size)
            snprintf(buf + n, size - (size_t)n, " and %zu more", o->nowners - 1);
    } else if (o->left) {
        snprintf(buf, size, "nobody; made by %" PRId64 "%s%s", o->creator, o->maker ? " " : "",
                 o->maker ? pt_process_title(o->maker) : ", gone");
    } else if (o->nattch != PT_UNKNOWN) {
        snprintf(buf, size, "not known (%" PRId64 " attached)", o->nattch);
    } else {
        snprintf(buf, size, "?");
    }
}

int pt_kernel_print_shared(const struct pt_kernel *k, const struct pt_session *s)
{
    static const struct pt_column columns[] = {
        {"OBJECT", false, 16}, {"HELD", true, 0}, {"CHANGE", true, 0}, {"WHO", false, 16}};
    static const struct pt_column instant[] = {
        {"OBJECT", false, 16}, {"HELD", true, 0}, {"WHO", false, 16}};
    const size_t top = pt_kernel_top(s);
    struct pt_table t;
    char text[PT_UNITS_BUF];
    size_t left = 0;
    double behind = 0;
    pt_table_init(&t, k->at ? instant : columns, k->at ? 3 : 4);
    for (size_t i = 0; i < k->nobjects; i++) {
        const struct pt_object *o = &k->objects[i];
        char name[512], owner[128];
        if (o->left && o->bytes.last > 0) {
            left++;
            behind += (double)o->bytes.last;
        }
        if (i >= top || (o->bytes.last == 0 && !s->args->verbose))
            continue;
        snprintf(name, sizeof(name), "%s%s", o->name, o->deleted ? " (deleted)" : "");
        who(o, owner, sizeof(owner));
        pt_table_cell(&t, name);
        pt_table_bytes(&t, o->bytes.last, false);
        if (!k->at)
            pt_table_bytes(&t, pt_course_change(&o->bytes), true);
        pt_table_cell(&t, owner);
    }
    const int rc = pt_kernel_flush(&t, s, "Shared memory by object");
    if (rc < 0)
        return rc;
    if (k->nobjects > top)
        fprintf(s->args->out, "and %zu more (-v)\n", k->nobjects - top);
    if (left)
        fprintf(s->args->out, "left behind: %zu segment%s, %s: see ipcs and ipcrm\n", left,
                left == 1 ? "" : "s",
                pt_units_bytes(text, sizeof(text), pt_kernel_whole(behind), false));
    if (k->shared_rest != PT_UNKNOWN && k->shared_rest >= 1048576)
        fprintf(s->args->out,
                "%s of shared memory in no mount, segment or mapping: open files and\n"
                "buffers that nobody maps (memfd, graphics)\n",
                pt_units_bytes(text, sizeof(text), k->shared_rest, false));
    return 0;
}

/* ---- -v ---- */

static int print_orders(const struct pt_kernel *k, const struct pt_session *s)
{
    static const struct pt_column columns[] = {{"ZONE", false, 12},
                                               {"ORDER", true, 0},
                                               {"FREE BLOCKS", true, 0},
                                               {"TOO SMALL", true, 0},
                                               {"WORST", true, 0}};
    struct pt_table t;
    pt_table_init(&t, columns, 5);
    for (size_t i = 0; i < k->nzones; i++) {
        const struct pt_kernel_zone *z = &k->zones[i];
        for (unsigned n = 0; n < z->norders; n++) {
            pt_table_cell(&t, z->name);
            pt_table_cellf(&t, "%u", n);
            if (z->blocks[n] == PT_UNKNOWN)
                pt_table_cell(&t, "?");
            else
                pt_table_cellf(&t, "%" PRId64, z->blocks[n]);
            if (isnan(z->unusable[n]))
                pt_table_cell(&t, "?");
            else
                pt_table_cellf(&t, "%.1f%%", 100 * z->unusable[n]);
            if (isnan(z->worst[n]))
                pt_table_cell(&t, "?");
            else
                pt_table_cellf(&t, "%.1f%%", 100 * z->worst[n]);
        }
    }
    return pt_kernel_flush(&t, s, "Free blocks by order");
}

static int print_mobility(const struct pt_kernel *k, const struct pt_session *s)
{
    static const struct pt_column columns[] = {{"ZONE", false, 12},
                                               {"TYPE", false, 0},
                                               {"FREE", true, 0},
                                               {"IN LARGE BLOCKS", true, 0},
                                               {"PAGE BLOCKS", true, 0}};
    struct pt_table t;
    pt_table_init(&t, columns, 5);
    for (size_t i = 0; i < k->nmobility; i++) {
        const struct pt_kernel_mobility *m = &k->mobility[i];
        char count[PT_UNITS_BUF];
        pt_table_cell(&t, m->zone);
        pt_table_cell(&t, m->type);
        pt_table_bytes(&t, m->free, false);
        pt_table_bytes(&t, m->large, false);
        pt_table_cell(&t, pt_units_count(count, sizeof(count), m->blocks, false));
    }
    return pt_kernel_flush(&t, s, "Free memory by mobility");
}

static int print_nodes(const struct pt_kernel *k, const struct pt_session *s)
{
    static const struct pt_column columns[] = {
        {"NODE", true, 0},        {"TOTAL", true, 0},          {"FREE", true, 0},
        {"PAGES MEANT", true, 0}, {"FROM ELSEWHERE", true, 0}, {"GIVEN AWAY", true, 0}};
    struct pt_table t;
    pt_table_init(&t, columns, 6);
    for (size_t i = 0; i < k->nnodes; i++) {
        const struct pt_kernel_node *n = &k->nodes[i];
        const int64_t counts[] = {n->hit, n->miss, n->foreign};
        char count[PT_UNITS_BUF];
        pt_table_cellf(&t, "%" PRId64, n->node);
        pt_table_bytes(&t, n->total, false);
        pt_table_bytes(&t, n->free, false);
        for (unsigned c = 0; c < 3; c++)
            pt_table_cell(&t, pt_units_count(count, sizeof(count), counts[c], false));
    }
    return pt_kernel_flush(&t, s, "NUMA nodes");
}

/* Items of a group that are no lines of the first table. */
static int print_group(const struct pt_kernel *k, const struct pt_session *s,
                       enum pt_kernel_group group, const char *title, const char *heading)
{
    const struct pt_column columns[] = {
        {heading, false, 20}, {"FIRST", true, 0}, {"LAST", true, 0}, {"CHANGE", true, 0}};
    const size_t top = pt_kernel_top(s);
    struct pt_table t;
    size_t n = 0;
    pt_table_init(&t, columns, 4);
    for (size_t i = 0; i < k->nitems && n < top; i++) {
        const struct pt_kernel_item *item = &k->items[i];
        if (item->group != group || (item->bytes.last == 0 && item->bytes.first == 0))
            continue;
        n++;
        pt_table_cell(&t, item->title);
        pt_table_bytes(&t, item->bytes.first, false);
        pt_table_bytes(&t, item->bytes.last, false);
        pt_table_bytes(&t, pt_course_change(&item->bytes), true);
    }
    return pt_kernel_flush(&t, s, title);
}

int pt_kernel_print_more(const struct pt_kernel *k, const struct pt_session *s)
{
    int rc = print_group(k, s, PT_KERNEL_SOCKET, "Socket buffers", "PROTOCOL");
    if (rc >= 0)
        rc = print_group(k, s, PT_KERNEL_SITE, "Allocations by line of kernel code", "PLACE");
    if (rc >= 0 && (k->nnodes > 1 || s->args->verbose))
        rc = print_nodes(k, s);
    if (rc < 0 || !s->args->verbose)
        return rc;
    rc = print_group(k, s, PT_KERNEL_GAUGE, "Of these, or besides", "LEVEL");
    if (rc >= 0)
        rc = print_orders(k, s);
    return rc >= 0 ? print_mobility(k, s) : rc;
}
