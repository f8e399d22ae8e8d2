/* SPDX-License-Identifier: MIT
 * Portraits of processes, the dead among them. */
#include "recorder/portrait.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "recorder/scan.h"

#define TEXT_MAX (64u << 10)
/* Smaller ones are buried without a portrait: they are not what an OOM kill is about. */
#define LARGE_KB 1024

static bool plain(char c)
{
    return (unsigned char)c >= ' ' && c != 127 && c != '\\';
}

size_t pt_line_put(char *ret, size_t size, const char *bytes, size_t len)
{
    size_t total = 0, n = 0;
    for (size_t i = 0; i < len; i++)
        total += plain(bytes[i]) ? 1 : 4;
    const bool fits = total < size;
    const size_t room = fits ? size - 1 : size - 4; /* "..." */
    for (size_t i = 0; i < len && n + (plain(bytes[i]) ? 1 : 4) <= room; i++) {
        if (plain(bytes[i]))
            ret[n++] = bytes[i];
        else
            n += (size_t)snprintf(ret + n, size - n, "\\x%02x", (unsigned char)bytes[i]);
    }
    if (!fits) {
        memcpy(ret + n, "...", 3);
        n += 3;
    }
    ret[n] = 0;
    return n;
}

void pt_gallery_init(struct pt_gallery *g)
{
    *g = (struct pt_gallery){0};
    pt_buf_init(&g->text, TEXT_MAX);
}

void pt_gallery_release(struct pt_gallery *g)
{
    pt_buf_release(&g->text);
}

/* The last reading of one of its files as a text; empty where there is none. */
static void render(struct pt_gallery *g, const struct pt_proc *p, const struct pt_sink *sink,
                   enum pt_proc_file file)
{
    pt_buf_reset(&g->text);
    const struct pt_reading *r =
        p->source[file] < 0 ? NULL : pt_enc_last(sink->enc, (uint32_t)p->source[file]);
    if (r && pt_reading_text(sink->shapes, r, &g->text, NULL) < 0)
        pt_buf_reset(&g->text);
}

/* "0::/path", "9:memory:/path": the line of the hierarchy that accounts for memory. */
static void take_cgroup(const char *text, size_t len, char ret[PT_CGROUP_MAX])
{
    struct pt_scan lines = pt_scan_of(text, len);
    const char *line, *id, *list;
    size_t n, id_len, list_len;
    while (pt_scan_until(&lines, '\n', &line, &n)) {
        struct pt_scan s = pt_scan_of(line, n);
        if (!pt_scan_until(&s, ':', &id, &id_len) || !pt_scan_until(&s, ':', &list, &list_len))
            continue;
        const bool memory = memmem(list, list_len, "memory", 6) != NULL;
        if (memory || (list_len == 0 && !*ret))
            pt_line_put(ret, PT_CGROUP_MAX, s.p, (size_t)(s.end - s.p));
        if (memory)
            return;
    }
}

static void take_cmdline(char *text, size_t len, char ret[PT_CMDLINE_MAX])
{
    while (len && text[len - 1] == 0)
        len--;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == 0)
            text[i] = ' ';
    }
    pt_line_put(ret, PT_CMDLINE_MAX, text, len);
}

static void take(struct pt_gallery *g, const struct pt_proc *p, const struct pt_sink *sink,
                 int64_t n, struct pt_portrait *ret)
{
    uint64_t kb;
    *ret = (struct pt_portrait){
        .pid = p->pid,
        .start_time = p->start_time,
        .n = n,
        .rss_kb = (int64_t)p->rss_pages * (sysconf(_SC_PAGESIZE) / 1024),
        .swap_kb = PT_UNKNOWN,
    };
    render(g, p, sink, PT_PROC_STATUS);
    if (pt_scan_after((const char *)g->text.data, g->text.len, "\nVmSwap:", &kb))
        ret->swap_kb = (int64_t)kb;
    render(g, p, sink, PT_PROC_CGROUP);
    take_cgroup((const char *)g->text.data, g->text.len, ret->cgroup);
    render(g, p, sink, PT_PROC_CMDLINE);
    take_cmdline((char *)g->text.data, g->text.len, ret->cmdline);
}

void pt_gallery_bury(struct pt_gallery *g, const struct pt_proc *p, const struct pt_sink *sink,
                     int64_t n)
{
    if (p->kernel || n <= 0)
        return;
    g->dead[g->ndead++ % PT_DEAD_MAX] =
        (struct pt_dead){.pid = p->pid, .start_time = p->start_time, .n = n};
    if ((int64_t)p->rss_pages * (sysconf(_SC_PAGESIZE) / 1024) >= LARGE_KB)
        take(g, p, sink, n, &g->portrait[g->nportraits++ % PT_PORTRAITS_MAX]);
}

static const struct pt_portrait *buried(const struct pt_gallery *g, uint32_t pid)
{
    for (uint32_t i = 1; i <= PT_PORTRAITS_MAX && i <= g->nportraits; i++) {
        const struct pt_portrait *p = &g->portrait[(g->nportraits - i) % PT_PORTRAITS_MAX];
        if (p->pid == pid)
            return p;
    }
    return NULL;
}

const struct pt_portrait *pt_gallery_find(struct pt_gallery *g, struct pt_procs *procs,
                                          const struct pt_sink *sink, int64_t last_n, uint32_t pid)
{
    const struct pt_proc *p = pt_procs_find(procs, pid);
    const struct pt_portrait *dead = buried(g, pid);
    if (!p || p->fresh)
        return dead;
    if (p->rss_pages == 0 && dead && dead->start_time == p->start_time)
        return dead; /* as it was before it began to end */
    take(g, p, sink, last_n, &g->living);
    return &g->living;
}

bool pt_gallery_life(const struct pt_gallery *g, struct pt_procs *procs, int64_t last_n,
                     uint32_t pid, struct pt_dead *ret)
{
    const struct pt_proc *p = pt_procs_find(procs, pid);
    if (p && !p->fresh && last_n > 0) {
        *ret = (struct pt_dead){pid, p->start_time, last_n};
        return true;
    }
    for (uint32_t i = 1; i <= PT_DEAD_MAX && i <= g->ndead; i++) {
        const struct pt_dead *d = &g->dead[(g->ndead - i) % PT_DEAD_MAX];
        if (d->pid == pid) {
            *ret = *d;
            return true;
        }
    }
    return false;
}
