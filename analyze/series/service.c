/* SPDX-License-Identifier: MIT
 * Cgroup path to service: a table of what the usual managers call their groups. The path is read
 * from the root inwards, a component at a time. */
#include "analyze/series/service.h"

#include <stdio.h>
#include <string.h>

#define SHORT_ID 12 /* digits of a container's id that are shown, as its own tools do */

enum id {
    ID_WHOLE, /* the component as it is */
    ID_HEX,   /* at least 12 hexadecimal digits */
    ID_HEX64, /* exactly 64 */
    ID_UUID,  /* or its 32 digits alone, as of static pods; systemd writes dashes as underscores */
    ID_NAME,  /* what stands there, \xNN undone */
};
enum level {
    UNIT,      /* within what is around it */
    MANAGER,   /* of a user: its units bear the names of the system's */
    CONTAINER, /* whatever it is in */
    PAYLOAD,   /* a container that the unit around it is named for: its id changes, that does not */
    POD,
};

/* The first that fits holds. Docker, containerd, CRI-O, podman with either cgroup driver; kubelet,
 * also where its groups are below another's; LXC since 3.1 (lxc.payload) and before; machines of
 * systemd-nspawn and libvirt. */
static const struct pattern {
    const char *prefix; /* of the component; with '*' in front: anywhere in it */
    const char *suffix;
    const char *parent; /* the component before; NULL: any */
    enum id id;
    enum level level;
    const char *label; /* of a pod: its class of service */
} patterns[] = {
    {"docker-", ".scope", NULL, ID_HEX, CONTAINER, "docker-"},
    {"cri-containerd-", ".scope", NULL, ID_HEX, CONTAINER, "containerd-"},
    {"nerdctl-", ".scope", NULL, ID_HEX, CONTAINER, "nerdctl-"},
    {"crio-conmon-", ".scope", NULL, ID_HEX, CONTAINER, "crio-conmon-"},
    {"crio-conmon-", "", NULL, ID_HEX, CONTAINER, "crio-conmon-"},
    {"crio-", ".scope", NULL, ID_HEX, CONTAINER, "crio-"},
    {"crio-", "", NULL, ID_HEX, CONTAINER, "crio-"},
    {"libpod-conmon-", ".scope", NULL, ID_HEX, CONTAINER, "podman-conmon-"},
    {"libpod-payload-", "", NULL, ID_HEX, PAYLOAD, "podman-"}, /* --cgroups=split, Quadlet */
    {"libpod-", ".scope", NULL, ID_HEX, CONTAINER, "podman-"},
    {"libpod-", "", NULL, ID_HEX, CONTAINER, "podman-"},
    {"*:cri-containerd:", "", NULL, ID_HEX, CONTAINER, "containerd-"}, /* systemd's spelling... */
    {"*:crio:", "", NULL, ID_HEX, CONTAINER, "crio-"},                 /* ...taken for a path */
    {"*:docker:", "", NULL, ID_HEX, CONTAINER, "docker-"},
    {"*:libpod:", "", NULL, ID_HEX, CONTAINER, "podman-"},
    {"lxc.payload.", "", NULL, ID_NAME, CONTAINER, "lxc-"},
    {"lxc.monitor.", "", NULL, ID_NAME, CONTAINER, "lxc-monitor-"},
    {"", "", "lxc.payload", ID_NAME, CONTAINER, "lxc-"},
    {"", "", "lxc.monitor", ID_NAME, CONTAINER, "lxc-monitor-"},
    {"", "", "lxc", ID_NAME, CONTAINER, "lxc-"},
    {"", "", "docker", ID_HEX, CONTAINER, "docker-"},
    {"", "", "buildkit", ID_NAME, CONTAINER, "buildkit-"},
    {"", "", NULL, ID_HEX64, CONTAINER, "container-"},
    {"systemd-nspawn@", ".service", NULL, ID_NAME, CONTAINER, "machine-"},
    {"machine-", ".scope", NULL, ID_NAME, CONTAINER, "machine-"},
    {"user@", ".service", NULL, ID_NAME, MANAGER, "user@"},
    {"", ".service", NULL, ID_WHOLE, UNIT, ""},
    {"", ".scope", NULL, ID_WHOLE, UNIT, ""},
    {"", ".mount", NULL, ID_WHOLE, UNIT, ""}, /* FUSE daemons */
    {"", ".socket", NULL, ID_WHOLE, UNIT, ""},
    {"", ".swap", NULL, ID_WHOLE, UNIT, ""},
    {"*kubepods-burstable-pod", ".slice", NULL, ID_UUID, POD, "burstable"},
    {"*kubepods-besteffort-pod", ".slice", NULL, ID_UUID, POD, "besteffort"},
    {"*kubepods-pod", ".slice", NULL, ID_UUID, POD, "guaranteed"},
    {"pod", "", "burstable", ID_UUID, POD, "burstable"},
    {"pod", "", "besteffort", ID_UUID, POD, "besteffort"},
    {"pod", "", "kubepods", ID_UUID, POD, "guaranteed"},
    {"pod", "", NULL, ID_UUID, POD, NULL}, /* kubepods is out of this namespace */
    {"*libpod_pod_", ".slice", NULL, ID_HEX, POD, NULL},
};

struct part {
    const char *p;
    size_t n;
};

/* What one component says. */
struct match {
    const struct pattern *pattern; /* NULL: nothing */
    struct part id;
};

static bool is(struct part s, const char *text)
{
    return s.n == strlen(text) && memcmp(s.p, text, s.n) == 0;
}

static bool take_prefix(struct part *s, const char *prefix)
{
    const bool anywhere = *prefix == '*';
    const size_t n = strlen(prefix) - anywhere;
    const char *at = anywhere ? memmem(s->p, s->n, prefix + 1, n) : s->p;
    if (!at || s->n < n || memcmp(at, prefix + anywhere, n) != 0)
        return false;
    s->n -= (size_t)(at - s->p) + n;
    s->p = at + n;
    return true;
}

static bool take_suffix(struct part *s, const char *suffix)
{
    const size_t n = strlen(suffix);
    if (s->n < n || memcmp(s->p + s->n - n, suffix, n) != 0)
        return false;
    s->n -= n;
    return true;
}

static bool all_hex(struct part s)
{
    for (size_t i = 0; i < s.n; i++) {
        const char c = s.p[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
    }
    return true;
}

static bool is_uuid(struct part s)
{
    static const size_t dashes[] = {8, 13, 18, 23};
    if (s.n == 32)
        return all_hex(s);
    size_t from = 0;
    for (unsigned i = 0; s.n == 36 && i < 4; i++) {
        const char dash = s.p[dashes[i]];
        if ((dash != '-' && dash != '_') || !all_hex((struct part){s.p + from, dashes[i] - from}))
            return false;
        from = dashes[i] + 1;
    }
    return s.n == 36 && all_hex((struct part){s.p + from, s.n - from});
}

static bool is_id(enum id kind, struct part s)
{
    switch (kind) {
    case ID_HEX:
        return s.n >= SHORT_ID && all_hex(s);
    case ID_HEX64:
        return s.n == 64 && all_hex(s);
    case ID_UUID:
        return is_uuid(s);
    case ID_NAME:
    case ID_WHOLE:
        break;
    }
    return s.n > 0;
}

static bool fits(const struct pattern *p, struct part parent, struct part s, struct part *ret_id)
{
    struct part id = s;
    if (p->level == POD) { /* "kubepods-pod<uid>.slice:cri-containerd:<id>" tells of both */
        const char *colon = memchr(s.p, ':', s.n);
        id.n = colon ? (size_t)(colon - s.p) : s.n;
    }
    if ((p->parent && !is(parent, p->parent)) || !take_prefix(&id, p->prefix) ||
        !take_suffix(&id, p->suffix) || !is_id(p->id, id))
        return false;
    *ret_id = p->id == ID_WHOLE ? s : id;
    return true;
}

static struct match match(struct part parent, struct part s, bool pod)
{
    struct match m = {0};
    for (size_t i = 0; !m.pattern && i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        if ((patterns[i].level == POD) == pod && fits(&patterns[i], parent, s, &m.id))
            m.pattern = &patterns[i];
    }
    return m;
}

/* ---- names ---- */

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* systemd's escapes undone. */
static void write_name(struct part id, char *ret, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < id.n && n + 1 < size; i++) {
        const bool escape = id.n - i >= 4 && id.p[i] == '\\' && id.p[i + 1] == 'x' &&
                            hex_digit(id.p[i + 2]) >= 0 && hex_digit(id.p[i + 3]) >= 0;
        ret[n++] = escape ? (char)(hex_digit(id.p[i + 2]) << 4 | hex_digit(id.p[i + 3])) : id.p[i];
        i += escape ? 3 : 0;
    }
    ret[n] = '\0';
}

/* libvirt numbers its machines anew with each start: "qemu-3-web" is "qemu-web". */
static void drop_number(char *name)
{
    static const char *const numbered[] = {"qemu-", "lxc-"};
    for (unsigned i = 0; i < sizeof(numbered) / sizeof(numbered[0]); i++) {
        const size_t n = strlen(numbered[i]);
        const size_t digits =
            strncmp(name, numbered[i], n) == 0 ? strspn(name + n, "0123456789") : 0;
        if (digits > 0 && name[n + digits] == '-')
            memmove(name + n, name + n + digits + 1, strlen(name + n + digits + 1) + 1);
    }
}

static void write_id(const struct match *m, char *ret, size_t size)
{
    if (m->pattern->id == ID_NAME) {
        write_name(m->id, ret, size);
        return;
    }
    snprintf(ret, size, "%.*s", (int)m->id.n, m->id.p);
    for (char *p = ret; m->pattern->id == ID_UUID && *p; p++) {
        if (*p == '_')
            *p = '-';
    }
}

/* What is around the unit. */
static void write_context(const struct match *m, char *ret, size_t size)
{
    const bool hex = m->pattern->id == ID_HEX || m->pattern->id == ID_HEX64;
    char id[256];
    write_id(m, id, sizeof(id));
    if (strcmp(m->pattern->label, "machine-") == 0)
        drop_number(id);
    snprintf(ret, size, "%s%.*s", m->pattern->label, hex ? SHORT_ID : 255, id);
}

static void write_service(const struct match *context, const struct match *unit,
                          struct pt_service *ret)
{
    char around[300] = "";
    if (context->pattern)
        write_context(context, around, sizeof(around));
    if (unit->pattern)
        snprintf(ret->name, sizeof(ret->name), "%s%s%.*s", around, *around ? "/" : "",
                 unit->id.n < 255 ? (int)unit->id.n : 255, unit->id.p);
    else if (context->pattern)
        snprintf(ret->name, sizeof(ret->name), "%s%s", around,
                 context->pattern->level == MANAGER ? ".service" : "");
    else if (*ret->pod)
        snprintf(ret->name, sizeof(ret->name), "pod-%s", ret->pod);
}

/* ---- the path ---- */

struct walk {
    struct match context, unit;
    struct pt_service *ret;
};

static void take(struct walk *w, struct part parent, struct part s)
{
    const struct match pod = match(parent, s, true), m = match(parent, s, false);
    if (pod.pattern) {
        write_id(&pod, w->ret->pod, sizeof(w->ret->pod));
        w->ret->qos = pod.pattern->label;
    }
    if (!m.pattern)
        return;
    const enum level level = m.pattern->level;
    if (level == CONTAINER || level == PAYLOAD)
        write_id(&m, w->ret->container, sizeof(w->ret->container));
    if (level == CONTAINER || (level == PAYLOAD && !w->unit.pattern) ||
        (level == MANAGER && !w->context.pattern)) {
        w->context = m;
        w->unit.pattern = NULL;
    } else if (level != PAYLOAD) {
        w->unit = m;
    }
}

bool pt_service_of_cgroup(const char *path, struct pt_service *ret)
{
    static const char deleted[] = " (deleted)";
    struct walk w = {.ret = ret};
    struct part all = {path, strlen(path)}, parent = {path, 0};
    ret->name[0] = ret->container[0] = ret->pod[0] = '\0';
    ret->qos = NULL;
    take_suffix(&all, deleted);
    const char *end = all.p + all.n;
    for (const char *p = all.p; p < end;) {
        const char *slash = memchr(p, '/', (size_t)(end - p));
        const struct part s = {p, (size_t)((slash ? slash : end) - p)};
        if (s.n > 0)
            take(&w, parent, s);
        parent = s.n > 0 ? s : parent;
        p = slash ? slash + 1 : end;
    }
    write_service(&w.context, &w.unit, ret);
    return *ret->name != '\0';
}
