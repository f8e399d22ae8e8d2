/* SPDX-License-Identifier: MIT
 * Memory files of cgroups. */
#include "recorder/cgroups.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "recorder/fds.h"
#include "recorder/scan.h"
#include "recorder/sources.h"
#include "schema/array.h"

/* Descriptors kept for the files of every tick. */
#define KEPT_MAX  256
#define FILES_MAX 13
#define EACH_TICK 4 /* the first files of a table are read every tick, the rest in rotation */

static const char *const files_v2[FILES_MAX] = {
    "memory.current",       "memory.swap.current", "memory.events", "memory.pressure",
    "memory.stat",          "memory.max",          "memory.high",   "memory.swap.max",
    "memory.zswap.current", "memory.peak",         "cgroup.stat",   "memory.events.local",
    "memory.swap.events",
};
static const char *const files_v1[FILES_MAX] = {
    "memory.usage_in_bytes",
    "memory.memsw.usage_in_bytes",
    "memory.failcnt",
    "memory.oom_control",
    "memory.stat",
    "memory.limit_in_bytes",
    "memory.memsw.limit_in_bytes",
    "memory.kmem.usage_in_bytes",
    "memory.max_usage_in_bytes",
    "memory.soft_limit_in_bytes",
    "memory.numa_stat",
};

/* Where memory is accounted: found out once, by what the tree holds. */
static const struct hierarchy {
    const char *probe, *prefix;
    const char *const *files;
    const char *controller; /* of PID/cgroup's second field; "" is v2's */
    int kills;              /* the file that counts OOM kills: one of those of every tick */
} hierarchies[] = {
    {"cgroup.controllers", "", files_v2, "", 2},
    {"memory/memory.usage_in_bytes", "memory/", files_v1, "memory", 3},
    {"unified/cgroup.controllers", "unified/", files_v2, "", 2},
};

struct group {
    char *path; /* below the hierarchy, "" for the root, else with a '/' at its end */
    uint32_t hash, slot;
    int32_t source[FILES_MAX];
    int32_t fd[EACH_TICK];
    int64_t kills;      /* OOM kills in it, and in v2 below it, as last read; < 0: never */
    uint32_t new_kills; /* not asked for yet */
    uint32_t missing;   /* bits of files that are not here: seldom tried again */
    ino_t ino;          /* of its directory; 0: not known */
    bool removed;       /* a descriptor says so: looked at again in the next snapshot */
};

struct pt_cgroups {
    const struct pt_roots *roots;
    const struct hierarchy *hierarchy; /* NULL: no cgroups */
    struct group *groups;
    uint32_t n, kept, kept_max, slots;
    size_t cap;
    uint64_t refused;
};

static bool add(struct pt_cgroups *c, const char *path, size_t len)
{
    const uint32_t hash = (uint32_t)pt_hash(path, len);
    for (uint32_t i = 0; i < c->n; i++) {
        const struct group *g = &c->groups[i];
        if (g->hash == hash && strlen(g->path) == len + (len > 0) &&
            memcmp(g->path, path, len) == 0)
            return false;
    }
    if (c->n == PT_CGROUPS_MAX) {
        c->refused++;
        return false;
    }
    struct group *groups = pt_array_room(c->groups, c->n, &c->cap, sizeof(*groups));
    if (!groups)
        return false;
    c->groups = groups;
    struct group g = {.hash = hash, .slot = c->slots++, .kills = -1};
    memset(g.source, -1, sizeof(g.source));
    memset(g.fd, -1, sizeof(g.fd));
    if (asprintf(&g.path, "%.*s%s", (int)len, path, len ? "/" : "") < 0)
        return false;
    c->groups[c->n++] = g;
    return true;
}

int pt_cgroups_new(const struct pt_roots *roots, struct pt_cgroups **ret, struct pt_err *err)
{
    struct pt_cgroups *c = calloc(1, sizeof(*c));
    if (!c)
        return pt_err_nomem(err);
    c->roots = roots;
    c->kept_max = pt_fds_share(KEPT_MAX, 1);
    const int dir = roots->root[PT_ROOT_CGROUP].fd;
    for (size_t i = 0; dir >= 0 && !c->hierarchy && i < sizeof(hierarchies) / sizeof(*hierarchies);
         i++) {
        if (faccessat(dir, hierarchies[i].probe, F_OK, 0) == 0)
            c->hierarchy = &hierarchies[i];
    }
    if (c->hierarchy)
        add(c, "", 0);
    *ret = c;
    return 0;
}

static void close_kept(struct pt_cgroups *c, struct group *g, int file)
{
    if (g->fd[file] < 0)
        return;
    close(g->fd[file]);
    g->fd[file] = -1;
    c->kept--;
}

void pt_cgroups_free(struct pt_cgroups *c)
{
    if (!c)
        return;
    for (uint32_t i = 0; i < c->n; i++) {
        for (int k = 0; k < EACH_TICK; k++)
            close_kept(c, &c->groups[i], k);
        free(c->groups[i].path);
    }
    free(c->groups);
    free(c);
}

uint32_t pt_cgroups_count(const struct pt_cgroups *c)
{
    return c->n;
}

uint64_t pt_cgroups_refused(const struct pt_cgroups *c)
{
    return c->refused;
}

/* Is the controller one of a comma-separated list? "" matches the empty list only. */
static bool listed(const char *list, size_t len, const char *controller)
{
    const size_t n = strlen(controller);
    if (n == 0)
        return len == 0;
    struct pt_scan s = pt_scan_of(list, len);
    const char *word;
    size_t word_len;
    while (pt_scan_until(&s, ',', &word, &word_len)) {
        if (word_len == n && memcmp(word, controller, n) == 0)
            return true;
    }
    return false;
}

/* A path and its parents. What is out of this namespace ("/..") is not in our tree. */
static void add_path(struct pt_cgroups *c, const char *path, size_t len)
{
    while (len && *path == '/') {
        path++;
        len--;
    }
    if ((len >= 2 && memcmp(path, "..", 2) == 0) || len > 4000)
        return;
    while (len && add(c, path, len)) {
        const char *slash = memrchr(path, '/', len);
        len = slash ? (size_t)(slash - path) : 0;
    }
}

void pt_cgroups_note(struct pt_cgroups *c, const char *text, size_t len)
{
    if (!c->hierarchy)
        return;
    struct pt_scan lines = pt_scan_of(text, len);
    const char *line, *id, *list;
    size_t n, id_len, list_len;
    while (pt_scan_until(&lines, '\n', &line, &n)) {
        struct pt_scan s = pt_scan_of(line, n);
        if (pt_scan_until(&s, ':', &id, &id_len) && pt_scan_until(&s, ':', &list, &list_len) &&
            listed(list, list_len, c->hierarchy->controller))
            add_path(c, s.p, (size_t)(s.end - s.p));
    }
}

/* ---- reading ---- */

static int open_file(const struct pt_cgroups *c, const struct group *g, const char *file)
{
    char path[4200];
    const int n = snprintf(path, sizeof(path), "%s%s%s", c->hierarchy->prefix, g->path, file);
    if (n >= (int)sizeof(path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return openat(c->roots->root[PT_ROOT_CGROUP].fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

static int32_t source_of(const struct pt_cgroups *c, struct group *g, int file,
                         struct pt_sink *sink)
{
    if (g->source[file] < 0) {
        char *name;
        if (asprintf(&name, "cgroup:%s%s%s", c->hierarchy->prefix, g->path,
                     c->hierarchy->files[file]) < 0)
            return -1;
        const int64_t source = pt_sink_open(sink, name);
        free(name);
        g->source[file] = source < 0 || source > INT32_MAX ? -1 : (int32_t)source;
    }
    return g->source[file];
}

static void file_failed(struct pt_cgroups *c, struct group *g, int file, struct pt_sink *sink,
                        int why)
{
    if (file < EACH_TICK)
        close_kept(c, g, file);
    g->removed |= why == ENODEV; /* what an open file of a removed group gives */
    if (why == ENOENT || why == ENODEV) {
        g->missing |= 1u << file;
        if (g->source[file] >= 0)
            pt_sink_gone(sink, (uint32_t)g->source[file]);
        g->source[file] = -1;
        return;
    }
    if (source_of(c, g, file, sink) >= 0)
        pt_sink_fail(sink, (uint32_t)g->source[file], why, PT_UNKNOWN);
}

static void note_kills(struct group *g, const char *text, size_t len)
{
    uint64_t kills;
    if (!pt_scan_after(text, len, "oom_kill ", &kills) || kills > INT32_MAX)
        return;
    if (g->kills >= 0 && (int64_t)kills > g->kills)
        g->new_kills += (uint32_t)((int64_t)kills - g->kills);
    g->kills = (int64_t)kills;
}

static void read_file(struct pt_cgroups *c, struct group *g, int file, struct pt_sink *sink)
{
    const bool kept = file < EACH_TICK && g->fd[file] >= 0;
    const int fd = kept ? g->fd[file] : open_file(c, g, c->hierarchy->files[file]);
    if (fd < 0) {
        file_failed(c, g, file, sink, errno);
        return;
    }
    const int32_t source = source_of(c, g, file, sink);
    const ssize_t n = source < 0 ? -ENOMEM : pt_sink_fd(sink, (uint32_t)source, fd, PT_READ_ALL);
    if (!kept && n >= 0 && file < EACH_TICK && c->kept < c->kept_max) {
        g->fd[file] = fd;
        c->kept++;
    } else if (!kept) {
        close(fd);
    }
    if (n < 0)
        file_failed(c, g, file, sink, (int)-n);
    else if (file == c->hierarchy->kills && n < (ssize_t)PT_SINK_BUFFER)
        note_kills(g, sink->buf, (size_t)n);
}

static void close_all(struct pt_cgroups *c, struct group *g)
{
    for (int k = 0; k < EACH_TICK; k++)
        close_kept(c, g, k);
}

static void leave(struct pt_cgroups *c, struct group *g, struct pt_sink *sink)
{
    for (int k = 0; k < FILES_MAX; k++) {
        if (g->source[k] >= 0)
            pt_sink_gone(sink, (uint32_t)g->source[k]);
    }
    close_all(c, g);
    free(g->path);
}

/* Another directory of its name is another group, that was made after it was removed: what was
 * found out does not hold. */
static bool still_there(struct pt_cgroups *c, struct group *g)
{
    char path[4200];
    struct stat st;
    snprintf(path, sizeof(path), "%s%s.", c->hierarchy->prefix, g->path);
    g->removed = false;
    if (fstatat(c->roots->root[PT_ROOT_CGROUP].fd, path, &st, 0) != 0)
        return errno != ENOENT;
    if (g->ino != st.st_ino) {
        close_all(c, g);
        g->missing = 0;
    }
    g->ino = st.st_ino;
    return true;
}

/* true: it is still there. */
static bool read_group(struct pt_cgroups *c, struct group *g, struct pt_sink *sink, uint64_t tick,
                       bool full)
{
    const bool slow = full || g->removed || tick % PT_SLOW_TICKS == g->slot % PT_SLOW_TICKS;
    if ((slow || !g->ino) && !still_there(c, g)) {
        leave(c, g, sink);
        return false;
    }
    if (full || tick % PT_RARE_TICKS == g->slot % PT_RARE_TICKS)
        g->missing = 0; /* accounting may have been turned on since */
    for (int k = 0; k < FILES_MAX && c->hierarchy->files[k]; k++) {
        if ((slow || k < EACH_TICK) && !(g->missing & 1u << k))
            read_file(c, g, k, sink);
    }
    return true;
}

void pt_cgroups_tick(struct pt_cgroups *c, struct pt_sink *sink, uint64_t tick, bool full)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < c->n; i++) {
        if (read_group(c, &c->groups[i], sink, tick, full))
            c->groups[kept++] = c->groups[i];
    }
    c->n = kept;
}

/* In v2 a parent counts the kills below it, too. */
static bool told_below(const struct pt_cgroups *c, const struct group *g)
{
    const size_t len = strlen(g->path);
    for (uint32_t i = 0; i < c->n; i++) {
        const struct group *other = &c->groups[i];
        if (other != g && other->new_kills && strncmp(other->path, g->path, len) == 0)
            return true;
    }
    return false;
}

uint32_t pt_cgroups_kills(struct pt_cgroups *c, struct pt_cgroup_kills *ret, uint32_t max)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->n && n < max; i++) {
        const struct group *g = &c->groups[i];
        if (!g->new_kills || told_below(c, g))
            continue;
        const size_t len = strlen(g->path);
        ret[n].kills = g->new_kills;
        snprintf(ret[n++].path, sizeof(ret->path), "/%.*s", (int)(len ? len - 1 : 0), g->path);
    }
    for (uint32_t i = 0; i < c->n; i++)
        c->groups[i].new_kills = 0;
    return n;
}
