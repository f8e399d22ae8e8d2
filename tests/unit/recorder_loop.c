/* SPDX-License-Identifier: MIT
 * The loop: who is ready is called, in order; who pauses is left alone; who is done is not called
 * again; and it waits no longer than asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <poll.h>
#include <unistd.h>

#include "recorder/clock.h"
#include "recorder/loop.h"

static int order[8], calls;

struct end {
    int pipe[2], id;
    bool done;
};

static bool on_ready(void *ctx, int revents)
{
    const struct end *e = ctx;
    assert_true(revents & POLLIN);
    order[calls++ % 8] = e->id;
    return !e->done;
}

static void begin(struct end *e, int id)
{
    e->id = id;
    assert_int_equal(pipe(e->pipe), 0);
    assert_int_equal(write(e->pipe[1], "x", 1), 1); /* ready all the time: nobody reads */
}

static void end(struct end *e)
{
    close(e->pipe[0]);
    close(e->pipe[1]);
}

static int64_t wait_us(struct pt_loop *l, int64_t timeout_us)
{
    const int64_t start = pt_clock_us(CLOCK_MONOTONIC);
    pt_loop_wait(l, timeout_us);
    return pt_clock_us(CLOCK_MONOTONIC) - start;
}

static void loop(void **state)
{
    (void)state;
    struct pt_loop l = {0};
    struct end a = {0}, b = {0};
    begin(&a, 1);
    begin(&b, 2);
    pt_loop_add(&l, -1, POLLIN, 0, on_ready, &a); /* passed over */
    pt_loop_add(&l, a.pipe[0], POLLIN, 0, on_ready, &a);
    pt_loop_add(&l, b.pipe[0], POLLIN, 2000000, on_ready, &b);
    assert_int_equal(l.n, 2);
    pt_loop_wait(&l, -1);
    assert_int_equal(calls, 2);
    assert_int_equal(order[0], 1);
    assert_int_equal(order[1], 2);

    calls = 0;
    pt_loop_wait(&l, -1); /* the second pauses */
    assert_int_equal(calls, 1);
    assert_int_equal(order[0], 1);

    calls = 0;
    a.done = true;
    pt_loop_wait(&l, -1);
    assert_int_equal(calls, 1);

    /* the first is done, the second wakes up by itself */
    calls = 0;
    const int64_t start = pt_clock_us(CLOCK_MONOTONIC);
    while (!calls && pt_clock_us(CLOCK_MONOTONIC) < start + 20 * PT_SECOND)
        pt_loop_wait(&l, -1);
    assert_int_equal(calls, 1);
    assert_int_equal(order[0], 2);

    calls = 0;
    assert_true(wait_us(&l, 50000) >= 50000); /* it pauses again: the time asked for */
    assert_int_equal(calls, 0);
    end(&a);
    end(&b);
}

static void full(void **state)
{
    (void)state;
    struct pt_loop l = {0};
    for (int i = 0; i < PT_LOOP_MAX + 3; i++)
        pt_loop_add(&l, 0, POLLIN, 0, on_ready, NULL);
    assert_int_equal(l.n, PT_LOOP_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(loop), cmocka_unit_test(full)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
