/* SPDX-License-Identifier: MIT
 * Kernel memory as JSON: kernel.schema.json. */
#include <math.h>
#include <string.h>

#include "analyze/kernel/kernel_int.h"
#include "analyze/print/json.h"

static json_t *real(double v)
{
    return isfinite(v) ? json_real(v) : json_null();
}

static json_t *course(const struct pt_course *c)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "first", pt_json_int(c->first), "last",
                     pt_json_int(c->last), "change", pt_json_int(pt_course_change(c)), "least",
                     pt_json_int(c->least), "most", pt_json_int(c->most), "most_at",
                     pt_json_time(c->most_us));
}

static json_t *reclaimable(enum pt_reclaim r)
{
    return r == PT_RECLAIM_UNKNOWN ? json_null() : json_boolean(r == PT_RECLAIM_YES);
}

/* Joins the keys of `more` to j; either may be NULL. */
static json_t *with(json_t *j, json_t *more)
{
    if (!j || !more || json_object_update(j, more) < 0) {
        json_decref(j);
        j = NULL;
    }
    json_decref(more);
    return j;
}

static json_t *item(const struct pt_kernel_item *i)
{
    json_t *j = json_pack("{s:o, s:o}", "name", pt_json_str(i->name), "bytes", course(&i->bytes));
    switch (i->group) {
    case PT_KERNEL_SLAB:
        return with(j, json_pack("{s:o, s:o, s:o, s:o}", "reclaimable", reclaimable(i->reclaim),
                                 "shrank_bytes", pt_json_int(i->shrank), "objects_first",
                                 pt_json_int(i->count_first), "objects", pt_json_int(i->count)));
    case PT_KERNEL_VMALLOC:
    case PT_KERNEL_SITE:
        return with(j, json_pack("{s:o, s:o}", "count_first", pt_json_int(i->count_first), "count",
                                 pt_json_int(i->count)));
    case PT_KERNEL_SOCKET:
        return with(j, json_pack("{s:o}", "count", pt_json_int(i->count)));
    case PT_KERNEL_GAUGE:
        return with(j, json_pack("{s:o}", "title", pt_json_str(i->title)));
    case PT_KERNEL_TMPFS:
        return with(j, json_pack("{s:b}", "mounted_elsewhere", i->within));
    case PT_KERNEL_CLASS:
    case PT_KERNEL_GROUPS:
        break;
    }
    return j;
}

static bool room(const json_t *a, int64_t top)
{
    return top == PT_UNKNOWN || (int64_t)json_array_size(a) < top;
}

static json_t *items(const struct pt_kernel *k, enum pt_kernel_group group, int64_t top)
{
    json_t *a = json_array();
    for (size_t i = 0; i < k->nitems && room(a, top); i++)
        if (k->items[i].group == group)
            json_array_append_new(a, item(&k->items[i]));
    return a;
}

static json_t *counters(const struct pt_kernel *k)
{
    json_t *topics = json_object();
    for (size_t i = 0; i < k->ncounters; i++) {
        const struct pt_kernel_counter *c = &k->counters[i];
        json_t *a = json_object_get(topics, pt_kernel_topic_name(c->topic));
        if (!a) {
            a = json_array();
            json_object_set_new(topics, pt_kernel_topic_name(c->topic), a);
        }
        json_array_append_new(a, json_pack("{s:s, s:s, s:I, s:o}", "name", c->name, "title",
                                           c->title, "count", (json_int_t)c->n, "last_at",
                                           pt_json_time(c->last_us)));
    }
    return topics;
}

/* ---- zones ---- */

static json_t *orders(const struct pt_kernel_zone *z)
{
    json_t *a = json_array();
    for (unsigned i = 0; i < z->norders; i++)
        json_array_append_new(a,
                              json_pack("{s:i, s:o, s:o, s:o}", "order", (int)i, "free_blocks",
                                        pt_json_int(z->blocks[i]), "unusable", real(z->unusable[i]),
                                        "unusable_most", real(z->worst[i])));
    return a;
}

static json_t *mobility(const struct pt_kernel *k, const struct pt_kernel_zone *z)
{
    json_t *a = json_array();
    for (size_t i = 0; i < k->nmobility; i++) {
        const struct pt_kernel_mobility *m = &k->mobility[i];
        if (strcmp(m->zone, z->name) == 0)
            json_array_append_new(a, json_pack("{s:o, s:o, s:o, s:o}", "type", pt_json_str(m->type),
                                               "free_bytes", pt_json_int(m->free),
                                               "free_large_bytes", pt_json_int(m->large),
                                               "page_blocks", pt_json_int(m->blocks)));
    }
    return a;
}

static json_t *zone(const struct pt_kernel *k, const struct pt_kernel_zone *z)
{
    json_t *j = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "name", pt_json_str(z->name),
                          "managed_bytes", pt_json_int(z->managed), "present_bytes",
                          pt_json_int(z->present), "cma_bytes", pt_json_int(z->cma), "min_bytes",
                          pt_json_int(z->min), "low_bytes", pt_json_int(z->low), "high_bytes",
                          pt_json_int(z->high), "free", course(&z->free));
    return with(j, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "known_seconds", real(z->known),
                             "below_min_seconds", real(z->below_min), "below_low_seconds",
                             real(z->below_low), "below_high_seconds", real(z->below_high),
                             "orders", orders(z), "mobility", mobility(k, z)));
}

static json_t *zones(const struct pt_kernel *k)
{
    json_t *a = json_array();
    for (size_t i = 0; i < k->nzones; i++)
        json_array_append_new(a, zone(k, &k->zones[i]));
    return a;
}

static json_t *nodes(const struct pt_kernel *k)
{
    json_t *a = json_array();
    for (size_t i = 0; i < k->nnodes; i++) {
        const struct pt_kernel_node *n = &k->nodes[i];
        json_array_append_new(
            a, json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "node", (json_int_t)n->node,
                         "total_bytes", pt_json_int(n->total), "free_bytes", pt_json_int(n->free),
                         "hit", pt_json_int(n->hit), "miss", pt_json_int(n->miss), "foreign",
                         pt_json_int(n->foreign), "local", pt_json_int(n->local), "other",
                         pt_json_int(n->other)));
    }
    return a;
}

/* ---- shared memory ---- */

static json_t *owners(const struct pt_object *o)
{
    json_t *a = json_array();
    for (size_t i = 0; i < o->nowners; i++) {
        const struct pt_process *p = o->owners[i].process;
        json_array_append_new(
            a, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "pid", pt_json_int(p->pid), "start_time",
                         pt_json_int(p->start_time), "comm", pt_json_str(p->comm), "service",
                         pt_json_str(p->service), "pss_bytes", pt_json_int(o->owners[i].pss),
                         "swap_bytes", pt_json_int(o->owners[i].swap)));
    }
    return a;
}

static json_t *segment(const struct pt_object *o)
{
    if (o->kind != PT_OBJECT_SYSV || o->nattch == PT_UNKNOWN)
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:b}", "key", pt_json_int(o->key), "attached",
                     pt_json_int(o->nattch), "creator_pid", pt_json_int(o->creator), "last_pid",
                     pt_json_int(o->last_user), "uid", pt_json_int(o->uid), "goes_with_last",
                     o->remove);
}

static json_t *object(const struct pt_object *o)
{
    json_t *j = json_pack("{s:s, s:o, s:o, s:o, s:o, s:o}", "kind", pt_object_kind_name(o->kind),
                          "name", pt_json_str(o->name), "id", pt_json_int(o->id), "size_bytes",
                          pt_json_int(o->size), "bytes", course(&o->bytes), "resident_bytes",
                          pt_json_int(o->resident));
    return with(j, json_pack("{s:b, s:b, s:o, s:o}", "deleted", o->deleted, "left_behind", o->left,
                             "segment", segment(o), "owners", owners(o)));
}

static json_t *shared(const struct pt_kernel *k, int64_t top)
{
    json_t *a = json_array();
    for (size_t i = 0; i < k->nobjects && room(a, top); i++)
        json_array_append_new(a, object(&k->objects[i]));
    return json_pack("{s:o, s:o, s:o}", "tmpfs", items(k, PT_KERNEL_TMPFS, top), "objects", a,
                     "rest_bytes", pt_json_int(k->shared_rest));
}

/* ---- the whole ---- */

static json_t *span(const struct pt_kernel *k)
{
    const struct pt_timeline *t = &k->timeline;
    return json_pack("{s:o, s:o, s:I, s:I, s:o}", "from", pt_json_time(t->first_us), "to",
                     pt_json_time(t->last_us), "snapshots", (json_int_t)t->count, "boots",
                     (json_int_t)t->nboots, "recorded_seconds",
                     real(pt_timeline_known(t, 0, t->end)));
}

static json_t *unknown(const struct pt_kernel *k)
{
    json_t *a = json_array();
    for (size_t i = 0; i < k->nunknown; i++)
        json_array_append_new(
            a, json_pack("{s:s, s:s}", "what", k->unknown[i].what, "why", k->unknown[i].why));
    return a;
}

static json_t *rest(const struct pt_kernel *k)
{
    json_t *a = json_array();
    for (size_t i = 0; i < k->nrest; i++)
        json_array_append_new(a, json_pack("{s:o, s:o}", "time", pt_json_time(k->rest[i].us),
                                           "bytes", pt_json_int(k->rest[i].bytes)));
    return a;
}

static json_t *state(const struct pt_kernel *k)
{
    json_t *commit = json_pack("{s:o, s:o, s:o, s:o}", "limit_bytes", pt_json_int(k->commit.limit),
                               "policy", pt_json_int(k->commit.policy), "committed",
                               course(&k->commit.committed), "over_seconds", real(k->commit.over));
    json_t *dirty =
        json_pack("{s:o, s:o, s:o, s:o, s:o}", "background_bytes", pt_json_int(k->dirty.background),
                  "limit_bytes", pt_json_int(k->dirty.limit), "dirty", course(&k->dirty.dirty),
                  "over_background_seconds", real(k->dirty.over_background), "over_limit_seconds",
                  real(k->dirty.over_limit));
    json_t *cgroups =
        json_pack("{s:o, s:b}", "dying", course(&k->cgroups.dying), "counted", k->cgroups.counted);
    return json_pack("{s:o, s:o, s:o}", "commit", commit, "dirty", dirty, "removed_cgroups",
                     cgroups);
}

json_t *pt_kernel_json(const struct pt_kernel *k, int64_t top)
{
    json_t *j = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "span", span(k), "classes",
        items(k, PT_KERNEL_CLASS, PT_UNKNOWN), "slabs", items(k, PT_KERNEL_SLAB, top), "vmalloc",
        items(k, PT_KERNEL_VMALLOC, top), "allocations", items(k, PT_KERNEL_SITE, top), "sockets",
        items(k, PT_KERNEL_SOCKET, top), "levels", items(k, PT_KERNEL_GAUGE, PT_UNKNOWN));
    j = with(j, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "unaccounted", rest(k), "shared",
                          shared(k, top), "zones", zones(k), "nodes", nodes(k), "counters",
                          counters(k), "unknown", unknown(k)));
    return with(j, state(k));
}
