/* SPDX-License-Identifier: MIT
 * One pass over the account, all lines at once. */
#include "analyze/info/own.h"

#include <string.h>

static struct pt_own_field *find(struct pt_own *own, const char *name)
{
    for (unsigned i = 0; i < own->n; i++) {
        if (strcmp(own->v[i].name, name) == 0)
            return &own->v[i];
    }
    return NULL;
}

static struct pt_own_field *add(struct pt_own *own, const char *name)
{
    const size_t len = strlen(name);
    if (own->n == PT_OWN_FIELDS || len == 0 || len >= sizeof(own->v[0].name))
        return NULL;
    struct pt_own_field *f = &own->v[own->n++];
    *f = (struct pt_own_field){.last = PT_UNKNOWN, .max = PT_UNKNOWN, .counted = PT_UNKNOWN};
    memcpy(f->name, name, len + 1);
    return f;
}

/* The value that held until snapshot n. */
static void settle(struct pt_own_field *f, int64_t n)
{
    int64_t held;
    if (f->last == PT_UNKNOWN || __builtin_sub_overflow(n, f->from, &held) || held <= 0)
        return;
    f->sum += (double)f->last * (double)held;
    f->snapshots += held;
}

/* A counter begins at 0 with the recorder: what falls was begun anew. What it had when the
 * recording begins is the recording's only where that is the recorder's first. */
static void count(struct pt_own_field *f, int64_t value, int64_t n)
{
    int64_t increase = value;
    if (f->counted == PT_UNKNOWN)
        increase = n == 1 ? value : 0;
    else if (value >= f->counted)
        increase = value - f->counted;
    f->counted = value;
    if (__builtin_add_overflow(f->total, increase, &f->total))
        f->total = INT64_MAX;
}

int pt_own_add(void *own, const struct pt_point *p)
{
    struct pt_own *o = own;
    if (!p->known && !*p->field) { /* the whole account */
        for (unsigned i = 0; i < o->n; i++) {
            settle(&o->v[i], p->n);
            o->v[i].last = PT_UNKNOWN;
        }
        return 0;
    }
    struct pt_own_field *f = find(o, p->field);
    if (!f)
        f = add(o, p->field);
    if (!f)
        return 0;
    settle(f, p->n);
    f->from = p->n;
    if (!p->known || p->ivalue < 0) {
        f->last = PT_UNKNOWN;
        return 0;
    }
    count(f, p->ivalue, p->n);
    f->last = p->ivalue;
    if (p->ivalue > f->max)
        f->max = p->ivalue;
    return 0;
}

void pt_own_end(struct pt_own *own, int64_t to)
{
    for (unsigned i = 0; i < own->n; i++)
        settle(&own->v[i], to == INT64_MAX ? to : to + 1);
}

int pt_own_load(struct pt_db *db, int64_t from, int64_t to, struct pt_own *ret, struct pt_err *err)
{
    struct pt_own own = {.n = 0};
    const int rc = pt_db_field(db, "self:account", "*", from, to, pt_own_add, &own, err);
    if (rc < 0)
        return rc;
    pt_own_end(&own, to);
    *ret = own;
    return 0;
}

/* ---- looking up ---- */

static const struct pt_own_field *known(const struct pt_own *own, const char *name)
{
    for (unsigned i = 0; i < own->n; i++) {
        if (strcmp(own->v[i].name, name) == 0 && own->v[i].snapshots > 0)
            return &own->v[i];
    }
    return NULL;
}

int64_t pt_own_last(const struct pt_own *own, const char *name)
{
    const struct pt_own_field *f = known(own, name);
    return f ? f->last : PT_UNKNOWN;
}

int64_t pt_own_max(const struct pt_own *own, const char *name)
{
    const struct pt_own_field *f = known(own, name);
    return f ? f->max : PT_UNKNOWN;
}

int64_t pt_own_total(const struct pt_own *own, const char *name)
{
    const struct pt_own_field *f = known(own, name);
    return f ? f->total : PT_UNKNOWN;
}

double pt_own_mean(const struct pt_own *own, const char *name)
{
    const struct pt_own_field *f = known(own, name);
    return f ? f->sum / (double)f->snapshots : -1;
}
