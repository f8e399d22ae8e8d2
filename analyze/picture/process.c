/* SPDX-License-Identifier: MIT
 * Walks the sources of a view, a process at a time: its files stand side by side, sorted by name.
 */
#include "analyze/picture/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/picture/items.h"
#include "analyze/series/service.h"
#include "schema/array.h"
#include "schema/source.h"

#define TEXT_MAX   (16u << 20)
#define PF_KTHREAD 0x00200000
#define LEAVES     10

const char *pt_measure_name(enum pt_measure m)
{
    static const char *const names[PT_MEASURES] = {
        [PT_RSS] = "rss",   [PT_ANON] = "anon", [PT_FILE] = "file", [PT_SHMEM] = "shmem",
        [PT_SWAP] = "swap", [PT_PSS] = "pss",   [PT_USS] = "uss",
    };
    return names[m];
}

struct load {
    const struct pt_view *view;
    const struct pt_shapes *shapes;
    struct pt_smaps *smaps;
    struct pt_processes *ret;
    size_t cap;
    struct pt_process *now;
    struct pt_buf text;
    int64_t page_size;
    const struct pt_source_at *at; /* the source being read, and its file */
    const struct pt_file *file;
    const struct pt_file *files[LEAVES]; /* looked up once */
    struct {
        int64_t rss, shared;
    } statm;
    const struct pt_source_at *rollup;
    bool present, is_lost;
    struct pt_err *err;
};

/* ---- one file each ---- */

struct into {
    const char *field;
    size_t offset; /* of an int64_t in struct pt_process */
    bool kib;
};

static bool put_number(struct pt_process *p, const struct into *table, size_t n,
                       const struct pt_item *item)
{
    for (size_t i = 0; i < n; i++) {
        if (!pt_items_is(item, table[i].field))
            continue;
        const int64_t v = pt_items_times(pt_items_number(item), table[i].kib ? 1024 : 1);
        memcpy((char *)p + table[i].offset, &v, sizeof(v));
        return true;
    }
    return false;
}

static char *keep(struct load *l, const void *bytes, size_t n)
{
    return pt_arena_copy(&l->ret->arena, bytes, n);
}

#define AT(member) offsetof(struct pt_process, member)

static int emit_stat(void *ctx, const struct pt_item *item)
{
    static const struct into table[] = {
        {"ppid", AT(ppid), false},
        {"num_threads", AT(threads), false},
        {"starttime", AT(start_time), false},
        {"vsize", AT(vsize), false},
    };
    struct load *l = ctx;
    struct pt_process *p = l->now;
    if (put_number(p, table, sizeof(table) / sizeof(table[0]), item))
        return 0;
    if (pt_items_is(item, "comm")) {
        p->comm = keep(l, item->value, item->value_len);
    } else if (pt_items_is(item, "state")) {
        p->state = item->value_len ? item->value[0] : '\0';
    } else if (pt_items_is(item, "flags")) {
        const int64_t flags = pt_items_number(item);
        p->kernel = flags != PT_UNKNOWN && (flags & PF_KTHREAD);
    } else if (pt_items_is(item, "utime")) {
        p->cpu = pt_items_number(item);
    } else if (pt_items_is(item, "stime")) {
        const int64_t stime = pt_items_number(item);
        if (p->cpu == PT_UNKNOWN || stime == PT_UNKNOWN ||
            __builtin_add_overflow(p->cpu, stime, &p->cpu))
            p->cpu = PT_UNKNOWN;
    } else if (pt_items_is(item, "rss")) {
        return -1; /* what follows is not needed; the caller knows */
    }
    return 0;
}

static int emit_status(void *ctx, const struct pt_item *item)
{
    static const struct into table[] = {
        {"VmRSS", AT(m[PT_RSS]), true},    {"RssAnon", AT(m[PT_ANON]), true},
        {"RssFile", AT(m[PT_FILE]), true}, {"RssShmem", AT(m[PT_SHMEM]), true},
        {"VmSwap", AT(m[PT_SWAP]), true},  {"VmSize", AT(vsize), true},
        {"Uid", AT(uid), false},           {"VmPTE", AT(pgtables), true},
    };
    struct load *l = ctx;
    put_number(l->now, table, sizeof(table) / sizeof(table[0]), item);
    return pt_items_is(item, "VmSwap") ? -1 : 0; /* the last of them: half of the lines follow */
}

static int emit_statm(void *ctx, const struct pt_item *item)
{
    struct load *l = ctx;
    if (pt_items_is(item, "resident"))
        l->statm.rss = pt_items_times(pt_items_number(item), l->page_size);
    else if (pt_items_is(item, "shared"))
        l->statm.shared = pt_items_times(pt_items_number(item), l->page_size);
    return 0;
}

static int load_stat(struct load *l)
{
    l->present = true;
    pt_items_each(l->shapes, l->file, l->at, &l->text, emit_stat, l, l->err);
    return 0;
}

static int load_status(struct load *l)
{
    l->present = true;
    l->now->read_us = l->at->read_us;
    pt_items_each(l->shapes, l->file, l->at, &l->text, emit_status, l, l->err);
    return 0;
}

static int load_statm(struct load *l)
{
    l->present = true;
    pt_items_each(l->shapes, l->file, l->at, &l->text, emit_statm, l, l->err);
    return 0;
}

static int emit_single(void *ctx, const struct pt_item *item)
{
    *(int64_t *)ctx = pt_items_number(item);
    return 0;
}

static int load_adj(struct load *l)
{
    pt_items_each(l->shapes, l->file, l->at, &l->text, emit_single, &l->now->oom_adj, l->err);
    return 0;
}

static int load_score(struct load *l)
{
    pt_items_each(l->shapes, l->file, l->at, &l->text, emit_single, &l->now->oom_score, l->err);
    return 0;
}

static int load_exe(struct load *l)
{
    const char *text = pt_items_text(l->shapes, l->at, &l->text);
    if (text && *text)
        l->now->exe = keep(l, text, strcspn(text, "\n"));
    return 0;
}

/* Arguments end in NULs; people read them with blanks between. */
static int load_cmdline(struct load *l)
{
    if (!pt_items_text(l->shapes, l->at, &l->text) || l->text.len == 0)
        return 0;
    size_t n = l->text.len;
    while (n > 0 && l->text.data[n - 1] == '\0')
        n--;
    for (size_t i = 0; i < n; i++) {
        if (l->text.data[i] == '\0')
            l->text.data[i] = ' ';
    }
    l->now->cmdline = keep(l, l->text.data, n);
    return 0;
}

static const char *keep_name(struct load *l, const char *name)
{
    return *name ? keep(l, name, strlen(name)) : NULL;
}

struct hierarchies {
    char path[3][4096]; /* v1 memory, v2, systemd's own */
    bool set[3];
};

static int emit_cgroup(void *ctx, const struct pt_item *item)
{
    struct hierarchies *h = ctx;
    int which = -1;
    if (!pt_items_is(item, "path") || item->value_len >= sizeof(h->path[0]))
        return 0;
    if (item->row_len == 0)
        which = 1;
    else if (item->row_len == strlen("name=systemd") &&
             memcmp(item->row, "name=systemd", item->row_len) == 0)
        which = 2;
    else if (memmem(item->row, item->row_len, "memory", strlen("memory")))
        which = 0;
    if (which >= 0) {
        memcpy(h->path[which], item->value, item->value_len);
        h->path[which][item->value_len] = '\0';
        h->set[which] = true;
    }
    return 0;
}

static int load_cgroup(struct load *l)
{
    struct hierarchies h;
    struct pt_service found = {.name = ""};
    memset(h.set, 0, sizeof(h.set)); /* not 12 KiB of paths a process */
    pt_items_each(l->shapes, l->file, l->at, &l->text, emit_cgroup, &h, l->err);
    for (int i = 0; i < 3 && !l->now->cgroup; i++) {
        if (h.set[i])
            l->now->cgroup = keep(l, h.path[i], strlen(h.path[i]));
    }
    /* systemd may name its units in a hierarchy of its own alone, or finer there; the hierarchies
     * it does not manage are all a container has */
    for (int i = 2; i >= 0 && !*found.container; i--) {
        struct pt_service s;
        if (h.set[i] && pt_service_of_cgroup(h.path[i], &s) && (!*found.name || *s.container))
            found = s;
    }
    l->now->service = keep_name(l, found.name);
    l->now->container = keep_name(l, found.container);
    l->now->pod = keep_name(l, found.pod);
    l->now->qos = found.qos;
    return 0;
}

static int load_smaps(struct load *l)
{
    l->now->deep = l->at->presence;
    l->now->smaps = l->at->reading;
    l->now->smaps_us = l->at->reading ? l->at->read_us : PT_UNKNOWN; /* else: of the last try */
    return 0;
}

static int load_rollup(struct load *l)
{
    l->rollup = l->at;
    return 0;
}

static const struct leaf {
    const char *name;
    int (*load)(struct load *l);
} leaves[LEAVES] = {
    {"stat", load_stat},       {"status", load_status},       {"statm", load_statm},
    {"exe", load_exe},         {"cmdline", load_cmdline},     {"cgroup", load_cgroup},
    {"smaps", load_smaps},     {"smaps_rollup", load_rollup}, {"oom_score_adj", load_adj},
    {"oom_score", load_score},
};

/* ---- one process ---- */

/* PSS and USS from the newer of the two deep files. */
static int sum_deep(struct load *l)
{
    struct pt_process *p = l->now;
    if (p->state == 'Z' || p->state == 'X') { /* its memory is gone, whatever was read before */
        p->smaps = NULL;
        p->smaps_us = PT_UNKNOWN;
        return 0;
    }
    const struct pt_reading *r = p->smaps;
    p->deep_us = p->smaps_us;
    if (l->rollup && l->rollup->reading && (!r || l->rollup->read_us > p->deep_us)) {
        r = l->rollup->reading;
        p->deep_us = l->rollup->read_us;
    }
    if (!r)
        return 0;
    struct pt_smaps_sum sum;
    const int rc = pt_smaps_sum(l->smaps, r, &sum, l->err);
    if (rc < 0)
        return rc;
    const int64_t clean = sum.v[PT_SMAPS_PRIVATE_CLEAN], dirty = sum.v[PT_SMAPS_PRIVATE_DIRTY];
    p->m[PT_PSS] = sum.v[PT_SMAPS_PSS];
    p->deep_anon = sum.v[PT_SMAPS_ANONYMOUS];
    p->deep_anon_pss = sum.anon_pss;
    p->m[PT_USS] = clean == PT_UNKNOWN || dirty == PT_UNKNOWN ? PT_UNKNOWN : clean + dirty;
    return 0;
}

static int finish(struct load *l)
{
    struct pt_process *p = l->now;
    if (!p)
        return 0;
    l->now = NULL;
    if (!l->present) {
        l->ret->lost += l->is_lost;
        l->ret->n--;
        return 0;
    }
    if (p->m[PT_RSS] == PT_UNKNOWN && l->statm.rss != PT_UNKNOWN && !p->kernel) {
        p->m[PT_RSS] = l->statm.rss;
        if (p->m[PT_ANON] == PT_UNKNOWN && l->statm.shared != PT_UNKNOWN)
            p->m[PT_ANON] = l->statm.rss - l->statm.shared;
    }
    l->now = p;
    const int rc = sum_deep(l);
    l->now = NULL;
    return rc;
}

static int begin(struct load *l, int64_t pid)
{
    struct pt_processes *t = l->ret;
    struct pt_process *v = pt_array_room(t->v, t->n, &l->cap, sizeof(*v));
    if (!v)
        return pt_err_nomem(l->err);
    t->v = v;
    struct pt_process *p = &t->v[t->n++];
    *p = (struct pt_process){.pid = pid,
                             .ppid = PT_UNKNOWN,
                             .uid = PT_UNKNOWN,
                             .start_time = PT_UNKNOWN,
                             .threads = PT_UNKNOWN,
                             .cpu = PT_UNKNOWN,
                             .vsize = PT_UNKNOWN,
                             .pgtables = PT_UNKNOWN,
                             .oom_adj = PT_UNKNOWN,
                             .oom_score = PT_UNKNOWN,
                             .read_us = PT_UNKNOWN,
                             .deep_us = PT_UNKNOWN,
                             .deep_anon = PT_UNKNOWN,
                             .deep_anon_pss = PT_UNKNOWN,
                             .smaps_us = PT_UNKNOWN,
                             .deep = PT_ABSENT};
    for (unsigned i = 0; i < PT_MEASURES; i++)
        p->m[i] = PT_UNKNOWN;
    l->now = p;
    l->present = l->is_lost = false;
    l->rollup = NULL;
    l->statm.rss = l->statm.shared = PT_UNKNOWN;
    return 0;
}

static int load_source(struct load *l, const char *leaf)
{
    l->is_lost |= l->at->presence == PT_LOST;
    if (l->at->presence == PT_ABSENT || l->at->presence == PT_LOST)
        return 0;
    for (size_t i = 0; i < LEAVES; i++) {
        if (strcmp(leaf, leaves[i].name) != 0)
            continue;
        if (!l->files[i])
            l->files[i] = pt_file_of(l->at->name);
        l->file = l->files[i];
        return leaves[i].load(l);
    }
    return 0;
}

static int load_all(struct load *l)
{
    const struct pt_view *view = l->view;
    int rc = 0;
    for (uint32_t i = pt_view_lower(view, "proc:"); rc == 0 && i < view->count; i++) {
        const char *leaf;
        l->at = &view->sources[i];
        if (strncmp(l->at->name, "proc:", strlen("proc:")) != 0)
            break;
        const int64_t pid = pt_source_pid(l->at->name, &leaf);
        if (pid < 0)
            continue;
        if (!l->now || l->now->pid != pid) {
            rc = finish(l);
            if (rc == 0)
                rc = begin(l, pid);
        }
        if (rc == 0)
            rc = load_source(l, leaf);
    }
    return rc == 0 ? finish(l) : rc;
}

int pt_processes_load(const struct pt_view *view, struct pt_smaps *smaps, struct pt_processes *ret,
                      struct pt_err *err)
{
    struct pt_processes loaded = {0};
    const int64_t page_size = pt_db_meta(view->db)->page_size;
    struct load l = {
        .view = view,
        .shapes = pt_db_shapes(view->db),
        .smaps = smaps,
        .ret = &loaded,
        .page_size = page_size > 0 ? page_size : PT_UNKNOWN,
        .err = err,
    };
    pt_buf_init(&l.text, TEXT_MAX);
    const int rc = load_all(&l);
    pt_buf_release(&l.text);
    if (rc < 0) {
        pt_processes_release(&loaded);
        return rc;
    }
    *ret = loaded;
    return 0;
}

void pt_processes_release(struct pt_processes *p)
{
    free(p->v);
    pt_arena_release(&p->arena);
    *p = (struct pt_processes){0};
}

const char *pt_process_title(const struct pt_process *p)
{
    if (p->comm)
        return p->comm;
    const char *slash = p->exe ? strrchr(p->exe, '/') : NULL;
    return slash && slash[1] ? slash + 1 : p->exe ? p->exe : "?";
}

const char *pt_process_command(const struct pt_process *p, char *buf, size_t size)
{
    if (p->cmdline && *p->cmdline)
        return p->cmdline;
    if (!p->comm)
        return "?";
    snprintf(buf, size, "[%s]", p->comm);
    return buf;
}

int64_t pt_process_weight(const struct pt_process *p)
{
    if (p->m[PT_ANON] == PT_UNKNOWN)
        return p->m[PT_RSS];
    return p->m[PT_ANON] + (p->m[PT_SWAP] == PT_UNKNOWN ? 0 : p->m[PT_SWAP]);
}
