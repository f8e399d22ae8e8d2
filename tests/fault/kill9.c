/* SPDX-License-Identifier: MIT
 * kill -9 at any moment: a child appends, seals and checkpoints; what it said was committed before
 * it died is there afterwards, byte for byte, and the file passes every check. PT_KILLS: how many
 * times (200). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "schema/source.h"
#include "schema/store.h"
#include "tests/support/number.h"

enum { SOURCES = 12, CHAIN = 16 };

/* Everything a snapshot says follows from its number. */
static int name_of(int64_t n, int source, char *ret, size_t size)
{
    if (source < 2)
        return snprintf(ret, size, "%s", source ? "proc:vmstat" : "proc:meminfo");
    return snprintf(ret, size, "proc:%lld/status",
                    (long long)(100 * source + n / 40)); /* processes come and go */
}

static int text_of(int64_t n, int source, char *ret, size_t size)
{
    const long long v = (long long)(n * 2654435761 % 100000 / (source + 1));
    return snprintf(ret, size, "Name:\tx%d\nVmRSS:\t%8lld kB\nVmSwap:\t%8lld kB\nThreads:\t%lld\n",
                    source, v, v / 7, (long long)n);
}

static struct pt_snap snap_of(int64_t n)
{
    return (struct pt_snap){
        .n = n, .real_us = 1795000000000000 + n * 1000000, .boot = 1, .processes = SOURCES - 2};
}

/* ---- the child ---- */

static int tell(struct pt_enc *enc, int64_t n, int64_t handles[SOURCES], struct pt_err *err)
{
    char name[64], text[256];
    int r = 0;
    for (int i = 0; i < SOURCES && r >= 0; i++) {
        if (i >= 2 && n % 40 == 0 && handles[i] >= 0) {
            r = pt_enc_gone(enc, (uint32_t)handles[i], err);
            handles[i] = -1;
        }
        name_of(n, i, name, sizeof name);
        if (handles[i] < 0)
            handles[i] = pt_enc_open(enc, name, &pt_file_of(name)->grammar, err);
        if (handles[i] < 0)
            return -1;
        const int len = text_of(n, i, text, sizeof text);
        if (r >= 0)
            r = pt_enc_text(enc, (uint32_t)handles[i], text, (size_t)len, PT_UNKNOWN, err);
    }
    return r;
}

static int run(const char *path, int report, struct pt_err *err)
{
    static const struct pt_meta meta = {.host = "kill9", .program = "kill9"};
    struct pt_store *store;
    struct pt_shapes *shapes = pt_shapes_new();
    struct pt_enc *enc = pt_enc_new(shapes);
    struct pt_buf frame;
    int64_t handles[SOURCES];
    memset(handles, -1, sizeof handles);
    pt_buf_init(&frame, 1u << 20);
    if (pt_store_open(path, &meta, &store, err) < 0 || pt_store_boot(store, "boot", 0, err) < 0)
        return -1;
    for (int i = 0;; i++) {
        const int64_t n = pt_store_next(store);
        const struct pt_snap snap = snap_of(n);
        pt_buf_reset(&frame);
        if (i % CHAIN == 0)
            pt_enc_new_chain(enc);
        if (pt_enc_begin(enc, &snap, err) < 0 || tell(enc, n, handles, err) < 0 ||
            pt_enc_end(enc, &snap, &frame, err) < 0 ||
            pt_store_append(store, &snap, i % CHAIN == 0, frame.data, frame.len, err) < 0)
            return -1;
        if (write(report, &n, sizeof n) != sizeof n)
            return 0;
        if (i % CHAIN == 0 && pt_store_seal(store, false, err) < 0)
            return -1;
    }
}

static _Noreturn void child(const char *path, int report)
{
    struct pt_err err = {0};
    const int r = run(path, report, &err);
    if (r < 0)
        fprintf(stderr, "child: %s\n", err.text);
    _exit(r < 0 ? 1 : 0);
}

/* ---- the parent ---- */

/* The last number reported, or 0. The child is killed `us` after its first. */
static int64_t let_run(const char *path, long us)
{
    int fds[2], status;
    int64_t n = 0, last = 0;
    assert_int_equal(pipe(fds), 0);
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(fds[0]);
        child(path, fds[1]);
    }
    close(fds[1]);
    if (read(fds[0], &n, sizeof n) == sizeof n)
        last = n;
    nanosleep(&(struct timespec){.tv_nsec = us * 1000}, NULL);
    kill(pid, SIGKILL);
    while (read(fds[0], &n, sizeof n) == sizeof n)
        last = n;
    close(fds[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status)); /* it did not end by itself */
    return last;
}

static void check_snapshot(struct pt_db *db, int64_t n, struct pt_buf *buf)
{
    struct pt_err err = {0};
    char name[64], text[256];
    for (int i = 0; i < SOURCES; i++) {
        struct pt_source_at at;
        name_of(n, i, name, sizeof name);
        const int len = text_of(n, i, text, sizeof text);
        pt_buf_reset(buf);
        if (pt_db_text(db, n, name, &at, buf, &err) < 0)
            fail_msg("snapshot %lld: %s", (long long)n, err.text);
        assert_int_equal(at.presence, PT_READ);
        assert_int_equal(buf->len, len);
        assert_memory_equal(buf->data, text, (size_t)len);
    }
}

static void check(const char *path, int64_t from, int64_t last, bool deep)
{
    struct pt_err err = {0};
    struct pt_db *db;
    struct pt_db_span span;
    struct pt_buf buf;
    pt_buf_init(&buf, 1u << 20);
    if (pt_db_open(path, &db, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(pt_db_span(db, &span, &err), 0);
    assert_true(span.last >= last);
    assert_true(span.last <= last + 1); /* committed, killed before it could say so */
    assert_int_equal(span.count, span.last);
    for (int64_t n = from; n <= span.last; n++)
        check_snapshot(db, n, &buf);
    if (deep)
        assert_int_equal(pt_db_check(db, NULL, NULL, &err), 0);
    assert_int_equal(pt_db_damaged(db), 0);
    pt_buf_release(&buf);
    pt_db_close(db);
}

static void test_kill9(void **state)
{
    char dir[256], path[300], side[320];
    const char *tmp = getenv("PT_TMP"), *want = getenv("PT_KILLS");
    int64_t kills = 200, last = 0, from = 1;
    unsigned seed = (unsigned)time(NULL);
    (void)state;
    if (want)
        assert_true(number_of(want, &kills));
    snprintf(dir, sizeof dir, "%s/kill9-XXXXXX", tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/k.db", dir);
    print_message("seed %u\n", seed);
    for (int64_t i = 0; i < kills; i++) {
        const int64_t got = let_run(path, rand_r(&seed) % 20000);
        last = got ? got : last;
        check(path, from, last, i % 20 == 0 || i == kills - 1);
        from = last > CHAIN ? last - CHAIN : 1;
    }
    check(path, 1, last, true);
    print_message("%lld kills, %lld snapshots\n", (long long)kills, (long long)last);
    unlink(path);
    snprintf(side, sizeof side, "%s-wal", path);
    unlink(side);
    snprintf(side, sizeof side, "%s-shm", path);
    unlink(side);
    rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_kill9)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
