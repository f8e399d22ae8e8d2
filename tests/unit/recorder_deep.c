/* SPDX-License-Identifier: MIT
 * The deep reader: what it reads, what it does about reads that hang, and that nothing is left of
 * either. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "recorder/clock.h"
#include "recorder/deep.h"
#include "schema/source.h"
#include "tests/unit/recorder_tree.h"

struct fixture {
    struct pt_roots roots;
    struct pt_shapes *shapes;
    pthread_mutex_t lock;
    struct pt_deep *deep;
};

static void begin(struct fixture *f, const char *name, enum pt_cmdline cmdline)
{
    struct pt_err err = {0};
    tree_begin(name);
    *f = (struct fixture){.shapes = pt_shapes_new()};
    pthread_mutex_init(&f->lock, NULL);
    assert_true(pt_roots_init(&f->roots, tree, tree, tree, &err) >= 0);
    const struct pt_deep_config config = {.roots = &f->roots,
                                          .shapes = f->shapes,
                                          .shapes_lock = &f->lock,
                                          .cmdline = cmdline,
                                          .keep_text = true};
    assert_true(pt_deep_new(&config, &f->deep, &err) >= 0);
}

static void end(struct fixture *f)
{
    assert_true(pt_deep_free(f->deep));
    assert_int_equal(pt_shapes_count(f->shapes), 0); /* every reference was dropped */
    pt_shapes_free(f->shapes);
    pt_roots_release(&f->roots);
    pthread_mutex_destroy(&f->lock);
    tree_remove("");
}

static bool push(struct fixture *f, enum pt_deep_kind kind, uint32_t pid)
{
    static const char *const names[] = {"proc:1/cmdline", "proc:1/exe", "proc:1/smaps",
                                        "proc:1/smaps_rollup"};
    const struct pt_deep_job job = {
        .kind = kind, .pid = pid, .gen = pid + 7, .grammar = &pt_file_of(names[kind])->grammar};
    return pt_deep_push(f->deep, &job);
}

static void take(struct fixture *f, uint32_t pid, enum pt_deep_kind kind, int why, const char *text,
                 size_t len)
{
    struct pt_deep_result r;
    assert_true(pt_deep_take(f->deep, &r));
    assert_int_equal(r.pid, pid);
    assert_int_equal(r.gen, pid + 7);
    assert_int_equal(r.kind, kind);
    assert_int_equal(r.why, why);
    assert_int_equal(r.reading != NULL, why == 0);
    if (text) {
        struct pt_buf out;
        struct pt_err err = {0};
        pt_buf_init(&out, 64 << 20);
        assert_true(pt_reading_text(f->shapes, r.reading, &out, &err) >= 0);
        assert_int_equal(out.len, len);
        assert_int_equal(r.len, len);
        if (len) {
            assert_memory_equal(out.data, text, len);
            assert_memory_equal(r.text, text, len);
        }
        pt_buf_release(&out);
    }
    pt_deep_drop(f->deep, &r);
}

static void reads(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, "reads", PT_CMDLINE_MASKED);
    static const char smaps[] = "00400000-00452000 r-xp 00000000 08:02 173521      "
                                "/usr/bin/x\nRss:                 100 kB\n";
    static const char args[] = "x\0--password=hunter2\0", masked[] = "x\0--password=***\0";
    char path[1024];
    tree_print("5/smaps", smaps);
    tree_write("5/cmdline", args, sizeof(args) - 1);
    tree_path(path, "5/exe");
    assert_int_equal(symlink("/usr/bin/x (deleted)", path), 0);
    tree_print("6/smaps", "");
    push(&f, PT_DEEP_SMAPS, 5);
    push(&f, PT_DEEP_CMDLINE, 5);
    push(&f, PT_DEEP_EXE, 5);
    push(&f, PT_DEEP_SMAPS, 6);
    push(&f, PT_DEEP_ROLLUP, 6);
    push(&f, PT_DEEP_SMAPS, 7);
    pt_deep_wait(f.deep, 5 * PT_SECOND);
    take(&f, 5, PT_DEEP_SMAPS, 0, smaps, sizeof(smaps) - 1);
    take(&f, 5, PT_DEEP_CMDLINE, 0, masked, sizeof(masked) - 1);
    take(&f, 5, PT_DEEP_EXE, 0, "/usr/bin/x (deleted)", 20);
    take(&f, 6, PT_DEEP_SMAPS, 0, "", 0);
    take(&f, 6, PT_DEEP_ROLLUP, ENOENT, NULL, 0);
    take(&f, 7, PT_DEEP_SMAPS, ENOENT, NULL, 0);
    end(&f);
}

/* 50,000 mappings: many times the buffer. */
static void many_mappings(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, "many", PT_CMDLINE_FULL);
    char *text = malloc(8 << 20);
    size_t n = 0;
    assert_non_null(text);
    for (unsigned i = 0; i < 50000; i++)
        n += (size_t)snprintf(
            text + n, 160,
            "%08x-%08x rw-p 00000000 00:00 0 \nSize:           %8u kB\nRss:            %8u kB\n",
            0x10000000 + i * 0x2000, 0x10001000 + i * 0x2000, 4, i % 5);
    tree_write("5/smaps", text, n);
    push(&f, PT_DEEP_SMAPS, 5);
    pt_deep_wait(f.deep, 60 * PT_SECOND);
    take(&f, 5, PT_DEEP_SMAPS, 0, text, n);
    free(text);
    end(&f);
}

static void hangs(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, "hangs", PT_CMDLINE_FULL);
    tree_print("5/smaps", "x");
    tree_print("6/smaps", "x");
    tree_fifo("5/cmdline");
    push(&f, PT_DEEP_CMDLINE, 5);
    push(&f, PT_DEEP_SMAPS, 6);
    push(&f, PT_DEEP_SMAPS, 5); /* of the same process: not tried */
    const int64_t start = pt_clock_us(CLOCK_MONOTONIC);
    pt_deep_wait(f.deep, 10 * PT_SECOND);
    const int64_t took = pt_clock_us(CLOCK_MONOTONIC) - start;
    assert_in_range(took, PT_DEEP_STUCK_US - 1000, PT_DEEP_STUCK_US + 3 * PT_SECOND);
    take(&f, 5, PT_DEEP_CMDLINE, ETIMEDOUT, NULL, 0);
    take(&f, 5, PT_DEEP_SMAPS, ETIMEDOUT, NULL, 0);
    take(&f, 6, PT_DEEP_SMAPS, 0, "x", 1);
    bool paused;
    assert_int_equal(pt_deep_stuck(f.deep, &paused), 1);
    assert_false(paused);
    /* the read comes back after all: its result is nobody's, its thread ends */
    char path[1024];
    tree_path(path, "5/cmdline");
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(write(fd, "late", 4), 4);
    close(fd);
    for (int i = 0; i < 100 && pt_deep_stuck(f.deep, &paused); i++)
        usleep(20000);
    assert_int_equal(pt_deep_stuck(f.deep, &paused), 0);
    struct pt_deep_result r;
    assert_false(pt_deep_take(f.deep, &r));
    end(&f);
}

/* More that hang than threads may be given up: it pauses, and goes on when they come back. */
static void pauses(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, "pauses", PT_CMDLINE_FULL);
    for (uint32_t pid = 1; pid <= PT_DEEP_STUCK_MAX + 2; pid++) {
        char name[32];
        snprintf(name, sizeof(name), "%u/smaps", pid);
        tree_print(name, "x");
        tree_fifo(name);
        push(&f, PT_DEEP_SMAPS, pid);
    }
    bool paused;
    pt_deep_wait(f.deep, 60 * PT_SECOND);
    assert_int_equal(pt_deep_stuck(f.deep, &paused), PT_DEEP_STUCK_MAX + 1);
    assert_true(paused);
    assert_int_equal(pt_deep_room(f.deep), 0);
    assert_false(pt_deep_free(f.deep)); /* what hangs still needs it */
    int fds[PT_DEEP_STUCK_MAX + 2];
    for (uint32_t pid = 1; pid <= PT_DEEP_STUCK_MAX + 1; pid++) {
        char name[32], path[1024];
        snprintf(name, sizeof(name), "%u/smaps", pid);
        tree_path(path, name);
        fds[pid] = open(path, O_WRONLY | O_CLOEXEC);
        close(fds[pid]);
    }
    for (int i = 0; i < 100 && pt_deep_stuck(f.deep, &paused); i++)
        usleep(20000);
    assert_int_equal(pt_deep_stuck(f.deep, &paused), 0);
    end(&f);
}

static void queue_is_bounded(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, "queue", PT_CMDLINE_FULL);
    tree_print("5/smaps", "x");
    uint32_t pushed = 0;
    while (pushed < 10 * PT_DEEP_QUEUE && push(&f, PT_DEEP_SMAPS, 5))
        pushed++;
    assert_in_range(pushed, 1, PT_DEEP_QUEUE);
    pt_deep_wait(f.deep, 10 * PT_SECOND);
    assert_int_equal(pt_deep_results(f.deep), pushed);
    for (uint32_t i = 0; i < pushed / 2; i++)
        take(&f, 5, PT_DEEP_SMAPS, 0, "x", 1);
    end(&f); /* the rest is dropped */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads),  cmocka_unit_test(many_mappings),    cmocka_unit_test(hangs),
        cmocka_unit_test(pauses), cmocka_unit_test(queue_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
