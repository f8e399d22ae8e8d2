/* SPDX-License-Identifier: MIT
 * Ends of tasks: messages of several kernels, cut anywhere; which process it was; and many ends
 * made into few events. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <linux/acct.h>
#include <linux/genetlink.h>
#include <linux/taskstats.h>

#include "recorder/exits.h"
#include "recorder/toll.h"
#include "schema/frame.h"

#define S      INT64_C(1000000)
#define FAMILY 31

/* ---- messages ---- */

struct message {
    uint8_t bytes[2048];
    size_t len;
};

static void put(struct message *m, const void *data, size_t n)
{
    memcpy(m->bytes + m->len, data, n);
    m->len += n;
    while (m->len % 4)
        m->bytes[m->len++] = 0;
}

static size_t open_attr(struct message *m, uint16_t type)
{
    const struct nlattr a = {.nla_type = type};
    const size_t at = m->len;
    put(m, &a, sizeof(a));
    return at;
}

static void close_attr(struct message *m, size_t at)
{
    const uint16_t len = (uint16_t)(m->len - at);
    memcpy(m->bytes + at, &len, sizeof(len));
}

static void put_attr(struct message *m, uint16_t type, const void *data, size_t n)
{
    const struct nlattr a = {.nla_type = type, .nla_len = (uint16_t)(sizeof(a) + n)};
    put(m, &a, sizeof(a));
    put(m, data, n);
}

static void put_group(struct message *m, uint16_t group, uint16_t type, uint32_t id,
                      const struct taskstats *ts, size_t size)
{
    const size_t at = open_attr(m, group);
    put_attr(m, type, &id, sizeof(id));
    put_attr(m, TASKSTATS_TYPE_STATS, ts, size);
    close_attr(m, at);
}

/* tgid 0: the message has no group. */
static void build(struct message *m, uint32_t pid, uint32_t tgid, const struct taskstats *ts,
                  size_t size)
{
    struct nlmsghdr h = {.nlmsg_type = FAMILY};
    const struct genlmsghdr g = {.cmd = TASKSTATS_CMD_NEW, .version = 1};
    m->len = 0;
    put(m, &h, sizeof(h));
    put(m, &g, sizeof(g));
    put_group(m, TASKSTATS_TYPE_AGGR_PID, TASKSTATS_TYPE_PID, pid, ts, size);
    if (tgid)
        put_group(m, TASKSTATS_TYPE_AGGR_TGID, TASKSTATS_TYPE_TGID, tgid, ts, size);
    h.nlmsg_len = (uint32_t)m->len;
    memcpy(m->bytes, &h, sizeof(h));
}

static struct taskstats stats(uint16_t version)
{
    struct taskstats ts = {.version = version,
                           .ac_exitcode = 3 << 8,
                           .ac_btime = 1000,
                           .ac_etime = 2500000,
                           .hiwater_rss = 65536,
                           .ac_flag = AFORK};
    memcpy(ts.ac_comm, "name of 15 char", 16);
    if (version >= 10)
        ts.ac_btime64 = 5000000000; /* past what 32 bits tell */
    if (version >= 12) {
        ts.ac_tgid = 70;
        ts.ac_tgetime = 9000000;
        ts.ac_flag |= AGROUP;
    }
    return ts;
}

static bool parse(const struct message *m, struct pt_task_end *e)
{
    bool is;
    assert_int_equal(pt_taskstats_parse(m->bytes, m->len, FAMILY, &is, e), m->len);
    return is;
}

static void kernels(void **state)
{
    (void)state;
    struct message m;
    struct pt_task_end e;
    struct taskstats ts = stats(13);
    build(&m, 71, 70, &ts, sizeof(ts));
    assert_true(parse(&m, &e));
    assert_int_equal(e.pid, 71);
    assert_int_equal(e.tgid, 70);
    assert_true(e.last);
    assert_false(e.only_pid);
    assert_int_equal(e.end_s, 5000000002);
    assert_int_equal(e.lived_us, 9000000);
    assert_int_equal(e.peak_kb, 65536);
    assert_int_equal(e.status, 3 << 8);
    assert_string_equal(e.comm, "name of 15 char");

    ts.ac_flag = 0; /* others of its process live */
    build(&m, 71, 0, &ts, sizeof(ts));
    assert_true(parse(&m, &e));
    assert_false(e.last);

    ts = stats(10); /* 5.10: shorter, and without groups' numbers */
    build(&m, 71, 70, &ts, offsetof(struct taskstats, ac_tgid));
    assert_true(parse(&m, &e));
    assert_true(e.last);
    assert_false(e.only_pid);
    assert_int_equal(e.tgid, 70);
    assert_int_equal(e.lived_us, 2500000);
    assert_int_equal(e.end_s, 5000000002);

    ts = stats(8); /* 4.18 */
    build(&m, 71, 0, &ts, offsetof(struct taskstats, ac_btime64));
    assert_true(parse(&m, &e));
    assert_true(e.only_pid);
    assert_int_equal(e.tgid, 71);
    assert_int_equal(e.end_s, 1002);
}

/* A longer struct of a newer kernel, and messages of others. */
static void foreign(void **state)
{
    (void)state;
    struct message m;
    struct pt_task_end e;
    uint8_t newer[600] = {0};
    const struct taskstats ts = stats(13);
    memcpy(newer, &ts, sizeof(ts));
    build(&m, 71, 70, (void *)newer, sizeof(newer));
    assert_true(parse(&m, &e));
    assert_int_equal(e.peak_kb, 65536);
    m.bytes[4]++; /* another family */
    assert_false(parse(&m, &e));
    bool is;
    assert_int_equal(pt_taskstats_parse(m.bytes, 0, FAMILY, &is, &e), 0);
    memset(m.bytes, 0xff, 4); /* longer than the datagram */
    assert_int_equal(pt_taskstats_parse(m.bytes, m.len, FAMILY, &is, &e), 0);
    assert_false(is);
}

/* Cut anywhere, or with any length in it wrong: never a read past the end (sanitizers look), never
 * another's number. */
static void damaged(void **state)
{
    (void)state;
    struct message m;
    struct pt_task_end e;
    bool is;
    const struct taskstats ts = stats(13);
    build(&m, 71, 70, &ts, sizeof(ts));
    for (size_t n = 0; n <= m.len; n++) {
        uint8_t *copy = malloc(n + 1);
        const uint32_t len = (uint32_t)n;
        memcpy(copy, m.bytes, n);
        if (n >= 4)
            memcpy(copy, &len, 4); /* the header tells the cut length: only attributes are cut */
        pt_taskstats_parse(copy, n, FAMILY, &is, &e);
        assert_true(!is || e.pid == 71);
        free(copy);
    }
    for (size_t at = 16; at < 64; at++) {
        for (unsigned v = 0; v < 256; v += 5) {
            uint8_t *copy = malloc(m.len);
            memcpy(copy, m.bytes, m.len);
            copy[at] = (uint8_t)v;
            pt_taskstats_parse(copy, m.len, FAMILY, &is, &e);
            free(copy);
        }
    }
}

static void matches(void **state)
{
    (void)state;
    /* booted at 1000 s, now 1500 s, 60 s of them asleep; started 100 s after boot */
    const int64_t real = 1500 * S, boot = 500 * S, mono = 440 * S;
    struct pt_task_end e = {.end_s = 1500, .lived_us = 400 * S};
    assert_true(pt_exit_matches(10000, 100, &e, real, boot, boot));
    assert_true(pt_exit_matches(10000, 100, &e, real, boot, mono));
    e.lived_us = 340 * S; /* it slept, too */
    assert_true(pt_exit_matches(10000, 100, &e, real, boot, mono));
    assert_false(pt_exit_matches(10000, 100, &e, real, boot, boot));
    e.lived_us = 100000; /* another one, under the same number */
    assert_false(pt_exit_matches(10000, 100, &e, real, boot, mono));
    e.lived_us = 405 * S;
    assert_false(pt_exit_matches(10000, 100, &e, real, boot, boot));
    assert_false(pt_exit_matches(0, 100, &e, real, boot, boot));
    assert_false(pt_exit_matches(UINT64_MAX, 100, &e, real, boot, boot));
}

/* ---- few events of many ends ---- */

struct told {
    int n;
    char subject[64][64], text[64][PT_TOLL_TEXT];
    int64_t at[64];
};

static void take(void *ctx, int64_t real_us, int64_t n, const char *subject, const char *text)
{
    struct told *t = ctx;
    (void)real_us;
    assert_in_range(t->n, 0, 63);
    snprintf(t->subject[t->n], sizeof(t->subject[0]), "%s", subject);
    snprintf(t->text[t->n], sizeof(t->text[0]), "%s", text);
    t->at[t->n++] = n;
}

static struct pt_toll_one one(uint32_t pid, const char *comm, int64_t peak, int64_t n)
{
    struct pt_toll_one o = {
        .pid = pid, .real_us = pid, .n = n, .peak_kb = peak, .lived_us = 50000, .status = 0};
    snprintf(o.comm, sizeof(o.comm), "%s", comm);
    return o;
}

static void words(void **state)
{
    (void)state;
    struct pt_toll t;
    struct told told = {0};
    struct pt_toll_one o = one(7, "large", 65536, 0);
    pt_toll_init(&t, 0);
    pt_toll_add(&t, &o, false);
    o = one(8, "a\nb", 100, 42);
    o.status = 9;
    pt_toll_add(&t, &o, false);
    o = one(9, "c", 100, 43);
    o.status = -1;
    pt_toll_add(&t, &o, false);
    o = one(10, "d", 100, 43);
    o.status = 3 << 8;
    pt_toll_add(&t, &o, false);
    o = one(11, "small", 100, 0);
    pt_toll_add(&t, &o, false);
    pt_toll_tell(&t, 10 * S, false, take, &told);
    assert_int_equal(told.n, 4);
    assert_string_equal(told.subject[0], "7 large");
    assert_string_equal(told.text[0],
                        "peak RSS 65536 kB, lived 0.050 s, exit status 0, in no snapshot");
    assert_int_equal(told.at[0], PT_UNKNOWN);
    assert_string_equal(told.subject[1], "8 a\\x0ab");
    assert_string_equal(told.text[1], "peak RSS 100 kB, lived 0.050 s, killed by signal 9");
    assert_int_equal(told.at[1], 42);
    assert_string_equal(told.text[2], "peak RSS 100 kB, lived 0.050 s");
    assert_string_equal(told.text[3], "peak RSS 100 kB, lived 0.050 s, exit status 3");
    pt_toll_tell(&t, 59 * S, false, take, &told);
    assert_int_equal(told.n, 4); /* the others wait for their minute */
    pt_toll_tell(&t, 60 * S, false, take, &told);
    assert_int_equal(told.n, 5);
    assert_string_equal(told.subject[4], "");
    assert_string_equal(told.text[4], "1 others ended in 60 s, 1 of them in no snapshot: 1 small "
                                      "(peak RSS 100 kB)");
    pt_toll_tell(&t, 600 * S, true, take, &told);
    assert_int_equal(told.n, 5); /* nothing ended since */
}

/* A thousand a second for an hour: the largest are told, the events stay few, nobody is counted
 * twice or not at all. */
static void storm(void **state)
{
    (void)state;
    struct pt_toll t;
    uint64_t ended = 0, told_ones = 0, told_others = 0;
    int events = 0;
    pt_toll_init(&t, 0);
    for (int64_t second = 1; second <= 3600; second++) {
        for (uint32_t i = 0; i < 1000; i++) {
            char comm[16];
            snprintf(comm, sizeof(comm), "x%u", i % 100);
            const bool largest = i == 500;
            const struct pt_toll_one o =
                one(i + 1, comm, largest ? 1 << 30 : (i % 2 ? 20000 : 100), i % 10 ? 0 : second);
            pt_toll_add(&t, &o, false);
            ended++;
        }
        if (second % 10)
            continue;
        struct told told = {0};
        pt_toll_tell(&t, second * S, second == 3600, take, &told);
        assert_in_range(told.n, 1, PT_TOLL_ONES + 1);
        events += told.n;
        bool has_largest = false;
        for (int i = 0; i < told.n; i++) {
            unsigned long n = 0;
            for (const char *p = told.text[i]; *p >= '0' && *p <= '9'; p++)
                n = n * 10 + (unsigned long)(*p - '0');
            told_ones += n == 0;
            told_others += n;
            has_largest |= strstr(told.text[i], "peak RSS 1073741824 kB, lived") != NULL;
        }
        assert_true(has_largest);
    }
    assert_int_equal(told_ones + told_others, ended);
    assert_in_range(events, 360, PT_TOLL_ONES + 3600 / 5 + 3600 / 60);
}

/* A task that may be a thread is told by itself only where a snapshot had it. */
static void tasks(void **state)
{
    (void)state;
    struct pt_toll t;
    struct told told = {0};
    pt_toll_init(&t, 0);
    struct pt_toll_one o = one(7, "thread", 1 << 20, 0);
    pt_toll_add(&t, &o, true);
    o = one(8, "process", 1 << 20, 1);
    pt_toll_add(&t, &o, true);
    pt_toll_tell(&t, S, false, take, &told);
    assert_int_equal(told.n, 1);
    assert_string_equal(told.subject[0], "8 process");
    pt_toll_tell(&t, 2 * S, true, take, &told);
    assert_int_equal(told.n, 2);
}

/* Names that are all different and long: the summary fits. */
static void many_names(void **state)
{
    (void)state;
    struct pt_toll t;
    struct told told = {0};
    pt_toll_init(&t, 0);
    for (uint32_t i = 0; i < 5000; i++) {
        char comm[32];
        snprintf(comm, sizeof(comm), "\n\n\n\n\n\n\n\n\n\n%05u", i);
        const struct pt_toll_one o = one(i + 1, comm, i, 0);
        pt_toll_add(&t, &o, false);
    }
    pt_toll_tell(&t, 60 * S, false, take, &told);
    assert_int_equal(told.n, 1);
    assert_non_null(strstr(told.text[0], "5000 others ended"));
    assert_non_null(strstr(told.text[0], ", 4992 of other names (peak RSS 4999 kB)"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernels), cmocka_unit_test(foreign),    cmocka_unit_test(damaged),
        cmocka_unit_test(matches), cmocka_unit_test(words),      cmocka_unit_test(storm),
        cmocka_unit_test(tasks),   cmocka_unit_test(many_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
