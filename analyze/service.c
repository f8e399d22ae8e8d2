/* SPDX-License-Identifier: MIT
 * Cgroup path to service: a table of what the component names of the usual managers look like. */
#include "analyze/service.h"

#include <stdio.h>
#include <string.h>

enum id {
    ID_WHOLE, /* the component as it is */
    ID_HEX,   /* at least 12 hexadecimal digits: a container, shown by the first 12 */
    ID_UID,   /* a pod's uid */
    ID_NAME,  /* what stands there */
};

static const struct pattern {
    const char *prefix, *suffix; /* of the component */
    const char *parent;          /* the component before begins so; NULL: any */
    enum id id;
    const char *label;
} patterns[] = {
    {"docker-", ".scope", NULL, ID_HEX, "docker-"},
    {"cri-containerd-", ".scope", NULL, ID_HEX, "containerd-"},
    {"crio-conmon-", ".scope", NULL, ID_HEX, "crio-conmon-"},
    {"crio-", ".scope", NULL, ID_HEX, "crio-"},
    {"libpod-conmon-", ".scope", NULL, ID_HEX, "podman-conmon-"},
    {"libpod-", ".scope", NULL, ID_HEX, "podman-"},
    {"libpod-", "", NULL, ID_HEX, "podman-"},
    {"lxc.payload.", "", NULL, ID_NAME, "lxc-"},
    {"lxc.monitor.", "", NULL, ID_NAME, "lxc-monitor-"},
    {"", "", "docker", ID_HEX, "docker-"},
    {"", "", "lxc", ID_NAME, "lxc-"},
    {"", "", "libpod_parent", ID_HEX, "podman-"},
    {"", "", "pod", ID_HEX, "container-"}, /* kubelet with the cgroupfs driver */
    {"", "", "kubepods", ID_HEX, "container-"},
    {"", ".service", NULL, ID_WHOLE, ""},
    {"", ".scope", NULL, ID_WHOLE, ""},
    {"kubepods-burstable-pod", ".slice", NULL, ID_UID, "pod-"},
    {"kubepods-besteffort-pod", ".slice", NULL, ID_UID, "pod-"},
    {"kubepods-pod", ".slice", NULL, ID_UID, "pod-"},
    {"pod", "", "kubepods", ID_UID, "pod-"},
    {"pod", "", "burstable", ID_UID, "pod-"},
    {"pod", "", "besteffort", ID_UID, "pod-"},
};

struct part {
    const char *p;
    size_t n;
};

static bool starts(struct part s, const char *prefix)
{
    const size_t n = strlen(prefix);
    return s.n >= n && memcmp(s.p, prefix, n) == 0;
}

static bool ends(struct part s, const char *suffix)
{
    const size_t n = strlen(suffix);
    return s.n >= n && memcmp(s.p + s.n - n, suffix, n) == 0;
}

static bool all_of(struct part s, const char *set)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!strchr(set, s.p[i]) || s.p[i] == '\0')
            return false;
    }
    return true;
}

static bool matches(const struct pattern *p, struct part parent, struct part *ret_id, struct part s)
{
    if (!starts(s, p->prefix) || !ends(s, p->suffix) ||
        s.n <= strlen(p->prefix) + strlen(p->suffix))
        return false;
    if (p->parent && !starts(parent, p->parent))
        return false;
    *ret_id = (struct part){s.p + strlen(p->prefix), s.n - strlen(p->prefix) - strlen(p->suffix)};
    switch (p->id) {
    case ID_WHOLE:
        *ret_id = s;
        return true;
    case ID_HEX:
        return ret_id->n >= 12 && all_of(*ret_id, "0123456789abcdef");
    case ID_UID:
        return ret_id->n >= 12 && all_of(*ret_id, "0123456789abcdef-_");
    case ID_NAME:
        return true;
    }
    return false;
}

static void write_name(const struct pattern *p, struct part id, char *ret, size_t size)
{
    const size_t n = p->id == ID_HEX ? 12 : id.n;
    const int len = snprintf(ret, size, "%s%.*s", p->label, (int)(n < size ? n : size), id.p);
    for (int i = 0; p->id == ID_UID && i < len && (size_t)i < size; i++) {
        if (ret[i] == '_') /* systemd writes the dashes of a uid as underscores */
            ret[i] = '-';
    }
}

bool pt_service_of_cgroup(const char *path, char *ret, size_t size)
{
    const char *end = path + strlen(path);
    while (end > path) {
        const char *slash = memrchr(path, '/', (size_t)(end - path));
        const char *start = slash ? slash + 1 : path;
        const char *parent_end = slash ? slash : path;
        const char *before = slash ? memrchr(path, '/', (size_t)(slash - path)) : NULL;
        const char *parent_start = before ? before + 1 : path;
        const struct part s = {start, (size_t)(end - start)};
        const struct part parent = {parent_start, (size_t)(parent_end - parent_start)};
        for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
            struct part id;
            if (matches(&patterns[i], parent, &id, s)) {
                write_name(&patterns[i], id, ret, size);
                return true;
            }
        }
        end = slash ? slash : path;
    }
    return false;
}
