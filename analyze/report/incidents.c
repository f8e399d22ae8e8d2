/* SPDX-License-Identifier: MIT
 * Incidents of a report, in sentences. */
#include "analyze/report/incidents.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/print/json.h"
#include "analyze/print/units.h"
#include "analyze/report/match.h"
#include "analyze/report/tree.h"
#include "analyze/series/service.h"

static json_t *an_hour(double amount, double hours)
{
    return hours > 0 ? pt_tree_number(amount / hours) : json_null();
}

/* ---- swap ---- */

/* What it is called in a sentence; the worst first. */
static const struct {
    const char *state, *words;
} states[] = {
    {"exhaustion-risk", "memory and swap nearly full"},
    {"thrash", "thrash"},
    {"churn", "churn"},
    {"swap-out-pressure", "swapping out under pressure"},
};

/* What the episodes of a state are together. */
struct sum {
    int64_t episodes;
    double seconds, stalled;
    const json_t *worst; /* that in which most time was lost */
    double lost;
};

static struct sum sum_of(const json_t *episodes, const char *state)
{
    struct sum s = {.lost = -1};
    const json_t *e;
    size_t i;
    json_array_foreach(episodes, i, e)
    {
        const double seconds = pt_tree_real(e, "seconds"),
                     stalled = pt_tree_real(e, "stall_seconds"), lost = stalled > 0 ? stalled : 0;
        if (!pt_tree_is(e, "state", state))
            continue;
        s.episodes++;
        s.seconds += isfinite(seconds) ? seconds : 0;
        s.stalled += lost;
        if (lost > s.lost) {
            s.lost = lost;
            s.worst = e;
        }
    }
    return s;
}

static const char *first_of(const json_t *episode, const char *list)
{
    return pt_tree_str(json_array_get(pt_tree_at(episode, list), 0), "comm");
}

/* "swap did harm: thrash several times, 2 min in all, worst for postgres; meanwhile batch1 grew".
 * That memory is full is no harm that swap did. */
static json_t *told(const json_t *swap, size_t state, const struct sum *s)
{
    const char *text = pt_tree_str(swap, "text"), *colon = text ? strchr(text, ':') : NULL;
    const char *hurt = first_of(s->worst, "victims"), *grew = first_of(s->worst, "aggressors");
    const bool full = strcmp(states[state].state, "exhaustion-risk") == 0,
               pushed = strcmp(states[state].state, "swap-out-pressure") == 0,
               harmful = pt_tree_is(swap, "verdict", "harmful"), harm = harmful && !full && !pushed;
    const bool none = text && strstr(text, "no swap is set up");
    char length[PT_UNITS_BUF], begin[128] = "";
    if (harm && colon)
        snprintf(begin, sizeof(begin), "%.*s: ", (int)(colon - text < 100 ? colon - text : 100),
                 text);
    else if (!full)
        snprintf(begin, sizeof(begin), "memory ran short%s: ", harmful ? "" : ", no harm seen");
    pt_units_duration(length, sizeof(length), pt_units_us(s->seconds));
    return pt_tree_text("%s%s %s%s%s%s%s%s%s%s", begin,
                        !full  ? states[state].words
                        : none ? "memory, with no swap set up, was nearly full"
                               : "memory and swap were nearly full",
                        s->episodes > 1 ? "several times, " : "for ", length,
                        s->episodes > 1 ? " in all" : "", hurt && harm ? ", worst for " : "",
                        hurt && harm ? hurt : "", grew ? "; meanwhile " : "", grew ? grew : "",
                        grew ? " grew" : "");
}

json_t *pt_incidents_swap(const json_t *swap, double hours)
{
    json_t *all = json_array();
    for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++) {
        const struct sum s = sum_of(pt_tree_at(swap, "episodes"), states[i].state);
        if (s.episodes == 0)
            continue;
        json_array_append_new(
            all,
            json_pack("{s:n, s:s, s:s, s:s, s:s, s:{s:s, s:s, s:n}, s:I, s:b, s:o, s:o, s:O?, s:o, "
                      "s:o, s:n}",
                      "id", "section", "swap", "title", states[i].words, "class", "swap", "verdict",
                      states[i].state, "subject", "kind", "swap", "name", states[i].state,
                      "service", "count", (json_int_t)s.episodes, "at_least", 0, "seconds",
                      pt_tree_number(s.seconds), "stall_seconds", pt_tree_number(s.stalled), "last",
                      json_object_get(s.worst, "from"), "per_hour", an_hour(s.seconds, hours),
                      "sentence", told(swap, i, &s), "status"));
    }
    return all;
}

/* ---- OOM kills ---- */

/* Behind the kernel's numbers, of which none is a name. NULL: not told. */
static const char *cgroup_of(const char *text)
{
    static const char kernel[] = "; kernel: ", cgroup[] = "; cgroup ";
    const char *at = strstr(text, kernel);
    at = at ? strstr(at, cgroup) : NULL;
    return at ? at + sizeof(cgroup) - 1 : NULL;
}

static void service_of(const char *text, struct pt_service *ret)
{
    static const char *const behind[] = {"; started ", "; command line: "};
    const char *cgroup = cgroup_of(text);
    char path[4096];
    *ret = (struct pt_service){.name = ""};
    if (!cgroup)
        return;
    size_t n = strlen(cgroup);
    for (size_t i = 0; i < sizeof(behind) / sizeof(*behind); i++) {
        const char *end = strstr(cgroup, behind[i]);
        n = end && (size_t)(end - cgroup) < n ? (size_t)(end - cgroup) : n;
    }
    if (n >= sizeof(path))
        return;
    memcpy(path, cgroup, n);
    path[n] = '\0';
    pt_service_of_cgroup(path, ret);
}

/* How many an event tells of; those the kernel log names are one each. */
static int64_t kills_of(const char *text, bool counted)
{
    int64_t n = 0;
    for (const char *c = text; counted && *c >= '0' && *c <= '9' && n < 1000000; c++)
        n = n * 10 + (*c - '0');
    return n > 0 ? n : 1;
}

static void victim_release(struct pt_victim *k)
{
    free(k->name);
    free(k->service);
    free(k->limit);
}

/* The most, then the newest. */
static int by_kills(const void *a, const void *b)
{
    const struct pt_victim *x = a, *y = b;
    if (x->kills != y->kills)
        return x->kills < y->kills ? 1 : -1;
    return (x->last_us < y->last_us) - (x->last_us > y->last_us);
}

/* Where there is no room, in the place of the least. */
static struct pt_victim *room(struct pt_victims *v)
{
    struct pt_victim *least = v->v;
    if (v->n < PT_VICTIMS)
        return &v->v[v->n++];
    for (size_t i = 1; i < v->n; i++)
        if (by_kills(&v->v[i], least) > 0)
            least = &v->v[i];
    v->others += least->kills;
    victim_release(least);
    return least;
}

static struct pt_victim *victim_of(struct pt_victims *v, const char *name, const char *service,
                                   bool named)
{
    for (size_t i = 0; i < v->n; i++) {
        struct pt_victim *k = &v->v[i];
        if (k->named == named && strcmp(k->name, name) == 0 &&
            pt_match_services(k->service, service))
            return k;
    }
    struct pt_victim *k = room(v);
    *k = (struct pt_victim){.name = strdup(name),
                            .service = strdup(service),
                            .named = named,
                            .at_least = v->others > 0};
    if (k->name && k->service)
        return k;
    v->nomem = true;
    victim_release(k);
    *k = v->v[--v->n];
    return NULL;
}

/* A counter of kills in a control group does not tell whose limit it was. */
static void set_last(struct pt_victim *k, const struct pt_oom_told *said, const char *service)
{
    const bool limit = said->cgroup && !said->counted;
    char *name = strdup(service);
    if (name) {
        free(k->service);
        k->service = name;
    }
    free(k->limit);
    k->limit = limit ? strndup(said->cgroup, said->cgroup_len) : NULL;
    k->constraint = said->counted ? PT_CONSTRAINT_NONE : said->constraint;
}

void pt_victims_add(struct pt_victims *v, const struct pt_db_event *e)
{
    const struct pt_oom_told said = pt_oom_told(e->subject, e->text);
    const size_t digits = said.counted ? 0 : strspn(e->subject, "0123456789");
    const bool numbered = digits > 0 && e->subject[digits] == ' ';
    const int64_t kills = kills_of(e->text, said.counted);
    struct pt_service service;
    service_of(e->text, &service);
    struct pt_victim *k =
        victim_of(v, e->subject + (numbered ? digits + 1 : 0), service.name, !said.counted);
    if (!k)
        return;
    k->kills += kills;
    k->last_us = e->real_us;
    snprintf(k->pid, sizeof(k->pid), "%.*s", numbered ? (int)digits : 0, e->subject);
    set_last(k, &said, service.name);
}

void pt_victims_release(struct pt_victims *v)
{
    for (size_t i = 0; i < v->n; i++)
        victim_release(&v->v[i]);
    *v = (struct pt_victims){.n = 0};
}

static json_t *title_of(const struct pt_victim *k)
{
    if (k->named)
        return pt_tree_text("%s", *k->name ? k->name : "?");
    return *k->name ? pt_tree_text("a process in %s", k->name) : pt_tree_text("a process");
}

/* What there was no more room in, behind the time of the last. */
static void want_of(const struct pt_victim *k, char *buf, size_t size)
{
    static const char *const words[] = {
        [PT_CONSTRAINT_NONE] = "",
        [PT_CONSTRAINT_HOST] = ", when the host was out of memory",
        [PT_CONSTRAINT_CGROUP] = ", at the limit of its control group",
        [PT_CONSTRAINT_CPUSET] = ", when the nodes of its cpuset were out of memory",
        [PT_CONSTRAINT_POLICY] = ", when the nodes of its memory policy were out of memory",
    };
    if (k->limit)
        snprintf(buf, size, ", at the limit of the control group %.200s", k->limit);
    else
        snprintf(buf, size, "%s", words[k->constraint]);
}

/* "postgres (pid 812, db.service) was killed for want of memory at ..., at the limit of
 * the control group ..." */
static json_t *kill_told(const struct pt_victim *k, const char *title, int32_t offset_s)
{
    char when[PT_UNITS_BUF], who[512] = "", want[256];
    const bool pid = k->kills == 1 && *k->pid, service = *k->service;
    pt_units_time(when, sizeof(when), k->last_us, offset_s);
    want_of(k, want, sizeof(want));
    if (pid || service)
        snprintf(who, sizeof(who), " (%s%s%s%s)", pid ? "pid " : "", pid ? k->pid : "",
                 pid && service ? ", " : "", k->service);
    if (k->kills == 1)
        return pt_tree_text("%s%s was killed for want of memory at %s%s", title, who, when, want);
    return pt_tree_text("%s%s was killed for want of memory %s%" PRId64
                        " times, the last time at %s%s",
                        title, who, k->at_least ? "at least " : "", k->kills, when, want);
}

json_t *pt_incidents_oom(struct pt_victims *v, double hours, int32_t offset_s, int64_t *ret_omitted)
{
    json_t *all = json_array();
    *ret_omitted = v->others;
    if (v->n)
        qsort(v->v, v->n, sizeof(*v->v), by_kills);
    for (size_t i = 0; i < v->n; i++) {
        const struct pt_victim *k = &v->v[i];
        if (i >= PT_VICTIMS_LISTED) {
            *ret_omitted += k->kills;
            continue;
        }
        json_t *title = title_of(k);
        json_array_append_new(
            all,
            json_pack(
                "{s:n, s:s, s:O?, s:s, s:s, s:{s:s, s:o, s:o}, s:I, s:b, s:n, s:n, s:o, s:o, s:o, "
                "s:n}",
                "id", "section", "oom", "title", title, "class", "oom", "verdict", "oom-kill",
                "subject", "kind", "oom", "name", pt_json_str(k->name), "service",
                *k->service ? pt_json_str(k->service) : json_null(), "count", (json_int_t)k->kills,
                "at_least", (int)k->at_least, "seconds", "stall_seconds", "last",
                pt_json_time(k->last_us), "per_hour", an_hour((double)k->kills, hours), "sentence",
                kill_told(k, title ? json_string_value(title) : "?", offset_s), "status"));
        json_decref(title);
    }
    return all;
}

bool pt_incidents_told(const json_t *doc, const char *section)
{
    const json_t *part = pt_tree_at(doc, section);
    if (!json_is_array(pt_tree_at(doc, "incidents")))
        return strcmp(section, "leaks") == 0 && json_is_object(part);
    if (strcmp(section, "swap") == 0)
        return json_is_object(part) && !pt_tree_is(part, "verdict", "unknown");
    return json_is_object(part) || json_is_array(part);
}
