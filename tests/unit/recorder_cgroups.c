/* SPDX-License-Identifier: MIT
 * Memory files of control groups over trees of plain files: which groups are read, in either
 * hierarchy, and what becomes of one that is removed and made anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "recorder/cgroups.h"
#include "recorder/sources.h"
#include "tests/support/rawlog.h"
#include "tests/unit/recorder_tree.h"

struct fixture {
    struct pt_roots roots;
    struct pt_shapes *shapes;
    struct pt_enc *enc;
    struct pt_rawlog *raw;
    struct pt_sink sink;
    struct pt_cgroups *cgroups;
    char log[600];
    int64_t n;
};

/* The tree is written before. */
static void begin(struct fixture *f)
{
    struct pt_err err = {0};
    *f = (struct fixture){.shapes = pt_shapes_new()};
    f->enc = pt_enc_new(f->shapes);
    snprintf(f->log, sizeof(f->log), "%s.log", tree);
    assert_true(pt_rawlog_open(f->log, &f->raw, &err) >= 0);
    assert_true(pt_sink_init(&f->sink, f->enc, f->shapes, f->raw, &err) >= 0);
    assert_true(pt_roots_init(&f->roots, tree, tree, tree, &err) >= 0);
    assert_true(pt_cgroups_new(&f->roots, &f->cgroups, &err) >= 0);
}

static void end(struct fixture *f)
{
    struct pt_err err = {0};
    pt_cgroups_free(f->cgroups);
    pt_roots_release(&f->roots);
    pt_sink_release(&f->sink);
    assert_int_equal(pt_rawlog_close(f->raw, &err), 0);
    pt_enc_free(f->enc);
    pt_shapes_free(f->shapes);
    unlink(f->log);
    tree_remove("");
}

static void tick(struct fixture *f, bool full)
{
    struct pt_err err = {0};
    const struct pt_snap snap = {.n = ++f->n, .real_us = f->n * 1000000, .boot = 1};
    struct pt_buf frame;
    pt_buf_init(&frame, 1 << 20);
    f->sink.n = f->n;
    assert_true(pt_enc_begin(f->enc, &snap, &err) >= 0);
    pt_cgroups_tick(f->cgroups, &f->sink, (uint64_t)f->n, full);
    assert_true(pt_enc_end(f->enc, &snap, &frame, &err) >= 0);
    pt_buf_release(&frame);
    pt_rawlog_flush(f->raw);
}

static void note(struct fixture *f, const char *text)
{
    pt_cgroups_note(f->cgroups, text, strlen(text));
}

/* How often the newest snapshot has an outcome of a source; NULL: of any. */
static int seen(const struct fixture *f, const char *name, enum rawlog_outcome outcome)
{
    struct rawlog l;
    int count = 0, rc;
    assert_true(rawlog_open(&l, f->log) >= 0);
    while ((rc = rawlog_next(&l)) > 0)
        count += l.n == f->n && (!name || strcmp(l.name, name) == 0) && l.outcome == outcome;
    assert_int_equal(rc, 0);
    rawlog_close(&l);
    return count;
}
#define READ(f, name) assert_int_equal(seen(f, name, RAWLOG_READ), 1)

static void group_v2(const char *path, const char *current)
{
    static const char *const files[] = {
        "memory.swap.current", "memory.events", "memory.pressure",    "memory.stat", "memory.max",
        "memory.swap.max",     "memory.peak",   "memory.swap.events", "cgroup.stat"};
    char name[512];
    snprintf(name, sizeof(name), "%s/memory.current", path);
    tree_print(name, current);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        snprintf(name, sizeof(name), "%s/%s", path, files[i]);
        tree_print(name, "nr_dying_descendants 3\n");
    }
}

static void groups_of_v2_and_their_parents(void **state)
{
    (void)state;
    struct fixture f;
    tree_begin("v2");
    tree_print("cgroup.controllers", "memory\n");
    tree_print("memory.stat", "anon 1\n");
    tree_print("cgroup.stat", "nr_dying_descendants 7\n");
    group_v2("a.slice", "1\n");
    group_v2("a.slice/b:c.service", "2\n"); /* a colon is part of the path */
    group_v2("empty.slice", "3\n");
    begin(&f);
    note(&f, "0::/a.slice/b:c.service\n");
    note(&f, "0::/../outside\n4:memory:/v1\n1:name=systemd:/named\nnonsense\n");
    assert_int_equal(pt_cgroups_count(f.cgroups), 3);
    tick(&f, true);
    READ(&f, "cgroup:memory.stat"); /* the root has few */
    READ(&f, "cgroup:cgroup.stat");
    READ(&f, "cgroup:a.slice/memory.current");
    READ(&f, "cgroup:a.slice/b:c.service/memory.current");
    READ(&f, "cgroup:a.slice/b:c.service/memory.swap.current");
    READ(&f, "cgroup:a.slice/b:c.service/memory.events");
    READ(&f, "cgroup:a.slice/b:c.service/memory.stat");
    READ(&f, "cgroup:a.slice/b:c.service/memory.max");
    READ(&f, "cgroup:a.slice/b:c.service/memory.swap.events");
    READ(&f, "cgroup:a.slice/b:c.service/cgroup.stat");
    assert_int_equal(seen(&f, "cgroup:empty.slice/memory.current", RAWLOG_READ), 0);
    end(&f);
}

static void groups_of_v1(void **state)
{
    (void)state;
    struct fixture f;
    tree_begin("v1");
    tree_print("unified/cgroup.controllers", "");
    tree_print("memory/memory.usage_in_bytes", "1\n");
    tree_print("memory/a/memory.usage_in_bytes", "1\n");
    tree_print("memory/a/memory.stat", "cache 1\n");
    tree_print("memory/a/memory.memsw.usage_in_bytes", "1\n");
    tree_print("memory/a/memory.limit_in_bytes", "1\n");
    tree_print("memory/a/memory.oom_control", "oom_kill 0\n");
    begin(&f);
    note(&f, "5:cpu,cpuacct:/elsewhere\n4:blkio,memory:/a\n0::/unified\n");
    assert_int_equal(pt_cgroups_count(f.cgroups), 2);
    tick(&f, true);
    READ(&f, "cgroup:memory/memory.usage_in_bytes");
    READ(&f, "cgroup:memory/a/memory.usage_in_bytes");
    READ(&f, "cgroup:memory/a/memory.stat");
    READ(&f, "cgroup:memory/a/memory.memsw.usage_in_bytes");
    READ(&f, "cgroup:memory/a/memory.limit_in_bytes");
    READ(&f, "cgroup:memory/a/memory.oom_control");
    end(&f);
}

/* Descriptors are kept: those of a removed group must not be read for those of its successor. */
static void removed_and_made_anew(void **state)
{
    (void)state;
    struct fixture f;
    tree_begin("anew");
    tree_print("cgroup.controllers", "memory\n");
    group_v2("x", "1\n");
    begin(&f);
    note(&f, "0::/x\n");
    for (int i = 0; i < 3; i++)
        tick(&f, i == 0);
    READ(&f, "cgroup:x/memory.current");
    tree_remove("x");
    tree_print("x/memory.pressure", "some\n"); /* another, with less */
    for (int i = 0; i < PT_SLOW_TICKS; i++)
        tick(&f, false);
    assert_int_equal(seen(&f, "cgroup:x/memory.current", RAWLOG_READ), 0);
    READ(&f, "cgroup:x/memory.pressure");
    tree_remove("x");
    group_v2("x", "2\n"); /* and one with more */
    for (int i = 0; i < PT_SLOW_TICKS; i++)
        tick(&f, false);
    READ(&f, "cgroup:x/memory.current");
    tree_remove("x");
    for (int i = 0; i < PT_SLOW_TICKS; i++)
        tick(&f, false);
    assert_int_equal(pt_cgroups_count(f.cgroups), 1);
    assert_int_equal(seen(&f, "cgroup:x/memory.current", RAWLOG_READ), 0);
    group_v2("x", "3\n");
    note(&f, "0::/x\n");
    tick(&f, false);
    READ(&f, "cgroup:x/memory.current");
    end(&f);
}

/* Accounting that is turned on while the group lives. */
static void files_may_come_later(void **state)
{
    (void)state;
    struct fixture f;
    tree_begin("later");
    tree_print("cgroup.controllers", "memory\n");
    tree_print("x/cgroup.stat", "nr_dying_descendants 0\n");
    begin(&f);
    note(&f, "0::/x\n");
    tick(&f, true);
    assert_int_equal(seen(&f, "cgroup:x/memory.current", RAWLOG_READ), 0);
    tree_print("x/memory.current", "1\n");
    for (int i = 0; i < PT_RARE_TICKS; i++)
        tick(&f, false);
    READ(&f, "cgroup:x/memory.current");
    end(&f);
}

static void one_too_many_is_counted(void **state)
{
    (void)state;
    struct fixture f;
    char text[64];
    tree_begin("many");
    tree_print("cgroup.controllers", "memory\n");
    begin(&f);
    for (int i = 0; i < PT_CGROUPS_MAX + 9; i++) {
        snprintf(text, sizeof(text), "0::/g%d\n", i);
        note(&f, text);
    }
    assert_int_equal(pt_cgroups_count(f.cgroups), PT_CGROUPS_MAX);
    assert_int_equal(pt_cgroups_refused(f.cgroups), 10); /* the root is one */
    end(&f);
}

/* Kills are told once, of the innermost group that counts them; what was counted before the
 * recorder looked is not told. */
static void kills(void **state)
{
    (void)state;
    struct fixture f;
    struct pt_cgroup_kills k[4];
    tree_begin("kills");
    tree_print("cgroup.controllers", "memory\n");
    tree_print("memory.events", "oom 9\noom_kill 9\n");
    group_v2("a", "1\n");
    group_v2("a/b", "1\n");
    group_v2("ab", "1\n");
    tree_print("a/memory.events", "low 0\noom 3\noom_kill 3\noom_group_kill 0\n");
    tree_print("a/b/memory.events", "oom_kill 1\n");
    begin(&f);
    note(&f, "0::/a/b\n");
    note(&f, "0::/ab\n");
    tick(&f, true);
    assert_int_equal(pt_cgroups_kills(f.cgroups, k, 4), 0);
    tree_print("memory.events", "oom 9\noom_kill 11\n");
    tree_print("a/memory.events", "low 0\noom 4\noom_kill 5\noom_group_kill 7\n");
    tree_print("a/b/memory.events", "oom_kill 3\n");
    tick(&f, false);
    assert_int_equal(pt_cgroups_kills(f.cgroups, k, 4), 1);
    assert_string_equal(k[0].path, "/a/b");
    assert_int_equal(k[0].kills, 2);
    tick(&f, false);
    assert_int_equal(pt_cgroups_kills(f.cgroups, k, 4), 0);
    tree_print("a/memory.events", "low 0\noom 4\noom_kill 6\noom_group_kill 7\n");
    tree_print("ab/memory.events", "oom_kill 1\n");
    tick(&f, false);
    assert_int_equal(pt_cgroups_kills(f.cgroups, k, 4), 1);
    assert_string_equal(k[0].path, "/a");          /* /ab had no such count before */
    tree_print("a/memory.events", "oom_kill 0\n"); /* made anew */
    tick(&f, false);
    assert_int_equal(pt_cgroups_kills(f.cgroups, k, 4), 0);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_of_v2_and_their_parents), cmocka_unit_test(groups_of_v1),
        cmocka_unit_test(removed_and_made_anew),          cmocka_unit_test(files_may_come_later),
        cmocka_unit_test(one_too_many_is_counted),        cmocka_unit_test(kills),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
