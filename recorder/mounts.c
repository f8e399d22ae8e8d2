/* SPDX-License-Identifier: MIT
 * tmpfs mounts. */
#include "recorder/mounts.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "recorder/scan.h"
#include "schema/wire.h"

#define TEXT_MAX (1u << 20)

/* Filesystems a path may lead through: none of them waits for a server. */
static const char *const local_types[] = {
    "tmpfs",     "devtmpfs", "ramfs",   "proc",       "sysfs", "cgroup", "cgroup2",
    "ext2",      "ext3",     "ext4",    "xfs",        "btrfs", "f2fs",   "zfs",
    "overlay",   "squashfs", "rootfs",  "erofs",      "vfat",  "devpts", "mqueue",
    "hugetlbfs", "debugfs",  "tracefs", "securityfs",
};

struct line {
    const char *point, *type;
    size_t point_len, type_len;
};

static bool is_local(const struct line *l)
{
    for (size_t i = 0; i < sizeof(local_types) / sizeof(*local_types); i++) {
        if (l->type_len == strlen(local_types[i]) &&
            memcmp(l->type, local_types[i], l->type_len) == 0)
            return true;
    }
    return false;
}

static bool next_line(struct pt_scan *s, struct line *ret)
{
    const char *text, *device;
    size_t n, device_len;
    while (pt_scan_until(s, '\n', &text, &n)) {
        struct pt_scan words = pt_scan_of(text, n);
        if (pt_scan_until(&words, ' ', &device, &device_len) &&
            pt_scan_until(&words, ' ', &ret->point, &ret->point_len) &&
            pt_scan_until(&words, ' ', &ret->type, &ret->type_len) && ret->point_len &&
            *ret->point == '/')
            return true;
    }
    return false;
}

/* Does the way to `to` lead through the mount point of `l`? */
static bool on_the_way(const struct line *l, const struct line *to)
{
    if (l->point_len == 1)
        return true;
    return l->point_len <= to->point_len && memcmp(l->point, to->point, l->point_len) == 0 &&
           (l->point_len == to->point_len || to->point[l->point_len] == '/');
}

static bool safe(const char *text, size_t len, const struct line *mount)
{
    struct pt_scan s = pt_scan_of(text, len);
    struct line l;
    while (next_line(&s, &l)) {
        if (on_the_way(&l, mount) && !is_local(&l))
            return false;
    }
    return true;
}

/* Turns \040 and the like into bytes. */
static char *unescaped(const char *prefix, const char *point, size_t len)
{
    const size_t n = strlen(prefix);
    char *out = malloc(n + len + 1);
    if (!out)
        return NULL;
    memcpy(out, prefix, n);
    char *p = out + n;
    for (size_t i = 0; i < len; i++) {
        if (point[i] == '\\' && i + 3 < len) {
            *p++ = (char)((point[i + 1] - '0') << 6 | (point[i + 2] - '0') << 3 |
                          (point[i + 3] - '0'));
            i += 3;
        } else {
            *p++ = point[i];
        }
    }
    *p = 0;
    return out;
}

static bool has(const struct pt_mounts *m, const char *name, uint32_t *ret)
{
    for (uint32_t i = 0; i < m->n; i++) {
        if (strcmp(m->mount[i].name, name) == 0) {
            *ret = i;
            return true;
        }
    }
    return false;
}

static void mount_free(struct pt_mount *mount)
{
    free(mount->name);
    free(mount->path);
}

void pt_mounts_parse(struct pt_mounts *ret, const char *text, size_t len, const char *prefix)
{
    struct pt_scan s = pt_scan_of(text, len);
    struct line l;
    uint32_t at;
    *ret = (struct pt_mounts){.n = 0};
    while (ret->n < PT_MOUNTS_MAX && next_line(&s, &l)) {
        if (l.type_len != 5 || memcmp(l.type, "tmpfs", 5) != 0 || !safe(text, len, &l))
            continue;
        struct pt_mount mount = {.source = -1, .path = unescaped(prefix, l.point, l.point_len)};
        if (asprintf(&mount.name, "statfs:%.*s", (int)l.point_len, l.point) < 0)
            mount.name = NULL;
        if (mount.name && mount.path && !has(ret, mount.name, &at))
            ret->mount[ret->n++] = mount;
        else
            mount_free(&mount);
    }
}

static void read_mounts(const struct pt_roots *roots, const char *file, struct pt_buf *text)
{
    const int fd = openat(roots->root[PT_ROOT_PROC].fd, file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t n = fd < 0 ? 0 : 1;
    while (n > 0) {
        uint8_t *room = pt_buf_room(text, 4096);
        n = room ? read(fd, room, 4096) : 0;
        text->len += n > 0 ? (size_t)n : 0;
    }
    if (fd >= 0)
        close(fd);
}

void pt_mounts_update(struct pt_mounts *m, const struct pt_roots *roots,
                      void (*gone)(void *ctx, int32_t source), void *ctx)
{
    char prefix[512] = "";
    struct pt_buf text;
    pt_buf_init(&text, TEXT_MAX);
    if (roots->other_proc || pt_roots_ns_differs(roots, "mnt")) {
        /* the host's mounts, by way of pid 1's root: a service has a view of its own */
        snprintf(prefix, sizeof(prefix), "%s/1/root", roots->root[PT_ROOT_PROC].path);
        read_mounts(roots, "1/mounts", &text);
    } else {
        read_mounts(roots, "self/mounts", &text);
    }
    struct pt_mounts now;
    pt_mounts_parse(&now, (const char *)text.data, text.len, prefix);
    pt_buf_release(&text);
    for (uint32_t i = 0; i < m->n; i++) {
        uint32_t at;
        if (has(&now, m->mount[i].name, &at))
            now.mount[at].source = m->mount[i].source;
        else if (m->mount[i].source >= 0)
            gone(ctx, m->mount[i].source);
    }
    pt_mounts_release(m);
    *m = now;
}

void pt_mounts_release(struct pt_mounts *m)
{
    for (uint32_t i = 0; i < m->n; i++)
        mount_free(&m->mount[i]);
    m->n = 0;
}
