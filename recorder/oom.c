/* SPDX-License-Identifier: MIT
 * Reading OOM kills out of the kernel log. */
#include "recorder/oom.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "recorder/scan.h"

/* ---- records ---- */

/* "6,339,5140900,-,caller=T1;text\n KEY=value\n" */
bool pt_kmsg_parse(const char *record, size_t len, struct pt_kmsg *ret)
{
    struct pt_kmsg k = {0};
    uint64_t prefix, stamp;
    const char *head = memchr(record, ';', len);
    if (!head)
        return false;
    struct pt_scan s = pt_scan_of(record, (size_t)(head - record));
    if (!pt_scan_u64(&s, &prefix) || s.p == s.end || *s.p++ != ',' || !pt_scan_u64(&s, &k.seq) ||
        s.p == s.end || *s.p++ != ',' || !pt_scan_u64(&s, &stamp) || stamp > INT64_MAX)
        return false;
    k.facility = prefix >> 3;
    k.stamp_us = (int64_t)stamp;
    k.text = head + 1;
    k.len = (size_t)(record + len - k.text);
    const char *end = memchr(k.text, '\n', k.len); /* what follows it is not text */
    k.len = end ? (size_t)(end - k.text) : k.len;
    *ret = k;
    return true;
}

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The kernel log's spelling into ours. */
static void take_name(char *ret, size_t size, const char *text, size_t len)
{
    char bytes[PT_CGROUP_MAX];
    size_t n = 0;
    for (size_t i = 0; i < len && n < sizeof(bytes); i++) {
        const bool spelt = len - i >= 4 && text[i] == '\\' && text[i + 1] == 'x' &&
                           hex(text[i + 2]) >= 0 && hex(text[i + 3]) >= 0;
        bytes[n++] = spelt ? (char)(hex(text[i + 2]) << 4 | hex(text[i + 3])) : text[i];
        i += spelt ? 3 : 0;
    }
    pt_line_put(ret, size, bytes, n);
}

/* The last occurrence of a word; NULL: none. */
static const char *find_last(const char *text, size_t len, const char *word)
{
    const size_t n = strlen(word);
    for (size_t i = len; i >= n; i--) {
        if (memcmp(text + i - n, word, n) == 0)
            return text + i - n;
    }
    return NULL;
}

static bool starts(const char *text, size_t len, const char *word)
{
    return len >= strlen(word) && memcmp(text, word, strlen(word)) == 0;
}

/* ---- the lines before ---- */

static bool keep(struct pt_oom *o, const char *text, size_t len)
{
    o->len = len < sizeof(o->summary) ? len : 0;
    memcpy(o->summary, text, o->len);
    return false;
}

/* Linux 5.0 and later: "oom-kill:constraint=C,...,oom_memcg=/a,task_memcg=/b,task=x,pid=1,uid=0".
 * What stands between "task=" and the end is known from the victim's line, so that no name can
 * deceive. */
static void summary_new(const struct pt_oom *o, const char *comm, size_t comm_len,
                        struct pt_oom_kill *k)
{
    char tail[128];
    const int n = snprintf(tail, sizeof(tail), ",task=%.*s,pid=%" PRIu32 ",uid=", (int)comm_len,
                           comm, k->pid);
    const char *end = n < (int)sizeof(tail) ? find_last(o->summary, o->len, tail) : NULL;
    if (!end || !starts(o->summary, o->len, "oom-kill:"))
        return;
    const char *constraint = o->summary + strlen("oom-kill:");
    const size_t left = o->len - strlen("oom-kill:");
    k->of_cpuset = starts(constraint, left, "constraint=CONSTRAINT_CPUSET,");
    k->of_policy = starts(constraint, left, "constraint=CONSTRAINT_MEMORY_POLICY,");
    static const char victim[] = ",task_memcg=", limit[] = ",oom_memcg=";
    const size_t len = (size_t)(end - o->summary);
    const char *task = find_last(o->summary, len, victim);
    const char *oom = memmem(o->summary, len, limit, sizeof(limit) - 1);
    if (!task)
        return;
    const char *name = task + sizeof(victim) - 1;
    take_name(k->cgroup, sizeof(k->cgroup), name, (size_t)(end - name));
    if (oom && oom < task) {
        name = oom + sizeof(limit) - 1;
        take_name(k->limit, sizeof(k->limit), name, (size_t)(task - name));
        k->of_cgroup = true;
    }
}

/* Before: "Task in /b killed as a result of limit of /a". */
static void summary_old(const struct pt_oom *o, struct pt_oom_kill *k)
{
    static const char head[] = "Task in ", between[] = " killed as a result of limit of ";
    const char *at = memmem(o->summary, o->len, between, sizeof(between) - 1);
    if (!at || !starts(o->summary, o->len, head))
        return;
    const char *name = o->summary + sizeof(head) - 1;
    const char *limit = at + sizeof(between) - 1;
    take_name(k->cgroup, sizeof(k->cgroup), name, (size_t)(at - name));
    take_name(k->limit, sizeof(k->limit), limit, (size_t)(o->summary + o->len - limit));
    k->of_cgroup = true;
}

/* ---- the victim's line ---- */

static void take_number(const char *text, size_t len, const char *key, int64_t *ret)
{
    uint64_t v;
    const char *at = memmem(text, len, key, strlen(key));
    *ret = PT_UNKNOWN;
    if (!at)
        return;
    at += strlen(key);
    struct pt_scan s = pt_scan_of(at, (size_t)(text + len - at));
    const bool minus = s.p < s.end && *s.p == '-';
    s.p += minus;
    if (pt_scan_u64(&s, &v) && v <= INT64_MAX)
        *ret = minus ? -(int64_t)v : (int64_t)v;
}

/* "... Killed process 123 (name) total-vm:1kB, anon-rss:1kB, ...": the name may hold anything, but
 * what follows it holds no name. */
bool pt_oom_line(struct pt_oom *o, const char *text, size_t len, struct pt_oom_kill *ret)
{
    static const char killed[] = "Killed process ", after[] = ") total-vm:";
    if (starts(text, len, "oom-kill:") || starts(text, len, "Task in /"))
        return keep(o, text, len);
    const bool of_cgroup = starts(text, len, "Memory cgroup out of memory");
    if (!of_cgroup && !starts(text, len, "Out of memory") && !starts(text, len, killed))
        return false;
    const char *at = memmem(text, len < 80 ? len : 80, killed, sizeof(killed) - 1);
    const char *end = find_last(text, len, after);
    if (!at || !end || end < at + sizeof(killed))
        return false;
    struct pt_scan s = pt_scan_of(at + sizeof(killed) - 1, (size_t)(end - at) - sizeof(killed) + 1);
    uint64_t pid;
    if (!pt_scan_u64(&s, &pid) || pid == 0 || pid > INT32_MAX || s.end - s.p < 2 || s.p[0] != ' ' ||
        s.p[1] != '(')
        return false;
    const char *comm = s.p + 2;
    const size_t comm_len = (size_t)(end - comm), rest = (size_t)(text + len - end);
    struct pt_oom_kill k = {.pid = (uint32_t)pid, .of_cgroup = of_cgroup};
    take_name(k.comm, sizeof(k.comm), comm, comm_len);
    take_number(end, rest, "total-vm:", &k.total_vm_kb);
    take_number(end, rest, "anon-rss:", &k.anon_kb);
    take_number(end, rest, "file-rss:", &k.file_kb);
    take_number(end, rest, "shmem-rss:", &k.shmem_kb);
    take_number(end, rest, "UID:", &k.uid);
    take_number(end, rest, "pgtables:", &k.pgtables_kb);
    take_number(end, rest, "oom_score_adj:", &k.adj);
    summary_new(o, comm, comm_len, &k);
    summary_old(o, &k);
    o->len = 0;
    *ret = k;
    return true;
}

/* ---- in words ---- */

struct line {
    char *text;
    size_t size, n;
};

__attribute__((format(printf, 2, 3))) static void add(struct line *l, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const int n = vsnprintf(l->text + l->n, l->size - l->n, fmt, ap);
    va_end(ap);
    if (n > 0)
        l->n = l->n + (size_t)n < l->size ? l->n + (size_t)n : l->size - 1;
}

static void add_number(struct line *l, const char *name, int64_t v, const char *unit,
                       const char **comma)
{
    if (v == PT_UNKNOWN)
        return;
    add(l, "%s%s %" PRId64 "%s", *comma, name, v, unit);
    *comma = ", ";
}

static void add_kernel(struct line *l, const struct pt_oom_kill *k)
{
    const char *comma = "; kernel: ";
    add_number(l, "total-vm", k->total_vm_kb, " kB", &comma);
    add_number(l, "anon-rss", k->anon_kb, " kB", &comma);
    add_number(l, "file-rss", k->file_kb, " kB", &comma);
    add_number(l, "shmem-rss", k->shmem_kb, " kB", &comma);
    add_number(l, "page tables", k->pgtables_kb, " kB", &comma);
    add_number(l, "oom_score_adj", k->adj, "", &comma);
    add_number(l, "uid", k->uid, "", &comma);
}

void pt_oom_describe(const struct pt_oom_kill *k, const struct pt_portrait *portrait, bool foreign,
                     char subject[PT_OOM_SUBJECT], char text[PT_OOM_TEXT])
{
    struct line l = {.text = text, .size = PT_OOM_TEXT};
    const char *cgroup = *k->cgroup || !portrait ? k->cgroup : portrait->cgroup;
    snprintf(subject, PT_OOM_SUBJECT, "%" PRIu32 " %s", k->pid, k->comm);
    if (k->of_cpuset || k->of_policy)
        add(&l, "killed: out of memory in the nodes of its %s",
            k->of_cpuset ? "cpuset" : "memory policy");
    else if (!k->of_cgroup)
        add(&l, "killed: the host is out of memory");
    else
        add(&l, "killed: out of memory in cgroup %s", *k->limit ? k->limit : "?");
    if (foreign) {
        add(&l, "; its number is that of another pid namespace");
    } else if (!portrait) {
        add(&l, "; in no snapshot");
    } else {
        const char *comma = "";
        add(&l, "; snapshot %" PRId64 ": ", portrait->n);
        add_number(&l, "RSS", portrait->rss_kb, " kB", &comma);
        add_number(&l, "swap", portrait->swap_kb, " kB", &comma);
    }
    add_kernel(&l, k);
    if (*cgroup)
        add(&l, "; cgroup %s", cgroup);
    if (portrait && portrait->start_time)
        add(&l, "; started %" PRIu64 " ticks after boot", portrait->start_time);
    if (portrait && *portrait->cmdline)
        add(&l, "; command line: %s", portrait->cmdline);
}
