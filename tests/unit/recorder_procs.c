/* SPDX-License-Identifier: MIT
 * The process table over a tree of plain files: births, deaths, a pid used again, names that try to
 * deceive, what is read when. What was put is looked at through the raw log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <sys/wait.h>

#include "recorder/procs.h"
#include "recorder/scan.h"
#include "tests/support/rawlog.h"
#include "tests/unit/recorder_tree.h"

struct fixture {
    struct pt_roots roots;
    struct pt_shapes *shapes;
    struct pt_enc *enc;
    struct pt_rawlog *raw;
    struct pt_sink sink;
    struct pt_cgroups *cgroups;
    struct pt_procs *procs;
    char log[600];
    int64_t n;
};

static void begin(struct fixture *f, const char *name)
{
    struct pt_err err = {0};
    tree_begin(name);
    *f = (struct fixture){.shapes = pt_shapes_new()};
    f->enc = pt_enc_new(f->shapes);
    snprintf(f->log, sizeof(f->log), "%s.log", tree);
    assert_true(pt_rawlog_open(f->log, &f->raw, &err) >= 0);
    assert_true(pt_sink_init(&f->sink, f->enc, f->shapes, f->raw, &err) >= 0);
    assert_true(pt_roots_init(&f->roots, tree, tree, tree, &err) >= 0);
    assert_true(pt_cgroups_new(&f->roots, &f->cgroups, &err) >= 0);
    assert_true(pt_procs_new(&f->roots, &f->procs, &err) >= 0);
}

static void end(struct fixture *f)
{
    struct pt_err err = {0};
    pt_procs_free(f->procs);
    pt_cgroups_free(f->cgroups);
    pt_roots_release(&f->roots);
    pt_sink_release(&f->sink);
    assert_int_equal(pt_rawlog_close(f->raw, &err), 0);
    pt_enc_free(f->enc);
    assert_int_equal(pt_shapes_count(f->shapes), 0);
    pt_shapes_free(f->shapes);
    unlink(f->log);
    tree_remove("");
}

static void tick(struct fixture *f, bool full)
{
    struct pt_err err = {0};
    const struct pt_snap snap = {.n = ++f->n, .real_us = f->n * 1000000, .boot = 1};
    struct pt_buf frame;
    pt_buf_init(&frame, 64 << 20); /* as many processes as there are */
    f->sink.n = f->n;
    assert_true(pt_enc_begin(f->enc, &snap, &err) >= 0);
    assert_true(pt_procs_tick(f->procs, &f->sink, f->cgroups, (uint64_t)f->n, full, &err) >= 0);
    assert_true(pt_enc_end(f->enc, &snap, &frame, &err) >= 0);
    assert_int_equal(f->sink.refused, 0);
    pt_buf_release(&frame);
    pt_rawlog_flush(f->raw);
}

/* How often a source had an outcome in a snapshot (0: in any). */
static int seen(const struct fixture *f, int64_t n, const char *name, enum rawlog_outcome outcome)
{
    struct rawlog l;
    int count = 0, rc;
    assert_true(rawlog_open(&l, f->log) >= 0);
    while ((rc = rawlog_next(&l)) > 0)
        count += (!n || l.n == n) && strcmp(l.name, name) == 0 && l.outcome == outcome;
    assert_int_equal(rc, 0);
    rawlog_close(&l);
    return count;
}

static int was_read(const struct fixture *f, const char *name)
{
    return seen(f, f->n, name, RAWLOG_READ);
}

static void lives(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, "lives");
    tree_process(10, "ten", 100, 500, 0);
    tree_process(9, "nine", 101, 500, 0);
    tree_print("self/stat", "not a pid\n");
    tree_print("010/stat", "nor this\n");
    tick(&f, true);
    assert_int_equal(pt_procs_count(f.procs), 2);
    assert_int_equal(pt_procs_at(f.procs, 0)->pid, 9);
    assert_int_equal(was_read(&f, "proc:10/stat"), 1);
    assert_int_equal(was_read(&f, "proc:10/statm"), 1);
    assert_int_equal(was_read(&f, "proc:10/status"), 1);
    assert_int_equal(pt_procs_find(f.procs, 10)->start_time, 100);
    assert_int_equal(pt_procs_find(f.procs, 10)->rss_pages, 500);
    assert_null(pt_procs_find(f.procs, 11));
    tree_remove("10");
    tree_process(11, "eleven", 102, 1, 0);
    tick(&f, false);
    assert_int_equal(pt_procs_count(f.procs), 2);
    assert_int_equal(seen(&f, f.n, "proc:10/stat", RAWLOG_GONE), 1);
    assert_int_equal(seen(&f, f.n, "proc:10/statm", RAWLOG_GONE), 1);
    assert_int_equal(was_read(&f, "proc:11/stat"), 1);
    end(&f);
}

/* statm gates stat and status; all of it goes round within the rotation. */
static void gates(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, "gates");
    tree_process(10, "ten", 100, 500, 0);
    tick(&f, true);
    int idle_reads = 0;
    for (int i = 0; i < PT_SLOW_TICKS; i++) {
        tick(&f, false);
        assert_int_equal(was_read(&f, "proc:10/statm"), 1);
        idle_reads += was_read(&f, "proc:10/status");
    }
    assert_int_equal(idle_reads, 1);
    tree_print("10/statm", "1000 501 50 10 0 90 0\n");
    tick(&f, false);
    assert_int_equal(was_read(&f, "proc:10/stat"), 1);
    assert_int_equal(was_read(&f, "proc:10/status"), 1);
    tree_print("10/oom_score", "666\n");
    tree_print("10/oom_score_adj", "-5\n");
    for (int i = 0; i < PT_SMALL_TICKS; i++)
        tick(&f, false);
    assert_int_equal(seen(&f, 0, "proc:10/oom_score", RAWLOG_READ), 1);
    assert_int_equal(seen(&f, 0, "proc:10/oom_score_adj", RAWLOG_READ), 1);
    end(&f);
}

/* The same pid, another process: the old one ends, the new one begins, in the same snapshot. */
static void reuse(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, "reuse");
    tree_process(10, "old", 100, 500, 0);
    tick(&f, true);
    const uint32_t gen = pt_procs_find(f.procs, 10)->gen;
    tree_process(10, "new", 200, 77, 0);
    tick(&f, false);
    const struct pt_proc *p = pt_procs_find(f.procs, 10);
    assert_int_not_equal(p->gen, gen);
    assert_int_equal(p->start_time, 200);
    assert_int_equal(p->rss_pages, 77);
    assert_true(p->names_due);
    assert_int_equal(seen(&f, f.n, "proc:10/stat", RAWLOG_GONE), 1);
    assert_int_equal(was_read(&f, "proc:10/status"), 1);
    end(&f);
}

/* It renames itself: who it is stays, what it is called is looked up again. */
static void rename_self(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, "rename");
    tree_process(10, "before", 100, 500, 0);
    tick(&f, true);
    struct pt_proc *p = pt_procs_find(f.procs, 10);
    const uint32_t gen = p->gen;
    p->names_due = false;
    tree_process(10, "after) S 1 1 (", 100, 500, 0);
    for (int i = 0; i < PT_SLOW_TICKS; i++)
        tick(&f, false);
    p = pt_procs_find(f.procs, 10);
    assert_int_equal(p->gen, gen);
    assert_true(p->names_due);
    assert_int_equal(p->start_time, 100);
    end(&f);
}

/* A directory without files (it ended while being read), with some, and with files that cannot be
 * read. */
static void incomplete(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, "incomplete");
    tree_print("10/unrelated", "x");
    tree_print("11/stat", "rubbish");
    tree_print("11/statm", "");
    tree_print("11/status", "");
    tree_process(12, "twelve", 100, 500, 0);
    tree_remove("12/stat");
    tree_print("12/stat/directory", "x");
    tick(&f, true);
    tick(&f, true);
    assert_null(pt_procs_find(f.procs, 10));
    assert_int_equal(was_read(&f, "proc:11/stat"), 1);
    assert_int_equal(pt_procs_find(f.procs, 11)->start_time, 0);
    assert_int_equal(seen(&f, f.n, "proc:12/stat", RAWLOG_UNREADABLE), 1);
    assert_int_equal(was_read(&f, "proc:12/statm"), 1);
    end(&f);
}

/* While nobody was started, the live directory is listed in rotation only; a start shows at once.
 */
static void listing(void **state)
{
    (void)state;
    struct fixture f;
    struct pt_err err = {0};
    begin(&f, "listing");
    pt_procs_free(f.procs);
    pt_roots_release(&f.roots);
    assert_true(pt_roots_init(&f.roots, NULL, tree, tree, &err) >= 0);
    assert_true(pt_procs_new(&f.roots, &f.procs, &err) >= 0);
    f.n = PT_SLOW_TICKS; /* the next tick is none of the rotation */
    pt_procs_forks(f.procs, 5);
    tick(&f, false);
    const pid_t pid = fork();
    if (pid == 0) {
        pause();
        _exit(0);
    }
    tick(&f, false);
    assert_null(pt_procs_find(f.procs, (uint32_t)pid));
    pt_procs_forks(f.procs, 6);
    tick(&f, false);
    assert_non_null(pt_procs_find(f.procs, (uint32_t)pid));
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    tick(&f, false); /* an end is seen without a listing */
    assert_null(pt_procs_find(f.procs, (uint32_t)pid));
    end(&f);
}

/* Kernel threads: stat and status go round, nothing else is read. */
static void kernel_threads(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, "kernel");
    tree_process(2, "kthreadd", 1, 0, 0x208040);
    tick(&f, true);
    assert_true(pt_procs_find(f.procs, 2)->kernel);
    for (int i = 0; i < 2 * PT_SMALL_TICKS; i++)
        tick(&f, false);
    assert_int_equal(seen(&f, 0, "proc:2/stat", RAWLOG_READ), 3);
    assert_int_equal(seen(&f, 0, "proc:2/statm", RAWLOG_READ), 0);
    end(&f);
}

static void open_files(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, "fds");
    tree_process(10, "ten", 100, 500, 0);
    tree_print("10/fd/0", "");
    tree_print("10/fd/1", "");
    tree_print("10/fd/17", "");
    tick(&f, true);
    struct rawlog l;
    int rc;
    assert_true(rawlog_open(&l, f.log) >= 0);
    while ((rc = rawlog_next(&l)) > 0 && strcmp(l.name, "proc:10/fd") != 0)
        ;
    assert_int_equal(rc, 1);
    assert_int_equal(l.len, 2);
    assert_memory_equal(l.text, "3\n", 2);
    rawlog_close(&l);
    end(&f);
}

static void many(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, "many");
    for (unsigned i = 0; i < 300; i++)
        tree_process(1 + i * 7919 % 30011, "x", i + 1, i, 0);
    tick(&f, true);
    assert_int_equal(pt_procs_count(f.procs), 300);
    for (uint32_t i = 1; i < 300; i++)
        assert_true(pt_procs_at(f.procs, i - 1)->pid < pt_procs_at(f.procs, i)->pid);
    assert_in_range(pt_procs_kept(f.procs), 300, 2000);
    for (unsigned i = 0; i < 300; i += 2) {
        char name[16];
        snprintf(name, sizeof(name), "%u", 1 + i * 7919 % 30011);
        tree_remove(name);
    }
    tick(&f, false);
    assert_int_equal(pt_procs_count(f.procs), 150);
    end(&f);
}

/* Too little time for all: they are looked at in turn, those that change more often, and whoever
 * ends is seen to at once. */
static void in_turn(void **state)
{
    (void)state;
    struct fixture f;
    enum { COUNT = 200, TICKS = 30 };
    begin(&f, "in-turn");
    for (unsigned i = 0; i < COUNT; i++)
        tree_process(100 + i, "x", i + 1, 500, 0);
    for (int i = 0; i < 20; i++)
        tick(&f, true); /* nothing changes: they cool down */
    pt_procs_quota(f.procs, 0);
    const int64_t first = f.n + 1;
    for (int i = 0; i < TICKS; i++) {
        char text[64];
        snprintf(text, sizeof(text), "1000 %d 50 10 0 90 0\n", 501 + i);
        tree_print("150/statm", text);
        tick(&f, false);
        assert_in_range(pt_procs_visited(f.procs), 10, COUNT / 2);
    }
    int reads[COUNT] = {0}, rc;
    struct rawlog l;
    assert_true(rawlog_open(&l, f.log) >= 0);
    while ((rc = rawlog_next(&l)) > 0) {
        uint64_t pid;
        const size_t len = strlen(l.name);
        struct pt_scan s = pt_scan_of(l.name + 5, len - 5);
        if (l.n >= first && len > 6 && strcmp(l.name + len - 6, "/statm") == 0 &&
            pt_scan_u64(&s, &pid)) {
            assert_in_range(pid, 100, 100 + COUNT - 1);
            reads[pid - 100]++;
        }
    }
    assert_int_equal(rc, 0);
    rawlog_close(&l);
    for (unsigned i = 0; i < COUNT; i++)
        assert_in_range(reads[i], 1, i == 50 ? TICKS : TICKS / 3);
    assert_true(reads[50] > TICKS / 2);
    tree_remove("120");
    tree_remove("121");
    tick(&f, false);
    assert_int_equal(pt_procs_count(f.procs), COUNT - 2);
    assert_int_equal(seen(&f, f.n, "proc:120/statm", RAWLOG_GONE), 1);
    pt_procs_quota(f.procs, INT64_MAX);
    tick(&f, false);
    assert_int_equal(pt_procs_visited(f.procs), COUNT - 2);
    end(&f);
}

static void stat_lines(void **state)
{
    (void)state;
    static const char tail[] = " S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4242 20 21";
    static const char *const names[] = {"(x)",  "()",         "(foo) Z )", "(a\nb)",
                                        "((((", "(\xff\xfe)", "(x) R 1 1)"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        char text[256];
        struct pt_stat st;
        const bool closed = names[i][strlen(names[i]) - 1] == ')';
        const int n = snprintf(text, sizeof(text), "7 %s%s", names[i], tail);
        assert_int_equal(pt_stat_parse(text, (size_t)n, &st), closed);
        if (closed) {
            assert_int_equal(st.start_time, 4242);
            assert_int_equal(st.flags, 6);
            assert_int_equal(st.state, 'S');
        }
        for (size_t cut = 0; cut < (size_t)n - 10; cut++) /* before the start time */
            assert_false(pt_stat_parse(text, cut, &st));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lives),      cmocka_unit_test(gates),
        cmocka_unit_test(reuse),      cmocka_unit_test(rename_self),
        cmocka_unit_test(incomplete), cmocka_unit_test(kernel_threads),
        cmocka_unit_test(listing),    cmocka_unit_test(open_files),
        cmocka_unit_test(many),       cmocka_unit_test(stat_lines),
        cmocka_unit_test(in_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
