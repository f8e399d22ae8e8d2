/* SPDX-License-Identifier: MIT
 * When the service manager is told what, and which threads count as getting on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "recorder/beat.h"
#include "recorder/clock.h"
#include "recorder/notify.h"

/* ---- the protocol ---- */

static int listen_at(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
    return fd;
}

/* The next message, "" when there is none. */
static const char *next(int fd)
{
    static char text[1024];
    const ssize_t n = recv(fd, text, sizeof(text) - 1, 0);
    text[n > 0 ? n : 0] = 0;
    return text;
}

static void tells(void **state)
{
    (void)state;
    char path[64];
    struct pt_notify n;
    snprintf(path, sizeof(path), "/tmp/pt-notify-%d", (int)getpid());
    const int fd = listen_at(path);
    setenv("NOTIFY_SOCKET", path, 1);
    setenv("WATCHDOG_USEC", "400000", 1);
    pt_notify_init(&n);
    assert_int_equal(n.watchdog_us, 400000);

    struct pt_notify_state s = {.alive = false, .status = "a"};
    assert_true(pt_notify_tick(&n, &s) > 0);
    assert_string_equal(next(fd), "");
    s.ready = s.alive = true;
    assert_in_range(pt_notify_tick(&n, &s), 1, 200000);
    assert_string_equal(next(fd), "READY=1\nWATCHDOG=1\nSTATUS=a");
    s.status = "b"; /* by itself it is no reason for a message */
    assert_in_range(pt_notify_tick(&n, &s), 1, 200000);
    assert_string_equal(next(fd), "");
    s.failing = true;
    pt_notify_tick(&n, &s);
    assert_string_equal(next(fd), "STATUS=b");
    s.alive = false;
    usleep(210000);
    assert_in_range(pt_notify_tick(&n, &s), 1, 200000);
    assert_string_equal(next(fd), "");
    s.alive = true;
    pt_notify_tick(&n, &s);
    assert_string_equal(next(fd), "WATCHDOG=1\nSTATUS=b");
    pt_notify_release(&n);

    unsetenv("WATCHDOG_USEC");
    pt_notify_init(&n);
    assert_int_equal(pt_notify_tick(&n, &s), -1);
    assert_string_equal(next(fd), "READY=1\nSTATUS=b");
    pt_notify_release(&n);

    unsetenv("NOTIFY_SOCKET");
    pt_notify_init(&n);
    assert_int_equal(pt_notify_tick(&n, &s), -1);
    assert_string_equal(next(fd), "");
    close(fd);
    unlink(path);
}

/* ---- threads ---- */

enum what { SPINS, SLEEPS, WAITS_FOR_KERNEL, RESTS };

struct thread {
    struct pt_beat beat;
    enum what what;
    _Atomic bool begun, end;
};

static void *run(void *arg)
{
    struct thread *t = arg;
    pt_beat_step(&t->beat);
    t->begun = true;
    if (t->what == RESTS)
        pt_beat_rest(&t->beat);
    if (t->what == WAITS_FOR_KERNEL) {
        /* until the child ends or executes something, its parent is in uninterruptible sleep */
        const pid_t child = vfork();
        if (child == 0) {
            usleep(600000);
            _exit(0);
        }
        waitpid(child, NULL, 0);
    }
    while (!t->end) {
        if (t->what != SPINS)
            usleep(1000);
    }
    return NULL;
}

static void judges(void **state)
{
    (void)state;
    for (int what = SPINS; what <= RESTS; what++) {
        struct thread t = {.what = (enum what)what};
        pthread_t thread;
        assert_false(pt_beat_stalled(&t.beat, 0));
        assert_int_equal(pthread_create(&thread, NULL, run, &t), 0);
        while (!t.begun)
            usleep(1000);
        assert_false(pt_beat_stalled(&t.beat, 60 * PT_SECOND));
        usleep(250000);
        const bool stalled = pt_beat_stalled(&t.beat, 100000);
        t.end = true;
        pthread_join(thread, NULL);
        if (stalled != (what == SPINS || what == SLEEPS))
            fail_msg("kind %d: stalled %d", what, stalled);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells),
        cmocka_unit_test(judges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
