/* SPDX-License-Identifier: MIT
 * The world of the database's tests. */
#include "tests/support/scratch.h"
#include "tests/support/store_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "schema/source.h"

const char *const world_names[SOURCES] = {
    "proc:meminfo",  "proc:pressure/memory", "proc:10/status",
    "proc:10/statm", "proc:33/statm",        "proc:10/smaps",
};

/* ---- the world: every text follows from (source, tick) ---- */

enum pt_presence world_presence_of(int source, int tick)
{
    switch (source) {
    case REUSED: /* 33 ends at 12 and is somebody else from 25 on */
        return tick < 12 || tick >= 25 ? PT_READ : PT_ABSENT;
    case SMAPS:
        if (tick < 5)
            return PT_ABSENT;
        return tick >= 30 && tick < 35 ? PT_UNREADABLE : tick % 5 == 0 ? PT_READ : PT_CARRIED;
    default:
        return PT_READ;
    }
}

int world_text_of(int source, int tick, char *ret, size_t size)
{
    switch (source) {
    case MEMINFO:
        return snprintf(ret, size, "MemTotal:       %8d kB\nMemFree:        %8d kB\n", 16000000,
                        9000 + tick * 7);
    case PRESSURE:
        return snprintf(ret, size, "some avg10=%d.%02d avg60=0.00 avg300=0.00 total=%d\n",
                        tick / 10, tick * 13 % 100, tick * 999);
    case STATUS:
        return snprintf(ret, size, "Name:\ta)\\nb\nVmRSS:\t%8d kB\nVmSwap:\t%8d kB\n",
                        1000 + tick / 3 * 64, 0);
    case STATM:
        return snprintf(ret, size, "%d %d 0 0 0 5 0\n", 500, 250 + tick / 3 * 16);
    case REUSED:
        return snprintf(ret, size, "%d 1 1 1 0 1 0\n", tick < 12 ? 77 : 1000 + tick);
    default:
        tick -= tick % 5;
        return snprintf(
            ret, size,
            "55d000000000-55d000%06x r--p 00000000 fe:00 99                     /bin/x\nSize: %18d "
            "kB\nRss: %19d kB\n"
            "7f%010x-7fff00000000 rw-p 00000000 00:00 0 \nSize: %18d kB\nRss: %19d kB\n",
            0x10000, 64, tick, 0x1000000 - tick * 4096, 100 + tick * 4, tick * 4);
    }
}

const struct pt_meta world_meta = {.host = "unit",
                                   .kernel = "6.18",
                                   .page_size = 4096,
                                   .clk_tck = 100,
                                   .cpus = 3,
                                   .interval_us = INTERVAL};

struct pt_snap world_snap_of(int tick)
{
    return (struct pt_snap){
        .n = tick + 1,
        .real_us = START + tick * INTERVAL + tick,
        .boot_us = 1000 + tick * INTERVAL,
        .mono_us = 900 + tick * INTERVAL,
        .span_us = 2000,
        .boot = 1,
        .trigger = tick ? PT_TRIGGER_TIMER : PT_TRIGGER_START,
        .cost_us = 500 + tick,
        .deep_us = PT_UNKNOWN,
        .rss_kb = 6000,
        .mem_available_kb = 9000 + tick * 7,
        .swap_used_kb = 0,
        .psi_some_us = PT_UNKNOWN,
        .psi_full_us = PT_UNKNOWN,
        .processes = 2,
    };
}

static void tell(struct world *w, int source, int tick)
{
    char text[1024];
    struct pt_err err = {0};
    const enum pt_presence presence = world_presence_of(source, tick);
    int64_t *h = &w->handles[source];
    if (presence == PT_ABSENT) {
        if (*h >= 0)
            assert_true(pt_enc_gone(w->enc, (uint32_t)*h, &err) >= 0);
        *h = -1;
        return;
    }
    if (*h < 0)
        *h = pt_enc_open(w->enc, world_names[source], &pt_file_of(world_names[source])->grammar,
                         &err);
    assert_true(*h >= 0);
    if (presence == PT_UNREADABLE && world_presence_of(source, tick - 1) != PT_UNREADABLE)
        assert_true(pt_enc_fail(w->enc, (uint32_t)*h, EACCES, PT_UNKNOWN, &err) >= 0);
    if (presence != PT_READ)
        return;
    const int len = world_text_of(source, tick, text, sizeof text);
    assert_true(pt_enc_text(w->enc, (uint32_t)*h, text, (size_t)len, PT_UNKNOWN, &err) >= 0);
}

void world_tick(struct world *w)
{
    struct pt_err err = {0};
    struct pt_buf frame;
    const struct pt_snap snap = world_snap_of(w->tick);
    pt_buf_init(&frame, 1u << 20);
    if (w->tick % CHAIN == 0)
        pt_enc_new_chain(w->enc);
    assert_true(pt_enc_begin(w->enc, &snap, &err) >= 0);
    for (int i = 0; i < SOURCES; i++)
        tell(w, i, w->tick);
    assert_true(pt_enc_end(w->enc, &snap, &frame, &err) >= 0);
    assert_int_equal(pt_store_next(w->store), snap.n);
    if (pt_store_append(w->store, &snap, w->tick % CHAIN == 0, frame.data, frame.len, &err) < 0)
        fail_msg("%s", err.text);
    pt_buf_release(&frame);
    w->tick++;
}

void world_seal(struct world *w, bool all)
{
    struct pt_err err = {0};
    if (pt_store_seal(w->store, all, &err) < 0)
        fail_msg("%s", err.text);
}

void world_open_store(struct world *w)
{
    struct pt_err err = {0};
    if (pt_store_open(w->path, &world_meta, &w->store, &err) < 0)
        fail_msg("%s", err.text);
}

void world_close_store(struct world *w)
{
    struct pt_err err = {0};
    assert_int_equal(pt_store_close(w->store, &err), 0);
    w->store = NULL;
}

void world_open(struct world *w)
{
    struct pt_err err = {0};
    *w = (struct world){0};
    assert_return_code(scratch_make("store", false, w->dir), errno);
    snprintf(w->path, sizeof w->path, "%s/a?b#c%%20 d.db", w->dir);
    w->shapes = pt_shapes_new();
    w->enc = pt_enc_new(w->shapes);
    for (int i = 0; i < SOURCES; i++)
        w->handles[i] = -1;
    world_open_store(w);
    assert_int_equal(pt_store_boot(w->store, "4f0c-boot", START - 5, &err), 1);
    assert_int_equal(pt_store_boot(w->store, "4f0c-boot", START - 5, &err), 1);
}

void world_record(struct world *w, int ticks)
{
    world_open(w);
    while (w->tick < ticks)
        world_tick(w);
}

int world_entries(const char *dir)
{
    DIR *d = opendir(dir);
    int n = 0;
    for (const struct dirent *e; d && (e = readdir(d));)
        n += e->d_name[0] != '.';
    if (d)
        closedir(d);
    return n;
}

void world_close(struct world *w)
{
    if (w->store)
        world_close_store(w);
    pt_enc_free(w->enc);
    pt_shapes_free(w->shapes);
    scratch_clear(w->dir);
    rmdir(w->dir);
}

/* ---- what must hold of any database of this world ---- */

struct pt_db *world_db(const char *path)
{
    struct pt_err err = {0};
    struct pt_db *db = NULL;
    if (pt_db_open(path, &db, &err) < 0)
        fail_msg("%s", err.text);
    return db;
}

void world_same_text(const struct pt_buf *buf, const char *text, int len)
{
    assert_int_equal(buf->len, len);
    assert_memory_equal(buf->data, text, (size_t)len);
}

static void check_text(struct pt_db *db, int source, int tick, struct pt_buf *buf)
{
    char text[1024];
    struct pt_source_at at;
    struct pt_err err = {0};
    const enum pt_presence want = world_presence_of(source, tick);
    pt_buf_reset(buf);
    if (pt_db_text(db, tick + 1, world_names[source], &at, buf, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(at.presence, want);
    if (want == PT_READ || want == PT_CARRIED)
        world_same_text(buf, text, world_text_of(source, tick, text, sizeof text));
    else
        assert_int_equal(buf->len, 0);
    if (want == PT_UNREADABLE)
        assert_int_equal(at.why, EACCES);
    if (want == PT_READ)
        assert_int_equal(at.read_us, world_snap_of(tick).real_us);
    if (want == PT_CARRIED)
        assert_int_equal(at.read_us, world_snap_of(tick - tick % 5).real_us);
}

/* Field by field: the bytes between them are anything. */
static void same_snap(const struct pt_snap *a, const struct pt_snap *b)
{
    assert_int_equal(a->n, b->n);
    assert_int_equal(a->real_us, b->real_us);
    assert_int_equal(a->boot_us, b->boot_us);
    assert_int_equal(a->mono_us, b->mono_us);
    assert_int_equal(a->span_us, b->span_us);
    assert_int_equal(a->utc_offset_s, b->utc_offset_s);
    assert_int_equal(a->boot, b->boot);
    assert_int_equal(a->trigger, b->trigger);
    assert_int_equal(a->cost_us, b->cost_us);
    assert_int_equal(a->deep_us, b->deep_us);
    assert_int_equal(a->rss_kb, b->rss_kb);
    assert_int_equal(a->mem_available_kb, b->mem_available_kb);
    assert_int_equal(a->swap_used_kb, b->swap_used_kb);
    assert_int_equal(a->psi_some_us, b->psi_some_us);
    assert_int_equal(a->psi_full_us, b->psi_full_us);
    assert_int_equal(a->processes, b->processes);
}

static void check_view(struct pt_db *db, int tick, struct pt_buf *buf)
{
    char text[1024];
    struct pt_view *v;
    struct pt_err err = {0};
    const struct pt_snap want = world_snap_of(tick);
    if (pt_view_load(db, tick + 1, PT_GROUP_ALL, &v, &err) < 0)
        fail_msg("%s", err.text);
    same_snap(&v->snap, &want);
    assert_int_equal(v->lost, 0);
    uint32_t there = 0;
    for (int i = 0; i < SOURCES; i++) {
        const struct pt_source_at *at = pt_view_find(v, world_names[i]);
        const enum pt_presence presence = world_presence_of(i, tick);
        if (presence == PT_ABSENT) {
            assert_null(at);
            continue;
        }
        there++;
        assert_non_null(at);
        assert_int_equal(at->presence, presence);
        if (!at->reading) {
            assert_int_equal(presence, PT_UNREADABLE);
            continue;
        }
        pt_buf_reset(buf);
        assert_int_equal(pt_reading_text(pt_db_shapes(db), at->reading, buf, &err), 0);
        world_same_text(buf, text, world_text_of(i, tick, text, sizeof text));
    }
    assert_int_equal(v->count, there);
    pt_view_free(v);
}

void world_check_span(struct pt_db *db, int from, int to)
{
    struct pt_buf buf;
    pt_buf_init(&buf, 1u << 20);
    for (int tick = from; tick < to; tick++) {
        check_view(db, tick, &buf);
        for (int i = 0; i < SOURCES; i++)
            check_text(db, i, tick, &buf);
    }
    for (int tick = to - 1; tick >= from; tick -= 7)
        check_text(db, SMAPS, tick, &buf);
    pt_buf_release(&buf);
}

void world_check_all(struct pt_db *db, int ticks)
{
    world_check_span(db, 0, ticks);
}

void world_check_cursor(struct pt_db *db, int ticks)
{
    struct pt_err err = {0};
    struct pt_db_span span;
    struct pt_snap snap;
    int64_t n = 0;
    assert_int_equal(pt_db_span(db, &span, &err), 0);
    assert_int_equal(span.first, 1);
    assert_int_equal(span.last, ticks);
    assert_int_equal(span.count, ticks);
    assert_int_equal(span.first_us, world_snap_of(0).real_us);
    assert_int_equal(span.last_us, world_snap_of(ticks - 1).real_us);
    for (int tick = 0; tick < ticks; tick++) {
        const int64_t us = world_snap_of(tick).real_us;
        assert_int_equal(pt_db_step(db, n, 1, &n, &err), 0);
        assert_int_equal(n, tick + 1);
        assert_int_equal(pt_db_snap(db, n, &snap, &err), 0);
        assert_int_equal(snap.mono_us, world_snap_of(tick).mono_us);
        for (int how = 0; how <= PT_SEEK_NEAREST; how++) {
            assert_int_equal(pt_db_find(db, us, (enum pt_seek)how, &n, &err), 0);
            assert_int_equal(n, tick + 1);
        }
        assert_int_equal(pt_db_find(db, us + 3000000, PT_SEEK_NEAREST, &n, &err), 0);
        assert_int_equal(n, tick + 1);
        assert_int_equal(pt_db_find(db, us + 9000000, PT_SEEK_LAST_BEFORE, &n, &err), 0);
        assert_int_equal(n, tick + 1);
        if (tick > 0) {
            assert_int_equal(pt_db_find(db, us - 3000000, PT_SEEK_FIRST_AFTER, &n, &err), 0);
            assert_int_equal(n, tick + 1);
        }
        n = tick + 1;
    }
    assert_int_equal(pt_db_step(db, ticks, 1, &n, &err), -PT_ENOTFOUND);
    assert_int_equal(pt_db_step(db, 1, -1, &n, NULL), -PT_ENOTFOUND);
    assert_int_equal(pt_db_step(db, ticks, -1, &n, NULL), 0);
    assert_int_equal(n, ticks - 1);
    assert_int_equal(pt_db_find(db, START - 1000, PT_SEEK_LAST_BEFORE, &n, NULL), -PT_ENOTFOUND);
    assert_int_equal(pt_db_find(db, INT64_MAX, PT_SEEK_FIRST_AFTER, &n, NULL), -PT_ENOTFOUND);
    assert_int_equal(pt_db_find(db, INT64_MIN + 1, PT_SEEK_NEAREST, &n, NULL), 0);
    assert_int_equal(n, 1);
    assert_int_equal(pt_db_snap(db, ticks + 1, &snap, NULL), -PT_ENOTFOUND);
}
