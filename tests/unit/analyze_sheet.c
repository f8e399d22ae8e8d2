/* SPDX-License-Identifier: MIT
 * The sheet with its holders: what shares and estimates do to processes, objects counted once, and
 * that everything adds up. Units: bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/balance/over.h"
#include "analyze/balance/sheet.h"
#include "tests/support/recording.h"

#define START    1795000000000000ll
#define INTERVAL 10000000ll
#define K        INT64_C(1024)

#define STAT(pid)                                                                                  \
#pid " (worker) S 1 1 1 0 -1 64 0 0 0 0 0 0 0 0 20 0 1 0 500 4096 9 18446744073709551615\n"
#define STATUS(pid, anon)                                                                          \
    "Name:\tworker\nUid:\t0\t0\t0\t0\nVmRSS:\t     9000 kB\nRssAnon:\t     " anon " kB\n"
#define ROW(head, rss, pss, anon)                                                                  \
    head "\nSize:               9999 kB\nRss:                 " rss                                \
         " kB\nPss:                 " pss " kB\nAnonymous:           " anon " kB\n"
#define MEMINFO(free, anon)                                                                        \
    "MemTotal:       100000 kB\nMemFree:        " free " kB\nMemAvailable:   " free " kB\n"        \
    "Buffers:          1000 kB\nCached:          20000 kB\nAnonPages:      " anon " kB\n"          \
    "Shmem:            8000 kB\nSReclaimable:     2000 kB\nSUnreclaim:       1000 kB\n"
#define SLABINFO(objects)                                                                          \
    "slabinfo - version: 2.1\n# name            <active_objs> <num_objs> <objsize> <objperslab> "  \
    "<pagesperslab> : tunables <limit> <batchcount> <sharedfactor> : slabdata <active_slabs> "     \
    "<num_slabs> <sharedavail>\n"                                                                  \
    "dentry  " objects " " objects                                                                 \
    "    192   21    1 : tunables    0    0    0 : slabdata    500    500      0\n"
#define STATFS(bfree)                                                                              \
    "bsize 4096\nblocks 1000\nbfree " bfree "\nbavail " bfree "\nfiles 1000\nffree 990\n"
#define SHM                                                                                        \
    "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid" \
    "      atime      dtime      ctime                   rss                  swap\n"              \
    "         0          7   600               1048576    10    10      1     0     0     0     0" \
    "          0          0          0               1048576                     0\n"

/* 10 and 11 are a fork of one another: 6,000 kB between them, half each. 12 was never read. */
static const struct source_text before[] = {
    {"cgroup:a.slice/b/memory.stat", "kernel 9999\nslab 0\n"}, /* counted in the one above */
    {"cgroup:a.slice/memory.stat", "anon 1\nkernel 20000\nkernel_stack 1000\npagetables "
                                   "2000\npercpu 0\nvmalloc 500\nslab 4000\n"},
    {"cgroup:c.slice/memory.stat", "anon 1\nslab 4000\n"},    /* an older kernel's */
    {"cgroup:d.slice/memory.stat", "kernel 10\nslab 4000\n"}, /* read while it changed */
    {"proc:10/smaps", ROW("55550000-55560000 rw-p 00000000 00:00 0 [heap]", "6000", "3000", "6000")
                          ROW("7f000000-7f010000 rw-s 00000000 00:01 77 /memfd:pool (deleted)",
                              "2000", "1000", "0")},
    {"proc:10/stat", STAT(10)},
    {"proc:10/status", STATUS(10, "6000")},
    {"proc:11/smaps",
     ROW("55550000-55560000 rw-p 00000000 00:00 0 [heap]", "6000", "3000", "6000")
         ROW("7f000000-7f010000 rw-s 00000000 00:01 77 /memfd:pool (deleted)", "2000", "1000", "0")
             ROW("7f100000-7f110000 rw-s 00000000 00:01 7 /SYSV00000000 (deleted)", "1024", "1024",
                 "0")},
    {"proc:11/stat", STAT(11)},
    {"proc:11/status", STATUS(11, "6000")},
    {"proc:12/stat", STAT(12)},
    {"proc:12/status", STATUS(12, "500")},
    {"proc:meminfo", MEMINFO("50000", "7000")},
    {"proc:net/sockstat", "sockets: used 3\nTCP: inuse 1 orphan 0 tw 0 alloc 1 mem 3\n"
                          "UDP: inuse 1 mem 4\nFRAG: inuse 0 memory 0\n"},
    {"proc:slabinfo", SLABINFO("10500")},
    {"proc:sysvipc/shm", SHM},
    {"statfs:/dev/shm", STATFS("900")},
    {"statfs:/srv/shm", STATFS("900")}, /* bound to the same */
    {"statfs:/run", STATFS("999")},
    {"statfs:/tmp", STATFS("999")}, /* as empty as the other, not the same */
};
/* 11 has grown since its smaps was read. */
static const struct source_text after[] = {
    {"proc:11/status", STATUS(11, "7000")},
    {"proc:meminfo", MEMINFO("49000", "8000")},
};

struct fixture {
    struct recording r;
    struct pt_session session;
};
static const struct pt_args args;

static void append(struct recording *r, int64_t real_us, const struct source_text *texts, size_t n)
{
    const struct pt_snap snap = {
        .real_us = real_us, .boot_us = real_us - START + 1, .mono_us = 1, .boot = 1};
    recording_begin(r, &snap, false);
    recording_texts(r, texts, n);
    recording_end(r);
}
#define APPEND(r, us, texts) append(r, us, texts, sizeof(texts) / sizeof((texts)[0]))

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    const struct pt_meta meta = {.host = "unit", .page_size = 4096, .interval_us = INTERVAL};
    recording_new(&f->r, &meta, START);
    APPEND(&f->r, START, before);
    APPEND(&f->r, START + INTERVAL, after);
    recording_close(&f->r);
    assert_int_equal(pt_session_open(&args, f->r.path, &f->session), 0);
    *state = f;
    return 0;
}

static void drop_fixture(struct fixture *f)
{
    pt_session_close(&f->session, 0);
    recording_remove(&f->r);
}

static int tear_down(void **state)
{
    drop_fixture(*state);
    free(*state);
    return 0;
}

static void load(struct fixture *f, int64_t n, struct pt_picture *ret)
{
    struct pt_err err = {0};
    assert_int_equal(pt_picture_load(f->session.db, n, f->session.smaps, ret, &err), 0);
}

static const struct pt_sheet_line *line_of(const struct pt_sheet *s, const char *name)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->v[i].name, name) == 0)
            return &s->v[i];
    fail_msg("no line '%s'", name);
    return NULL;
}

static const struct pt_sheet_holder *holder_of(const struct pt_sheet_line *line, const char *name)
{
    for (size_t i = 0; i < line->n; i++) {
        char who[64];
        pt_sheet_who(&line->v[i], who, sizeof(who));
        if (strcmp(who, name) == 0)
            return &line->v[i];
    }
    fail_msg("'%s' holds nothing of '%s'", name, line->name);
    return NULL;
}

static int64_t amount(const struct pt_change *c, int which)
{
    return which == 0 ? c->before : which == 1 ? c->after : c->delta;
}

/* Lines add up to the total, holders and rest to their line. */
static void adds_up(const struct pt_sheet *s, int which)
{
    int64_t total = 0;
    for (size_t i = 0; i < s->n; i++) {
        const struct pt_sheet_line *line = &s->v[i];
        int64_t sum = line->attributed ? amount(&line->rest, which) : 0;
        for (size_t k = 0; k < line->n; k++)
            if (amount(&line->v[k].bytes, which) != PT_UNKNOWN)
                sum += amount(&line->v[k].bytes, which);
        if (line->attributed)
            assert_true(sum == amount(&line->bytes, which));
        total += amount(&line->bytes, which);
    }
    assert_true(s->n > 0 && total == amount(&s->total, which));
}

static void one_instant(void **state)
{
    struct fixture *f = *state;
    struct pt_picture p;
    struct pt_sheet s;
    struct pt_err err = {0};
    load(f, 1, &p);
    assert_int_equal(pt_sheet_at(&p, PT_BY_PROCESS, &s, &err), 0);
    adds_up(&s, 1);
    const struct pt_sheet_line *anon = line_of(&s, "anonymous");
    assert_true(anon->bytes.after == 7000 * K);
    assert_true(anon->bytes.before == PT_UNKNOWN && anon->bytes.delta == PT_UNKNOWN);
    assert_true(holder_of(anon, "10 worker")->bytes.after == 3000 * K); /* its share of 6,000 */
    assert_true(holder_of(anon, "10 worker")->unseen == 0);
    assert_true(holder_of(anon, "12 worker")->bytes.after == 500 * K);
    assert_true(holder_of(anon, "12 worker")->unseen == 500 * K);
    assert_true(anon->rest.after == 500 * K);
    const struct pt_sheet_line *slab = line_of(&s, "slab");
    assert_true(slab->bytes.after == 3000 * K && slab->nof_which == 2);
    assert_true(holder_of(slab, "slab dentry")->bytes.after == 2000 * K);
    pt_sheet_release(&s);
    pt_picture_release(&p);
}

static void hints(void **state)
{
    struct fixture *f = *state;
    struct pt_picture p;
    struct pt_sheet s;
    struct pt_err err = {0};
    load(f, 1, &p);
    assert_int_equal(pt_sheet_at(&p, PT_BY_PROCESS, &s, &err), 0);
    assert_int_equal(s.nhints, 2);
    assert_true(s.hints[0].bytes.after == (3 + 4) * 4096 && s.hints[1].bytes.after == 12500);
    pt_sheet_release(&s);
    pt_picture_release(&p);
}

/* Mapped twice, mounted twice, in a table and mapped: counted once. */
static void an_object_once(void **state)
{
    struct fixture *f = *state;
    struct pt_picture p;
    struct pt_sheet s;
    struct pt_err err = {0};
    load(f, 1, &p);
    assert_int_equal(pt_sheet_at(&p, PT_BY_PROCESS, &s, &err), 0);
    const struct pt_sheet_line *shmem = line_of(&s, "shared memory and tmpfs");
    assert_true(holder_of(shmem, "/memfd:pool inode 77")->bytes.after == 2000 * K);
    assert_true(holder_of(shmem, "shm shmid 7")->bytes.after == 1024 * K);
    assert_true(holder_of(shmem, "tmpfs /dev/shm")->bytes.after == 400 * K);
    assert_true(holder_of(shmem, "tmpfs /run")->bytes.after == 4 * K);
    assert_true(holder_of(shmem, "tmpfs /tmp")->bytes.after == 4 * K);
    assert_int_equal(shmem->n, 5);
    pt_sheet_release(&s);
    pt_picture_release(&p);
}

static void two_instants(void **state)
{
    struct fixture *f = *state;
    struct pt_picture a, b;
    struct pt_diff d;
    struct pt_sheet s;
    struct pt_err err = {0};
    load(f, 1, &a);
    load(f, 2, &b);
    assert_int_equal(pt_diff_make(&a, &b, PT_BY_PROCESS, &d, &err), 0);
    assert_int_equal(pt_sheet_between(&d, PT_BY_PROCESS, &s, &err), 0);
    for (int which = 0; which < 3; which++)
        adds_up(&s, which);
    const struct pt_sheet_line *anon = line_of(&s, "anonymous");
    const struct pt_sheet_holder *h = holder_of(anon, "11 worker");
    assert_true(h == &anon->v[0]); /* what changed most is first */
    assert_true(h->bytes.before == 3000 * K && h->bytes.after == 4000 * K);
    assert_true(h->bytes.delta == 1000 * K && h->unseen == 1000 * K);
    pt_sheet_by_change(&s);
    assert_true(s.v[0].bytes.delta == -1000 * K || s.v[0].bytes.delta == 1000 * K);
    pt_sheet_release(&s);
    assert_int_equal(pt_sheet_between(&d, PT_BY_USER, &s, &err), 0);
    for (int which = 0; which < 3; which++)
        adds_up(&s, which);
    anon = line_of(&s, "anonymous");
    assert_int_equal(anon->n, 1);
    assert_true(anon->v[0].processes == 3 && anon->v[0].bytes.after == 7500 * K);
    pt_sheet_release(&s);
    pt_diff_release(&d);
    pt_picture_release(&a);
    pt_picture_release(&b);
}

static void over_time(void **state)
{
    struct fixture *f = *state;
    struct pt_over o;
    struct pt_err err = {0};
    assert_int_equal(pt_over_make(f->session.db, 1, 2, 10, &o, &err), 0);
    assert_int_equal(o.n, 2);
    assert_true(o.v[0].n == 1 && o.v[1].n == 2 && !o.v[1].gap);
    assert_true(o.extreme[PT_LINE_ANON].min == 7000 * K);
    assert_true(o.extreme[PT_LINE_ANON].max == 8000 * K);
    assert_true(o.extreme[PT_LINE_ANON].max_us == START + INTERVAL);
    assert_true(o.extreme[PT_LINE_HUGETLB].max == PT_UNKNOWN); /* not told: not zero */
    assert_true(o.v[0].available == 50000 * K && o.v[0].swap_used == PT_UNKNOWN);
    pt_over_release(&o);
    assert_int_equal(pt_over_steps(f->session.db, 1, 2, 100, &o, &err), 0);
    assert_int_equal(o.n, 2);
    pt_over_release(&o);
}

/* Nobody may read slabinfo, smaps is there of nobody, meminfo has little: what is not known is not
 * zero, and what is adds up. */
static void little_is_known(void **state)
{
    struct fixture f = {0};
    struct pt_picture p;
    struct pt_sheet s;
    struct pt_err err = {0};
    const struct pt_meta meta = {.host = "unit", .page_size = 4096, .interval_us = INTERVAL};
    const struct pt_snap snap = {.real_us = START, .boot_us = 1, .mono_us = 1, .boot = 1};
    (void)state;
    recording_new(&f.r, &meta, START);
    recording_begin(&f.r, &snap, false);
    recording_text(&f.r, "proc:10/stat", STAT(10));
    recording_text(&f.r, "proc:10/status", "Name:\tworker\nVmRSS:\t 9000 kB\n");
    recording_text(&f.r, "proc:meminfo",
                   "MemTotal: 100000 kB\nMemFree: 50000 kB\nSUnreclaim: 1000 kB\n"
                   "VmallocUsed: 0 kB\nHugePages_Total: 4\nHugePages_Free: 1\n"
                   "Hugepagesize: 2048 kB\n");
    recording_fail(&f.r, "proc:slabinfo", EACCES);
    recording_end(&f.r);
    recording_close(&f.r);
    assert_int_equal(pt_session_open(&args, f.r.path, &f.session), 0);
    load(&f, 1, &p);
    assert_int_equal(pt_sheet_at(&p, PT_BY_PROCESS, &s, &err), 0);
    adds_up(&s, 1);
    assert_int_equal(s.n, 4); /* free, slab, huge pages, the rest: no word of vmalloc */
    const struct pt_sheet_line *slab = line_of(&s, "slab, unreclaimable");
    assert_true(!slab->attributed && slab->n == 0 && slab->rest.after == PT_UNKNOWN);
    const struct pt_sheet_line *huge = line_of(&s, "huge pages (hugetlb)");
    assert_true(huge->n == 1 && huge->v[0].bytes.after == 2048 * K);
    assert_true(huge->rest.after == 3 * 2048 * K);
    assert_true(s.available.after == PT_UNKNOWN && s.swap_used.after == PT_UNKNOWN);
    pt_sheet_release(&s);
    pt_picture_release(&p);
    drop_fixture(&f);
}

/* ---- every recording there is ---- */

static void pair_adds_up(struct pt_session *session, int64_t from, int64_t to)
{
    struct pt_picture a, b;
    struct pt_diff d;
    struct pt_sheet s;
    struct pt_err err = {0};
    assert_int_equal(pt_picture_load(session->db, from, session->smaps, &a, &err), 0);
    assert_int_equal(pt_picture_load(session->db, to, session->smaps, &b, &err), 0);
    assert_int_equal(pt_sheet_at(&b, PT_BY_SERVICE, &s, &err), 0);
    adds_up(&s, 1);
    pt_sheet_release(&s);
    assert_int_equal(pt_diff_make(&a, &b, PT_BY_PROCESS, &d, &err), 0);
    assert_int_equal(pt_sheet_between(&d, PT_BY_PROCESS, &s, &err), 0);
    for (int which = 0; which < 3; which++)
        adds_up(&s, which);
    pt_sheet_release(&s);
    pt_diff_release(&d);
    pt_picture_release(&a);
    pt_picture_release(&b);
}

static void points_add_up(struct pt_session *session)
{
    struct pt_over o;
    struct pt_err err = {0};
    assert_int_equal(
        pt_over_make(session->db, session->span.first, session->span.last, 10, &o, &err), 0);
    assert_in_range(o.n, 2, 20 + 34);
    for (size_t i = 0; i < o.n; i++) {
        int64_t total = 0;
        for (unsigned k = 0; k < PT_LINE_COUNT; k++)
            total += o.v[i].sheet.bytes[k];
        assert_true(total == o.v[i].sheet.total);
        assert_true(i == 0 || o.v[i].n > o.v[i - 1].n);
    }
    pt_over_release(&o);
}

static void every_recording(void **state)
{
    enum { SAMPLES = 8 };
    static const char *const places[] = {PT_FIXTURES "/labelled/*/*.db",
                                         PT_FIXTURES "/episodes/*.db",
                                         PT_FIXTURES "/episodes/*/*.db"};
    glob_t found = {0};
    (void)state;
    for (unsigned i = 0; i < sizeof(places) / sizeof(*places); i++)
        glob(places[i], i ? GLOB_APPEND : 0, NULL, &found);
    assert_true(found.gl_pathc >= 4);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct pt_session session;
        assert_int_equal(pt_session_open(&args, found.gl_pathv[i], &session), 0);
        int64_t last = session.span.first;
        for (int k = 1; k <= SAMPLES; k++) {
            int64_t n = session.span.first + (session.span.last - session.span.first) * k / SAMPLES;
            if (pt_db_step(session.db, n - 1, 1, &n, NULL) < 0)
                break;
            pair_adds_up(&session, last, n);
            last = n;
        }
        points_add_up(&session);
        assert_int_equal(pt_session_close(&session, 0), 0);
    }
    globfree(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_instant, set_up, tear_down),
        cmocka_unit_test_setup_teardown(hints, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_object_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_instants, set_up, tear_down),
        cmocka_unit_test_setup_teardown(over_time, set_up, tear_down),
        cmocka_unit_test(little_is_known),
        cmocka_unit_test(every_recording),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
