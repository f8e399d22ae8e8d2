/* SPDX-License-Identifier: MIT
 * A small recording, looked at: what a process held, and where a recording that broke off begins.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyze/session.h"
#include "schema/source.h"

#define START    1795000000000000ll
#define INTERVAL 10000000ll

struct text {
    const char *name, *text;
};

#define STAT(pid, state)                                                                           \
#pid " (worker) " state                                                                        \
         " 1 1 1 0 -1 64 0 0 0 0 0 0 0 0 20 0 1 0 500 4096 9 18446744073709551615\n"
#define SMAPS                                                                                      \
    "7f0000000000-7f0000100000 rw-p 00000000 00:00 0 \n"                                           \
    "Size:               1024 kB\nRss:                 512 kB\nPss:                 512 kB\n"      \
    "Private_Clean:         0 kB\nPrivate_Dirty:       512 kB\nSwap:                  0 kB\n"

/* Both processes are deeply read once; then 10 ends and waits for its parent, 11 goes on. */
#define ID64 "c8b38413c88eefe063b8cd3f01c16be5e3bda9693a19a68a88807baca9feb937"
static const struct text alive[] = {
    {"proc:10/cgroup", "12:memory:/docker/" ID64 "\n1:name=systemd:/docker/" ID64
                       "\n0::/system.slice/containerd.service\n"},
    {"proc:10/smaps", SMAPS},
    {"proc:10/stat", STAT(10, "S")},
    {"proc:10/status", "Name:\tworker\nUid:\t0\t0\t0\t0\nVmRSS:\t     512 kB\n"},
    {"proc:11/cgroup",
     "4:memory:/user.slice/user-7.slice/user@7.service\n1:name=systemd:/user.slice/"
     "user-7.slice/user@7.service/app.slice/web.service\n0::/\n"},
    {"proc:11/smaps", SMAPS},
    {"proc:11/stat", STAT(11, "S")},
    {"proc:11/status", "Name:\tworker\nUid:\t0\t0\t0\t0\nVmRSS:\t     512 kB\n"},
};
static const struct text ended[] = {
    {"proc:10/stat", STAT(10, "Z")},
    {"proc:10/status", "Name:\tworker\nUid:\t0\t0\t0\t0\n"},
};

struct recording {
    char dir[64], path[80];
    struct pt_enc *enc;
    struct pt_store *store;
    struct pt_session session;
};
static const struct pt_args args;

static void append(struct recording *r, int64_t n, int64_t real_us, const struct text *texts,
                   size_t ntexts)
{
    struct pt_err err = {0};
    struct pt_buf frame;
    const struct pt_snap snap = {.n = n, .real_us = real_us, .boot_us = 1, .boot = 1};
    pt_buf_init(&frame, 1u << 20);
    assert_int_equal(pt_enc_begin(r->enc, &snap, &err), 0);
    for (size_t i = 0; i < ntexts; i++) {
        const char *name = texts[i].name;
        const int64_t h = pt_enc_open(r->enc, name, &pt_file_of(name)->grammar, &err);
        assert_true(h >= 0);
        assert_true(pt_enc_text(r->enc, (uint32_t)h, texts[i].text, strlen(texts[i].text),
                                PT_UNKNOWN, &err) >= 0);
    }
    assert_true(pt_enc_end(r->enc, &snap, &frame, &err) >= 0);
    assert_true(pt_store_append(r->store, &snap, n == 1, frame.data, frame.len, &err) >= 0);
    pt_buf_release(&frame);
}

static int set_up(void **state)
{
    struct recording *r = calloc(1, sizeof(*r));
    struct pt_shapes *shapes = pt_shapes_new();
    const struct pt_meta meta = {.host = "unit", .page_size = 4096, .interval_us = INTERVAL};
    struct pt_err err = {0};
    snprintf(r->dir, sizeof(r->dir), "/tmp/pt-picture-XXXXXX");
    assert_non_null(mkdtemp(r->dir));
    snprintf(r->path, sizeof(r->path), "%s/a.db", r->dir);
    r->enc = pt_enc_new(shapes);
    assert_int_equal(pt_store_open(r->path, &meta, &r->store, &err), 0);
    assert_int_equal(pt_store_boot(r->store, "boot-1", START, &err), 1);
    append(r, 1, START, alive, sizeof(alive) / sizeof(alive[0]));
    append(r, 2, START + INTERVAL, ended, sizeof(ended) / sizeof(ended[0]));
    /* the next boot's recorder is killed before its first snapshot */
    assert_int_equal(pt_store_boot(r->store, "boot-2", START + 9 * INTERVAL, &err), 2);
    assert_int_equal(pt_store_close(r->store, &err), 0);
    pt_enc_free(r->enc);
    pt_shapes_free(shapes);
    assert_int_equal(pt_session_open(&args, r->path, &r->session), 0);
    *state = r;
    return 0;
}

static int tear_down(void **state)
{
    struct recording *r = *state;
    pt_session_close(&r->session, 0);
    unlink(r->path);
    rmdir(r->dir);
    free(r);
    return 0;
}

/* A zombie's memory is gone, though the last reading of its smaps is still carried. */
static void zombie_holds_nothing(void **state)
{
    struct recording *r = *state;
    struct pt_view *view;
    struct pt_processes p;
    struct pt_err err = {0};
    assert_int_equal(pt_view_load(r->session.db, 2, PT_GROUP_ALL, &view, &err), 0);
    assert_int_equal(pt_processes_load(view, r->session.smaps, &p, &err), 0);
    assert_int_equal(p.n, 2);
    assert_int_equal(p.v[0].pid, 10);
    assert_int_equal(p.v[0].state, 'Z');
    assert_true(p.v[0].m[PT_PSS] == PT_UNKNOWN);
    assert_null(p.v[0].smaps);
    assert_int_equal(p.v[1].m[PT_PSS], 512 * 1024);
    assert_non_null(p.v[1].smaps);
    pt_processes_release(&p);
    pt_view_free(view);
}

/* The hierarchy that accounts memory may know less of a process than systemd's own, and what one
 * names a container another may name the daemon that made it. */
static void services_of_any_hierarchy(void **state)
{
    struct recording *r = *state;
    struct pt_view *view;
    struct pt_processes p;
    struct pt_err err = {0};
    assert_int_equal(pt_view_load(r->session.db, 1, PT_GROUP_ALL, &view, &err), 0);
    assert_int_equal(pt_processes_load(view, r->session.smaps, &p, &err), 0);
    assert_string_equal(p.v[0].service, "docker-c8b38413c88e");
    assert_string_equal(p.v[0].container, ID64);
    assert_string_equal(p.v[0].cgroup, "/docker/" ID64);
    assert_string_equal(p.v[1].service, "user@7/web.service");
    assert_string_equal(p.v[1].cgroup, "/user.slice/user-7.slice/user@7.service");
    assert_null(p.v[1].container);
    pt_processes_release(&p);
    pt_view_free(view);
}

static void boot_without_snapshots_is_passed_over(void **state)
{
    struct recording *r = *state;
    assert_int_equal(pt_db_boots(r->session.db), 2);
    assert_int_equal(pt_session_boot_first(&r->session), 1);
}

/* The clock of a broken or forged recording: no arithmetic may go astray (UBSan looks on). */
static void any_clock_is_borne(void **state)
{
    static const int64_t ends[][2] = {{INT64_MIN + 1000, INT64_MAX}, {INT64_MAX, INT64_MIN + 1000}};
    static const char *const times[] = {"-30m", "yesterday", "14:05", "2h ago"};
    struct recording *r = *state;
    struct pt_args quiet = {.out = fopen("/dev/null", "w"), .top = PT_UNKNOWN, .npositional = 1};
    struct pt_shapes *shapes = pt_shapes_new();
    char path[96];
    assert_non_null(quiet.out);
    snprintf(path, sizeof(path), "%s/b.db", r->dir);
    quiet.positional[0] = path;
    for (unsigned i = 0; i < 2; i++) {
        const struct pt_meta meta = {.page_size = 4096, .clk_tck = 100, .interval_us = INT64_MAX};
        struct pt_err err = {0};
        r->enc = pt_enc_new(shapes);
        assert_int_equal(pt_store_open(path, &meta, &r->store, &err), 0);
        assert_int_equal(pt_store_boot(r->store, "boot-1", START, &err), 1);
        append(r, 1, ends[i][0], alive, sizeof(alive) / sizeof(alive[0]));
        append(r, 2, ends[i][1], alive, sizeof(alive) / sizeof(alive[0]));
        assert_int_equal(pt_store_close(r->store, &err), 0);
        pt_enc_free(r->enc);
        assert_int_equal(pt_cmd_info.run(&quiet), 0);
        assert_int_equal(pt_cmd_diff.run(&quiet), 0);
        quiet.positional[1] = "ps";
        quiet.npositional = 2;
        for (unsigned k = 0; k < sizeof(times) / sizeof(times[0]); k++) {
            quiet.at = times[k];
            assert_true(pt_cmd_show.run(&quiet) >= 0);
        }
        quiet.at = NULL;
        quiet.npositional = 1;
        unlink(path);
    }
    pt_shapes_free(shapes);
    fclose(quiet.out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(zombie_holds_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(services_of_any_hierarchy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(boot_without_snapshots_is_passed_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(any_clock_is_borne, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
