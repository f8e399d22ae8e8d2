/* SPDX-License-Identifier: MIT
 * kill -9 at any moment: a child appends, seals, thins and checkpoints without end. What it said
 * was committed before it died is there afterwards, whatever is there says what it must, byte for
 * byte, and the file passes the deep verification, which knows what may have been thinned. Three
 * kills of four wait for a seal, a checkpoint or a thinning to begin; what the child was at when it
 * died is told, and at least half must have been one of these. PT_KILLS: how many times (120; 40
 * under sanitizers). PT_SEED: repeats a run's choices. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/faultfs.h"
#include "tests/support/number.h"
#include "tests/support/scratch.h"
#include "tests/support/stream.h"

enum { CHAIN = 16, MAX_BYTES = 192 << 10 };

enum phase { OPEN = 0, APPEND, SEAL, CHECKPOINT, THIN, PHASES };
static const char *const phase_names[PHASES] = {"open", "append", "seal", "checkpoint", "thin"};

/* Shared with the child. */
static struct shared {
    _Atomic int phase;
    _Atomic int64_t committed;
} * shared;

static char path[300];

/* ---- the child ---- */

/* In WAL mode nothing but a checkpoint writes to the database file. */
static void seen(enum faultfs_op op, bool database)
{
    (void)op;
    if (database && shared->phase != OPEN)
        shared->phase = CHECKPOINT;
}

static int record(struct pt_store *store, struct stream *s, struct pt_err *err)
{
    for (int i = 0;; i++) {
        const int64_t n = pt_store_next(store);
        const bool key = i % CHAIN == 0;
        int r;
        if (stream_make(s, n, 1, key, err) < 0)
            return -1;
        shared->phase = APPEND;
        if (pt_store_append(store, &s->snap, key, s->frame.data, s->frame.len, err) < 0)
            return -1;
        shared->committed = n;
        if (!key)
            continue;
        shared->phase = SEAL;
        if (pt_store_seal(store, false, err) < 0)
            return -1;
        do {
            shared->phase = THIN;
            r = pt_store_retain(store, err);
        } while (r > 0);
        if (r < 0)
            return -1;
    }
}

static _Noreturn void child(void)
{
    static const struct pt_meta meta = {.host = "kill9", .program = "kill9"};
    const struct pt_limits limits = {.max_bytes = MAX_BYTES, .interval_us = 1000000};
    struct pt_err err = {0};
    struct pt_store *store;
    struct stream s;
    faultfs.seen = seen;
    if (faultfs_register() == 0 && stream_init(&s) == 0 &&
        pt_store_open(path, &meta, &store, &err) >= 0 &&
        pt_store_boot(store, "boot", 0, &err) >= 0 && pt_store_limit(store, &limits, &err) >= 0)
        record(store, &s, &err);
    fprintf(stderr, "child: %s\n", err.text);
    _exit(1);
}

/* ---- the parent ---- */

static void pause_us(long us)
{
    nanosleep(&(struct timespec){.tv_nsec = us * 1000}, NULL);
}

/* Waits until the child has committed snapshot n, then, for a while, until it is at `want`. */
static void await(int64_t n, int want)
{
    for (int i = 0; i < 100000 && shared->committed < n; i++)
        pause_us(100);
    for (int i = 0; i < 20000 && want > APPEND && shared->phase != want; i++)
        pause_us(20);
}

/* What the child was at when it died. */
static enum phase let_run(int want, int64_t snapshots, long us)
{
    int status;
    const int64_t before = shared->committed;
    shared->phase = OPEN;
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        child();
    if (want != OPEN)
        await(before + snapshots, want);
    pause_us(us);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status)); /* it did not end by itself */
    return (enum phase)shared->phase;
}

static void on_damage(void *ctx, const char *place, int64_t n1, int64_t n2, const char *what)
{
    (void)ctx;
    print_message("%s: %s (%lld to %lld)\n", place, what, (long long)n1, (long long)n2);
}

static int64_t check_texts(struct pt_db *db)
{
    struct pt_buf buf;
    int64_t n = 0, count = 0;
    pt_buf_init(&buf, 1u << 20);
    while (pt_db_step(db, n, 1, &n, NULL) >= 0) {
        const char *wrong = stream_wrong(db, n, &buf);
        if (wrong)
            fail_msg("snapshot %lld: %s", (long long)n, wrong);
        count++;
    }
    pt_buf_release(&buf);
    return count;
}

/* How many snapshots there are; *last: the last one. */
static int64_t check(int64_t *last)
{
    struct pt_err err = {0};
    struct pt_db *db;
    struct pt_db_span span;
    if (!shared->committed && access(path, F_OK) < 0)
        return 0;
    if (pt_db_open(path, &db, &err) < 0) {
        assert_int_equal(shared->committed, 0); /* killed while it made the file */
        return 0;
    }
    pt_db_on_damage(db, on_damage, NULL);
    assert_int_equal(pt_db_span(db, &span, &err), 0);
    assert_true(span.last >= shared->committed);
    assert_true(span.last <= shared->committed + 1); /* committed, killed before it could say so */
    const int64_t count = check_texts(db);
    assert_int_equal(count, span.count);
    if (pt_db_check(db, NULL, NULL, &err) != 0)
        fail_msg("the deep verification fails: %s", err.text);
    pt_db_close(db);
    *last = span.last;
    return count;
}

/* A crash leaves nothing behind a damaged place. */
static void not_damaged(void)
{
    struct pt_err err = {0};
    struct pt_kept_wal kept;
    const int r = pt_store_keep_wal(path, 0, 0, &kept, &err);
    if (r != 0)
        fail_msg("%s", r < 0 ? err.text : "the -wal looks damaged");
}

static void test_kill9(void **state)
{
    (void)state;
    static const int wanted[] = {APPEND, SEAL, CHECKPOINT, THIN};
    char dir[256];
    const char *sanitized = getenv("PT_SANITIZED");
    const int64_t kills = number_or("PT_KILLS", sanitized && *sanitized ? 40 : 120);
    unsigned seed = (unsigned)number_or("PT_SEED", time(NULL));
    int64_t died[PHASES] = {0}, last = 0, count = 0;
    assert_return_code(scratch_make("kill9", false, dir), errno);
    snprintf(path, sizeof path, "%s/k.db", dir);
    print_message("seed %u\n", seed);
    for (int64_t i = 0; i < kills; i++) {
        const int want = i % 16 == 0 ? OPEN : wanted[rand_r(&seed) % 4];
        const int64_t snapshots = 1 + rand_r(&seed) % (3 * CHAIN);
        died[let_run(want, snapshots, rand_r(&seed) % (want > APPEND ? 1500 : 8000))]++;
        not_damaged();
        count = check(&last);
        shared->committed = last;
    }
    for (int p = 0; p < PHASES; p++)
        print_message("%lld died at: %s\n", (long long)died[p], phase_names[p]);
    print_message("%lld kills, %lld snapshots taken, %lld of them not thinned out: none lost\n",
                  (long long)kills, (long long)last, (long long)count);
    assert_true(2 * (died[SEAL] + died[CHECKPOINT] + died[THIN]) >= kills);
    assert_true(count < last); /* it was thinned */
    scratch_clear(dir);
    rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_kill9)};
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
