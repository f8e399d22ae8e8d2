/* SPDX-License-Identifier: MIT
 * What memory is left to whom: the machine's, or that of the nearest control group with a limit.
 * Units: bytes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "analyze/leaks/leaks_int.h"
#include "tests/support/recording.h"

#define START 1795000000000000ll
#define KIB   1024.0
#define MIB   (1024 * KIB)
#define FREE  (20000 * KIB) /* of swap */

struct text {
    const char *name, *text;
};

static const struct text groups[] = {
    {"cgroup:a/memory.max", "52428800\n"},
    {"cgroup:a/memory.current", "41943040\n"},
    {"cgroup:a/memory.stat", "anon 1\nfile 99\ninactive_file 2097152\nactive_file 3145728\n"},
    {"cgroup:a/memory.swap.max", "4194304\n"},
    {"cgroup:a/memory.swap.current", "1048576\n"},
    {"cgroup:a/b/memory.max", "524288000\n"},
    {"cgroup:a/b/memory.current", "41943040\n"},
    {"cgroup:c/memory.max", "max\n"},
    {"cgroup:c/memory.current", "41943040\n"},
    {"cgroup:e/memory.max", "1048576\n"},
    {"cgroup:e/memory.current", "62914560\n"},
    {"cgroup:memory/v/memory.limit_in_bytes", "52428800\n"},
    {"cgroup:memory/v/memory.memsw.limit_in_bytes", "57671680\n"},
    {"cgroup:memory/v/memory.memsw.usage_in_bytes", "47185920\n"},
    {"cgroup:memory/v/memory.stat", "inactive_file 524288\ntotal_inactive_file "
                                    "1048576\nactive_file 524288\ntotal_active_file 0\n"},
    {"cgroup:memory/v/memory.usage_in_bytes", "31457280\n"},
    {"cgroup:memory/w/memory.limit_in_bytes", "9223372036854771712\n"}, /* none */
    {"cgroup:memory/w/memory.usage_in_bytes", "52428800\n"},
    {"cgroup:unified/d/memory.max", "10485760\n"},
    {"cgroup:unified/d/memory.current", "4194304\n"},
    {"cgroup:unified/memory/memory.max", "3145728\n"}, /* its name, not the hierarchy's */
    {"cgroup:unified/memory/memory.current", "2097152\n"},
    {"cgroup:unified/memory/memory.stat", "inactive_file 1048576\n"},
    {"cgroup:unified/memory/memory.swap.max", "0\n"},
    {"cgroup:unified/memory/memory.swap.current", "0\n"},
};
static const struct text root[] = {
    {"cgroup:memory/memory.limit_in_bytes", "94371840\n"},
    {"cgroup:memory/memory.usage_in_bytes", "83886080\n"},
};
static const struct text machine = {"proc:meminfo",
                                    "MemTotal: 200000 kB\nMemFree: 9 kB\nMemAvailable: 100000 kB\n"
                                    "SwapTotal: 30000 kB\nSwapFree: 20000 kB\n"};
static const struct text without_swap = {
    "proc:meminfo", "MemTotal: 200000 kB\nMemFree: 9 kB\nMemAvailable: 100000 kB\n"};

static void add(struct recording *r, const struct text *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        recording_text(r, v[i].name, v[i].text);
}

/* g00 to g39: of 1 MiB each one byte more. */
static void add_many(struct recording *r)
{
    char name[64], text[64];
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof(name), "cgroup:g%02d/memory.current", i);
        recording_text(r, name, "0\n");
        snprintf(name, sizeof(name), "cgroup:g%02d/memory.max", i);
        snprintf(text, sizeof(text), "%d\n", (1 << 20) + i);
        recording_text(r, name, text);
    }
}

struct left {
    const char *cgroup, *limit;
    double bytes; /* NAN: not known, of nobody */
};

static void check(const struct left *v, size_t n, bool with_root, const struct text *meminfo)
{
    struct recording r;
    struct pt_args args = {0};
    struct pt_session s;
    struct pt_leaks l;
    struct pt_err err = {0};
    const struct pt_meta meta = {.host = "unit", .page_size = 4096, .interval_us = 10000000};
    recording_new(&r, &meta, START);
    for (int i = 0; i < 3; i++) {
        const int64_t at = i * INT64_C(10000000);
        const struct pt_snap snap = {
            .real_us = START + at, .boot_us = at, .mono_us = at, .boot = 1};
        recording_begin(&r, &snap, false);
        add(&r, groups, sizeof(groups) / sizeof(*groups));
        add_many(&r);
        add(&r, root, with_root ? 2 : 0);
        add(&r, meminfo, 1);
        recording_end(&r);
    }
    recording_close(&r);
    assert_int_equal(pt_session_open(&args, r.path, &s), 0);
    assert_int_equal(pt_leaks_find(&s, 1, 3, &l, &err), 0);
    for (size_t i = 0; i < n; i++) {
        const char *limit, *want = v[i].limit;
        const double bytes = pt_leaks_headroom(&l, v[i].cgroup, &limit);
        if (isnan(bytes) != isnan(v[i].bytes) || fabs(bytes - v[i].bytes) >= 0.5 ||
            !limit != !want || (want && strcmp(limit, want) != 0))
            fail_msg("%s: %.0f of %s, not %.0f of %s", v[i].cgroup ? v[i].cgroup : "nobody", bytes,
                     limit ? limit : "nobody", v[i].bytes, want ? want : "nobody");
    }
    pt_leaks_release(&l);
    pt_session_close(&s, 0);
    recording_remove(&r);
}
#define CHECK(v, with_root, meminfo) check(v, sizeof(v) / sizeof((v)[0]), with_root, meminfo)

static void of_the_nearest_limit(void **state)
{
    (void)state;
    static const struct left v[] = {
        {NULL, "machine", 100000 * KIB + FREE},
        {"/", "machine", 100000 * KIB + FREE},
        {"/a", "/a", (10 + 5 + 3) * MIB}, /* pages of files give way; its own rest of swap */
        {"/a/b", "/a", 18 * MIB},         /* of the two above it the nearest */
        {"/a/b/x", "/a", 18 * MIB},
        {"/ab", "machine", 100000 * KIB + FREE}, /* no part of /a */
        {"/c", "machine", 100000 * KIB + FREE},
        {"/d/x", "/d", 6 * MIB + FREE}, /* no word of swap: the machine's */
        {"/e", "/e", 0},                /* beyond its limit already */
        {"/v", "/v", (10 + 1) * MIB},   /* of memory and swap together */
        {"/w", "machine", 100000 * KIB + FREE},
        {"/memory", "/memory", 2 * MIB},
        {"/g00", "/g00", 1 * MIB + FREE},
        {"/g39/x", "/g39", 1 * MIB + FREE + 39},
    };
    CHECK(v, false, &machine);
}

static void of_the_root_and_without_swap(void **state)
{
    (void)state;
    static const struct left v[] = {
        {NULL, "machine", 100000 * KIB}, {"/", "/", 10 * MIB},  {"/ab", "/", 10 * MIB},
        {"/d", "/d", 6 * MIB},           {"/a", "/", 10 * MIB}, {"/memory", "/memory", 2 * MIB},
    };
    CHECK(v, true, &without_swap);
}

/* Without the machine's own only what groups say is known. */
static void of_groups_alone(void **state)
{
    (void)state;
    static const struct text other = {"proc:uptime", "100.00 100.00\n"};
    static const struct left v[] = {
        {NULL, NULL, NAN},
        {"/c", NULL, NAN},
        {"/w", NULL, NAN},
        {"/a/b", "/a", 18 * MIB},
        {"/v", "/v", (10 + 1) * MIB},
        {"/g17", "/g17", 1 * MIB + 17},
    };
    CHECK(v, false, &other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_the_nearest_limit),
        cmocka_unit_test(of_the_root_and_without_swap),
        cmocka_unit_test(of_groups_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
