/* SPDX-License-Identifier: MIT
 * Likeness of findings. */
#include "analyze/report/match.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/leaks/verdict.h"
#include "analyze/report/tree.h"
#include "schema/wire.h"

/* A slope is another one when its interval is apart from the other's and it differs by so much. */
#define APART 1.25

const char *pt_status_name(enum pt_status s)
{
    static const char *const names[PT_STATUSES] = {[PT_NEW] = "new",
                                                   [PT_ONGOING] = "ongoing",
                                                   [PT_WORSE] = "worse",
                                                   [PT_BETTER] = "better",
                                                   [PT_RESOLVED] = "resolved"};
    return names[s];
}

static bool is_one_of(const json_t *finding, const char *const *names)
{
    for (; *names; names++)
        if (pt_tree_is(finding, "verdict", *names))
            return true;
    return false;
}

bool pt_match_alarming(const char *verdict)
{
    static const char *const incidents[] = {"thrash", "churn", "exhaustion-risk",
                                            "swap-out-pressure", "oom-kill"};
    for (size_t i = 0; i < sizeof(incidents) / sizeof(*incidents); i++)
        if (strcmp(incidents[i], verdict) == 0)
            return true;
    for (int v = 0; v < PT_VERDICTS; v++)
        if (strcmp(pt_verdict_name((enum pt_verdict)v), verdict) == 0)
            return pt_verdict_alarms((enum pt_verdict)v);
    return false;
}

bool pt_match_alarms(const json_t *finding)
{
    const char *verdict = pt_tree_str(finding, "verdict");
    return verdict && pt_match_alarming(verdict);
}

/* ---- names that say which instance it is ---- */

/* Services that are made anew with each start: what follows is which of them. */
static const char *const instances[] = {"docker-", "session-",    "pod-", "cri-",
                                        "libpod-", "containerd-", "run-", "lxc-"};

/* Bytes of its name that do not say which of them it is. */
static size_t service_len(const char *name)
{
    for (size_t i = 0; i < sizeof(instances) / sizeof(*instances); i++)
        if (strncmp(name, instances[i], strlen(instances[i])) == 0)
            return strlen(instances[i]);
    return strlen(name);
}

bool pt_match_services(const char *a, const char *b)
{
    return a && b && service_len(a) == service_len(b) && memcmp(a, b, service_len(a)) == 0;
}

/* Bytes of a path without " (deleted)": a program that was upgraded while it ran. */
static size_t path_len(const char *path)
{
    static const char deleted[] = " (deleted)";
    const size_t n = strlen(path), k = sizeof(deleted) - 1;
    return n > k && strcmp(path + n - k, deleted) == 0 ? n - k : n;
}

static bool same_path(const char *a, const char *b)
{
    return a && b && path_len(a) == path_len(b) && memcmp(a, b, path_len(a)) == 0;
}

/* Private memory is one class: in which part of it growth sits is the allocator's choice. */
static const char *class_of(const json_t *finding)
{
    static const char *const private_classes[] = {"heap",  "arena",        "anon",
                                                  "stack", "private-file", "private"};
    const char *class = pt_tree_str(finding, "class");
    for (size_t i = 0; class && i < sizeof(private_classes) / sizeof(*private_classes); i++)
        if (strcmp(class, private_classes[i]) == 0)
            return "private";
    return class ? class : "";
}

/* ---- likeness ---- */

static bool same_text(const json_t *a, const json_t *b, const char *key)
{
    const char *x = pt_tree_str(a, key), *y = pt_tree_str(b, key);
    return x && y && strcmp(x, y) == 0;
}

static int like_programs(const json_t *a, const json_t *b)
{
    /* all that is known of a service is its name */
    const bool services = pt_tree_is(a, "kind", "service") || pt_tree_is(b, "kind", "service");
    const char *service = pt_tree_str(a, "service");
    const bool service_same = pt_match_services(service, pt_tree_str(b, "service"));
    const bool comm = same_text(a, b, "comm");
    const bool exe = same_path(pt_tree_str(a, "exe"), pt_tree_str(b, "exe"));
    if (services)
        return same_text(a, b, "service") ? 2 + same_text(a, b, "kind") : 0;
    if (!comm || !(exe || service_same))
        return 0;
    return 1 + exe + 2 * service_same + same_text(a, b, "service");
}

/* Whom the OOM killer hit, by its command and its service, where both are told. */
static int like_victims(const json_t *a, const json_t *b)
{
    const char *service = pt_tree_str(a, "service"), *other = pt_tree_str(b, "service");
    if (!same_text(a, b, "name") || (service && other && !pt_match_services(service, other)))
        return 0;
    return 1 + (service && other) + same_text(a, b, "service");
}

static bool program(const char *kind)
{
    return strcmp(kind, "process") == 0 || strcmp(kind, "service") == 0;
}

int pt_match_likeness(const json_t *a, const json_t *b)
{
    const json_t *x = pt_tree_at(a, "subject"), *y = pt_tree_at(b, "subject");
    const char *kind = pt_tree_str(x, "kind"), *other = pt_tree_str(y, "kind");
    if (!kind || !other || strcmp(class_of(a), class_of(b)) != 0)
        return 0;
    if (program(kind) != program(other))
        return 0;
    if (!program(kind) && strcmp(kind, other) != 0)
        return 0;
    const int like = program(kind)              ? like_programs(x, y)
                     : strcmp(kind, "oom") == 0 ? like_victims(x, y)
                                                : same_text(x, y, "name");
    return like ? 2 * like + same_text(a, b, "class") : 0;
}

/* ---- keys ---- */

/* Of which kind of key, of which class. */
static uint64_t begin_key(const json_t *finding, const char *kind)
{
    const char *class = class_of(finding);
    return 31 * pt_hash(kind, strlen(kind)) + pt_hash(class, strlen(class));
}

/* A key of it, and of a name or two, where both are known. */
static size_t add_key(const json_t *finding, const char *kind, const char *name, size_t len,
                      const char *second, uint64_t *ret)
{
    if (!name || !second)
        return 0;
    *ret =
        (31 * begin_key(finding, kind) + pt_hash(name, len)) * 31 + pt_hash(second, strlen(second));
    return 1;
}

/* by_service: kinds of the keys by which services and what runs in them find each other. */
static size_t keys_of(const json_t *finding, const char *const *by_service, uint64_t *ret)
{
    const json_t *who = pt_tree_at(finding, "subject");
    const char *kind = pt_tree_str(who, "kind"), *name = pt_tree_str(who, "name"),
               *comm = pt_tree_str(who, "comm"), *exe = pt_tree_str(who, "exe"),
               *service = pt_tree_str(who, "service");
    size_t n = 0;
    if (!kind)
        return 0;
    if (!program(kind))
        return add_key(finding, kind, name, name ? strlen(name) : 0, "", ret);
    for (; *by_service; by_service++)
        n += add_key(finding, *by_service, service, service ? strlen(service) : 0, "", ret + n);
    if (strcmp(kind, "service") == 0)
        return n;
    n += add_key(finding, "exe", exe, exe ? path_len(exe) : 0, comm, ret + n);
    n += add_key(finding, "comm", service, service ? service_len(service) : 0, comm, ret + n);
    return n;
}

static bool of_service(const json_t *finding)
{
    return pt_tree_is(pt_tree_at(finding, "subject"), "kind", "service");
}

size_t pt_match_keys(const json_t *finding, uint64_t ret[PT_MATCH_KEYS])
{
    static const char *const service[] = {"service", NULL}, *const process[] = {"within", NULL};
    return keys_of(finding, of_service(finding) ? service : process, ret);
}

size_t pt_match_sought(const json_t *finding, uint64_t ret[PT_MATCH_KEYS])
{
    static const char *const service[] = {"service", "within", NULL}, *const process[] = {"service",
                                                                                          NULL};
    return keys_of(finding, of_service(finding) ? service : process, ret);
}

/* ---- what became of it ---- */

/* Nothing is known to have ended: the record is too short, or its shape too rough, to say. */
static bool open_verdict(const json_t *finding)
{
    static const char *const names[] = {"undetermined", "insufficient", NULL};
    return is_one_of(finding, names);
}

/* How bad a finding is, and between what that lies. Of kills the number is chance: twice its square
 * root to either side. Of swap the time it took is worth telling when it is twice another. */
struct pace {
    double is, low, high;
};

static struct pace pace_of(const json_t *finding)
{
    const json_t *subject = pt_tree_at(finding, "subject");
    const double an_hour = pt_tree_real(finding, "per_hour"), n = pt_tree_real(finding, "count"),
                 chance = n > 0 ? 2 / sqrt(n) : INFINITY;
    if (pt_tree_is(subject, "kind", "oom"))
        return (struct pace){an_hour, an_hour * (1 - chance), an_hour * (1 + chance)};
    if (pt_tree_is(subject, "kind", "swap"))
        return (struct pace){an_hour, an_hour / M_SQRT2, an_hour * M_SQRT2};
    return (struct pace){pt_tree_real(finding, "slope_bytes_per_hour"),
                         pt_tree_real(finding, "slope_low"), pt_tree_real(finding, "slope_high")};
}

enum pt_status pt_match_status(const json_t *before, const json_t *after)
{
    if (!before || !pt_match_alarms(before))
        return PT_NEW;
    if (!after)
        return PT_RESOLVED;
    if (!pt_match_alarms(after))
        return open_verdict(after) ? PT_ONGOING : PT_RESOLVED;
    const struct pace was = pace_of(before), is = pace_of(after);
    if (is.is > APART * was.is && is.low > was.high)
        return PT_WORSE;
    if (was.is > APART * is.is && is.high < was.low)
        return PT_BETTER;
    return PT_ONGOING;
}

bool pt_match_ended(const json_t *before, double then, double now)
{
    /* of chance at this pace, that none comes is then one in twenty */
    if (pt_tree_is(pt_tree_at(before, "subject"), "kind", "oom"))
        return pt_tree_real(before, "per_hour") * now / 3600 >= 3;
    return now >= then / 2;
}
