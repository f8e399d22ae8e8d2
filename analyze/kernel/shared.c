/* SPDX-License-Identifier: MIT
 * Shared memory by object and owner: System V segments from their table, memfd, deleted and other
 * files of tmpfs and shared anonymous memory from the mappings of those who have them. What is held
 * open and mapped by nobody is in no table: it is the rest of Shmem. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/kernel/kernel_int.h"
#include "analyze/picture/items.h"

#define TMPFS_MAX 256

const char *pt_object_kind_name(enum pt_object_kind k)
{
    static const char *const names[] = {[PT_OBJECT_SYSV] = "sysv",
                                        [PT_OBJECT_MEMFD] = "memfd",
                                        [PT_OBJECT_FILE] = "file",
                                        [PT_OBJECT_ANON] = "anonymous"};
    return names[k];
}

static int64_t plus(int64_t a, int64_t b)
{
    int64_t r;
    if (a == PT_UNKNOWN || b == PT_UNKNOWN)
        return a == PT_UNKNOWN ? b : a;
    return __builtin_add_overflow(a, b, &r) ? INT64_MAX : r;
}

/* ---- mappings of one picture ---- */

struct mapped {
    enum pt_object_kind kind;
    uint64_t dev, inode;
    const char *name;
    bool deleted;
    const struct pt_process *process;
    int64_t pss, swap, size;
};
struct all {
    struct pt_kernel_work *w;
    const char *mounts[TMPFS_MAX];
    size_t nmounts;
    const struct pt_process *process;
    struct mapped *v;
    size_t n;
};

/* A path as smaps has it. */
struct path {
    const char *p;
    size_t len;
};

static bool starts(const struct path *path, const char *prefix)
{
    const size_t n = strlen(prefix);
    return path->len >= n && memcmp(path->p, prefix, n) == 0;
}

static bool on_tmpfs(const struct all *a, const struct path *path)
{
    for (size_t i = 0; i < a->nmounts; i++) {
        const size_t n = strlen(a->mounts[i]);
        if (starts(path, a->mounts[i]) && path->len > n && path->p[n] == '/')
            return true;
    }
    return false;
}

/* false: no shared memory. */
static bool kind_of(const struct all *a, enum pt_mapping_kind mapping, const struct path *path,
                    enum pt_object_kind *ret)
{
    if (starts(path, "/SYSV"))
        *ret = PT_OBJECT_SYSV;
    else if (starts(path, "/memfd:"))
        *ret = PT_OBJECT_MEMFD;
    else if (on_tmpfs(a, path) || starts(path, "/dev/shm/"))
        *ret = PT_OBJECT_FILE;
    else if (mapping == PT_MAPPING_SHMEM && !starts(path, "/run/"))
        *ret = PT_OBJECT_ANON; /* /dev/zero, [anon_shmem:name], buffers of graphics */
    else
        return false;
    return true;
}

static int on_mapping(void *ctx, const struct pt_smaps_row *row)
{
    struct all *a = ctx;
    const enum pt_mapping_kind mapping = row->id->kind;
    enum pt_object_kind kind;
    struct path path;
    if (mapping != PT_MAPPING_SHMEM && (mapping != PT_MAPPING_FILE || a->nmounts == 0))
        return 0;
    path.p = pt_smaps_path(row, &path.len);
    if (!kind_of(a, mapping, &path, &kind))
        return 0;
    struct mapped *one = pt_kernel_push(&a->v, &a->n, sizeof(*one));
    if (kind == PT_OBJECT_ANON && path.len == strlen("/dev/zero") && starts(&path, "/dev/zero"))
        path = (struct path){"[shared anon]", strlen("[shared anon]")};
    char *name = pt_kernel_copy(a->w, path.p, path.len);
    if (!one || !name)
        return -PT_ENOMEM;
    const int64_t swap = row->v[PT_SMAPS_SWAP_PSS];
    *one = (struct mapped){.kind = kind,
                           .dev = row->major << 32 | (row->minor & UINT32_MAX),
                           .inode = row->inode,
                           .name = name,
                           .deleted = row->deleted,
                           .process = a->process,
                           .pss = row->v[PT_SMAPS_PSS],
                           .swap = swap != PT_UNKNOWN ? swap : row->v[PT_SMAPS_SWAP],
                           .size = row->size <= INT64_MAX ? (int64_t)row->size : PT_UNKNOWN};
    return 0;
}

/* By object, then by owner. */
static int same_object(const struct mapped *x, const struct mapped *y)
{
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (x->inode != y->inode)
        return x->inode < y->inode ? -1 : 1;
    if (x->dev != y->dev)
        return x->dev < y->dev ? -1 : 1;
    return strcmp(x->name, y->name);
}

static int by_object(const void *a, const void *b)
{
    const struct mapped *x = a, *y = b;
    const int order = same_object(x, y);
    if (order || !x->process || !y->process || x->process->pid == y->process->pid)
        return order;
    return x->process->pid < y->process->pid ? -1 : 1;
}

static int load_mapped(struct all *a, const struct pt_processes *processes, struct pt_smaps *smaps,
                       struct pt_err *err)
{
    for (size_t i = 0; i < processes->n; i++) {
        a->process = &processes->v[i];
        const int rc =
            a->process->smaps ? pt_smaps_each(smaps, a->process->smaps, on_mapping, a, err) : 0;
        if (rc < 0)
            return rc;
    }
    if (a->n > 1)
        qsort(a->v, a->n, sizeof(*a->v), by_object);
    return 0;
}

static void find_mounts(struct all *a)
{
    const struct pt_kernel *k = a->w->k;
    for (size_t i = 0; i < k->nitems && a->nmounts < TMPFS_MAX; i++)
        if (k->items[i].group == PT_KERNEL_TMPFS && strcmp(k->items[i].name, "/") != 0)
            a->mounts[a->nmounts++] = k->items[i].name;
}

/* ---- objects ---- */

static int add_owner(struct pt_object *o, const struct mapped *m)
{
    struct pt_owner *owner = o->nowners ? &o->owners[o->nowners - 1] : NULL;
    if (!owner || owner->process != m->process) {
        owner = pt_kernel_push(&o->owners, &o->nowners, sizeof(*owner));
        if (!owner)
            return -1;
        *owner = (struct pt_owner){m->process, PT_UNKNOWN, PT_UNKNOWN};
    }
    owner->pss = plus(owner->pss, m->pss);
    owner->swap = plus(owner->swap, m->swap);
    return 0;
}

static struct pt_object *add_object(struct pt_kernel *k, enum pt_object_kind kind, const char *name,
                                    int64_t id)
{
    struct pt_object *o = pt_kernel_push(&k->objects, &k->nobjects, sizeof(*o));
    if (!o)
        return NULL;
    *o = (struct pt_object){.kind = kind,
                            .name = name,
                            .id = id,
                            .size = PT_UNKNOWN,
                            .resident = PT_UNKNOWN,
                            .nattch = PT_UNKNOWN,
                            .creator = PT_UNKNOWN,
                            .last_user = PT_UNKNOWN,
                            .uid = PT_UNKNOWN,
                            .key = PT_UNKNOWN};
    pt_course_init(&o->bytes);
    return o;
}

/* Segments are in a table; their mappings tell who has them. */
static struct pt_object *segment_of(const struct pt_kernel *k, uint64_t inode)
{
    for (size_t i = 0; i < k->nobjects; i++)
        if (k->objects[i].kind == PT_OBJECT_SYSV && k->objects[i].id >= 0 &&
            (uint64_t)k->objects[i].id == inode)
            return &k->objects[i];
    return NULL;
}

static int make_objects(struct pt_kernel *k, const struct all *a)
{
    struct pt_object *o = NULL;
    for (size_t i = 0; i < a->n; i++) {
        const struct mapped *m = &a->v[i];
        const bool begins = i == 0 || same_object(&a->v[i - 1], m) != 0;
        if (begins) {
            const int64_t id = m->inode <= INT64_MAX ? (int64_t)m->inode : PT_UNKNOWN;
            o = m->kind == PT_OBJECT_SYSV ? segment_of(k, m->inode) : NULL;
            o = o ? o : add_object(k, m->kind, m->name, id);
            if (o)
                o->dev = m->dev;
        }
        if (!o || add_owner(o, m) < 0)
            return -1;
        o->deleted |= m->deleted && m->kind == PT_OBJECT_FILE;
        if (m->kind == PT_OBJECT_SYSV && o->nattch != PT_UNKNOWN)
            continue; /* the table tells its size */
        o->size = m->size > o->size ? m->size : o->size;
        o->resident = plus(o->resident, m->pss);
        o->bytes.last = plus(plus(o->bytes.last, m->pss), m->swap);
    }
    return 0;
}

/* Processes at the start whose mappings had not been read. */
struct unread {
    struct unread_one {
        int64_t pid, start_time;
    } * v;
    size_t n;
};

static int by_pid(const void *a, const void *b)
{
    const struct unread_one *x = a, *y = b;
    return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static int find_unread(const struct pt_processes *first, struct unread *ret)
{
    for (size_t i = 0; i < first->n; i++) {
        const struct pt_process *p = &first->v[i];
        if (p->smaps)
            continue;
        struct unread_one *one = pt_kernel_push(&ret->v, &ret->n, sizeof(*one));
        if (!one)
            return -1;
        *one = (struct unread_one){p->pid, p->start_time};
    }
    if (ret->n > 1)
        qsort(ret->v, ret->n, sizeof(*ret->v), by_pid);
    return 0;
}

/* Were the mappings of all its owners known at the start, where they lived then? */
static bool owners_known(const struct pt_object *o, const struct unread *unread)
{
    for (size_t i = 0; i < o->nowners && unread->n; i++) {
        const struct pt_process *p = o->owners[i].process;
        const struct unread_one key = {p->pid, p->start_time};
        const struct unread_one *one =
            bsearch(&key, unread->v, unread->n, sizeof(*unread->v), by_pid);
        if (one && one->start_time == key.start_time)
            return false;
    }
    return true;
}

/* What the same objects held at the start. */
static void set_first(struct pt_kernel *k, const struct all *before, const struct unread *unread)
{
    for (size_t i = 0; i < k->nobjects; i++) {
        struct pt_object *o = &k->objects[i];
        const struct mapped key = {
            .kind = o->kind, .dev = o->dev, .inode = (uint64_t)o->id, .name = o->name};
        size_t lo = 0, hi = before->n;
        if ((o->kind == PT_OBJECT_SYSV && o->nattch != PT_UNKNOWN) || !owners_known(o, unread))
            continue;
        while (lo < hi) {
            const size_t mid = lo + (hi - lo) / 2;
            if (same_object(&before->v[mid], &key) < 0)
                lo = mid + 1;
            else
                hi = mid;
        }
        for (o->bytes.first = 0; lo < before->n && same_object(&before->v[lo], &key) == 0; lo++)
            o->bytes.first = plus(plus(o->bytes.first, before->v[lo].pss), before->v[lo].swap);
    }
}

/* The mappings at the start are another view, which only objects that are there need. */
static int load_first(struct pt_kernel_work *w, struct all *before, struct pt_err *err)
{
    struct pt_processes first = {0};
    struct unread unread = {0};
    struct pt_view *view;
    int rc = pt_view_load(w->s->db, w->first->snap.n,
                          PT_GROUP(PT_BLOCK_PROC) | PT_GROUP(PT_BLOCK_DEEP), &view, err);
    if (rc < 0)
        return rc;
    rc = pt_processes_load(view, w->k->end.smaps, &first, err);
    if (rc >= 0)
        rc = load_mapped(before, &first, w->k->end.smaps, err);
    if (rc >= 0 && find_unread(&first, &unread) < 0)
        rc = pt_err_nomem(err);
    if (rc >= 0)
        set_first(w->k, before, &unread);
    free(unread.v);
    pt_processes_release(&first);
    pt_view_free(view);
    return rc;
}

/* ---- segments ---- */

enum {
    SHM_RSS = 0,
    SHM_SWAP,
    SHM_ID,
    SHM_SIZE,
    SHM_NATTCH,
    SHM_CPID,
    SHM_LPID,
    SHM_UID,
    SHM_KEY,
    SHM_PERMS,
    SHM_CTIME
};

static int64_t field(const struct pt_serie *s, unsigned which)
{
    return pt_kernel_has(s->known, which) ? s->v[which] : PT_UNKNOWN;
}

/* The mode is octal, printed in decimal digits: 1000 is SHM_DEST. */
static bool goes_with_last(int64_t perms)
{
    return perms != PT_UNKNOWN && perms / 1000 % 2 == 1;
}

/* The process that made it, if it is not another of the same number: that one began later. */
static const struct pt_process *maker_of(const struct pt_kernel_work *w, int64_t pid,
                                         int64_t ctime_s)
{
    const struct pt_processes *all = &w->k->end.processes;
    const int64_t btime = w->k->end.boot.btime_us, tick = pt_db_meta(w->s->db)->clk_tck;
    for (size_t i = 0; i < all->n && pid != PT_UNKNOWN; i++) {
        const struct pt_process *p = &all->v[i];
        if (p->pid != pid || p->start_time == PT_UNKNOWN || ctime_s == PT_UNKNOWN || tick <= 0 ||
            w->k->end.boot.id == 0)
            continue;
        const double began = (double)btime / 1e6 + (double)p->start_time / (double)tick;
        return began <= (double)ctime_s + 2 ? p : NULL;
    }
    return NULL;
}

static int segments(struct pt_kernel_work *w)
{
    const struct pt_series *all = &w->series[PT_KS_SHM];
    for (size_t i = 0; i < all->n; i++) {
        const struct pt_serie *s = all->v[i];
        char name[32];
        if (s->boot != w->boot || s->over || !pt_kernel_has(s->known, SHM_ID))
            continue;
        snprintf(name, sizeof(name), "segment %lld", (long long)s->v[SHM_ID]);
        char *copy = pt_kernel_copy(w, name, strlen(name));
        struct pt_object *o = copy ? add_object(w->k, PT_OBJECT_SYSV, copy, s->v[SHM_ID]) : NULL;
        if (!o)
            return -1;
        const int64_t now =
            pt_kernel_has(s->known, SHM_RSS) ? plus(s->v[SHM_RSS], field(s, SHM_SWAP)) : PT_UNKNOWN;
        pt_course_of(&s->track[0], &w->k->timeline, 1, now == PT_UNKNOWN ? NAN : (double)now,
                     &o->bytes);
        if (s->from > w->base)
            o->bytes.first = o->bytes.least = 0;
        o->size = field(s, SHM_SIZE);
        o->resident = field(s, SHM_RSS);
        o->nattch = field(s, SHM_NATTCH);
        o->creator = field(s, SHM_CPID);
        o->last_user = field(s, SHM_LPID);
        o->uid = field(s, SHM_UID);
        o->key = field(s, SHM_KEY);
        o->remove = goes_with_last(field(s, SHM_PERMS));
        o->left = o->nattch == 0;
        o->maker = maker_of(w, o->creator, field(s, SHM_CTIME));
    }
    return 0;
}

/* ---- what is left of Shmem ---- */

static int64_t rest_of(const struct pt_kernel_work *w)
{
    const struct pt_kernel *k = w->k;
    int64_t rest = k->end.mem.v[PT_MEM_SHMEM];
    bool mounts = false;
    for (size_t i = 0; i < k->nitems && rest != PT_UNKNOWN; i++) {
        const struct pt_kernel_item *item = &k->items[i];
        if (item->group != PT_KERNEL_TMPFS || item->within || item->bytes.last == PT_UNKNOWN)
            continue;
        mounts = true;
        rest = plus(rest, -item->bytes.last);
    }
    for (size_t i = 0; i < k->nobjects && rest != PT_UNKNOWN; i++) {
        const struct pt_object *o = &k->objects[i];
        if (o->kind != PT_OBJECT_FILE && o->resident != PT_UNKNOWN)
            rest = plus(rest, -o->resident);
    }
    return mounts ? rest : PT_UNKNOWN;
}

/* Ranges that hold nothing, and held nothing. */
static void drop_empty(struct pt_kernel *k)
{
    size_t n = 0;
    for (size_t i = 0; i < k->nobjects; i++) {
        struct pt_object *o = &k->objects[i];
        if (o->nattch == PT_UNKNOWN && o->bytes.last <= 0 && o->bytes.first <= 0)
            free(o->owners);
        else
            k->objects[n++] = *o;
    }
    k->nobjects = n;
}

static int by_bytes(const void *a, const void *b)
{
    const struct pt_object *x = a, *y = b;
    if (x->bytes.last != y->bytes.last)
        return x->bytes.last < y->bytes.last ? 1 : -1;
    return strcmp(x->name, y->name);
}

static int by_pss(const void *a, const void *b)
{
    const struct pt_owner *x = a, *y = b;
    const int64_t p = plus(x->pss, x->swap), q = plus(y->pss, y->swap);
    return (p < q) - (p > q);
}

static int tell(struct pt_kernel_work *w)
{
    const struct pt_view *view = w->k->end.view;
    const struct pt_processes *p = &w->k->end.processes;
    size_t deep = 0;
    int rc = 0;
    for (size_t i = 0; i < p->n; i++)
        deep += p->v[i].smaps != NULL;
    if (!pt_view_find(view, "proc:sysvipc/shm") && !pt_view_find(view, "proc:self/sysvipc/shm"))
        rc = pt_kernel_unknown(w, "System V segments", "sysvipc/shm was not recorded");
    if (rc >= 0 && deep == 0)
        rc = pt_kernel_unknown(w, "memfd and deleted files by owner", "no mappings were read");
    return rc;
}

int pt_kernel_shared(struct pt_kernel_work *w, struct pt_err *err)
{
    struct pt_kernel *k = w->k;
    struct all after = {.w = w}, before = {.w = w};
    find_mounts(&after);
    find_mounts(&before);
    int rc = segments(w) < 0 ? pt_err_nomem(err) : 0;
    if (rc >= 0)
        rc = load_mapped(&after, &k->end.processes, k->end.smaps, err);
    if (rc >= 0 && make_objects(k, &after) < 0)
        rc = pt_err_nomem(err);
    if (rc >= 0 && !k->at && after.n)
        rc = load_first(w, &before, err);
    if (rc >= 0) {
        drop_empty(k);
        k->shared_rest = rest_of(w);
        if (k->nobjects > 1)
            qsort(k->objects, k->nobjects, sizeof(*k->objects), by_bytes);
        for (size_t i = 0; i < k->nobjects; i++)
            if (k->objects[i].nowners > 1)
                qsort(k->objects[i].owners, k->objects[i].nowners, sizeof(struct pt_owner), by_pss);
        if (tell(w) < 0)
            rc = pt_err_nomem(err);
    }
    free(after.v);
    free(before.v);
    return rc;
}
