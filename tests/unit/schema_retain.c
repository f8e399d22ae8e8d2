/* SPDX-License-Identifier: MIT
 * Retention: whatever is taken out of a recording, what stays says what it said, byte for byte and
 * with its times; what stands out stays; what was thinned is not taken for lost, nor the reverse.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "schema/store.h"
#include "schema/store_pick.h"
#include "tests/support/history.h"
#include "tests/support/scratch.h"

#define TICKS    1200
#define INTERVAL 30000000ll
#define HOUR     3600000000ll

/* A random recording, and what each of its snapshots says. */
struct past {
    char dir[256], path[300];
    struct pt_store *store;
    struct pt_shapes *shapes;
    struct pt_enc *enc;
    struct pt_h h;
    struct pt_snap snaps[TICKS + 1]; /* by number; n 0: lost */
    uint64_t said[TICKS + 1];
    bool marked[TICKS + 1];
    bool damaged; /* on purpose: some sources are lost */
    struct pt_err err;
};

/* ---- recording ---- */

static void event(struct past *p, enum pt_event kind, int64_t n, const char *text)
{
    assert_return_code(pt_store_event(p->store, p->h.snap.real_us, kind, n, "1 x", text, &p->err),
                       0);
}

static void tick(struct past *p, bool key, bool lose)
{
    struct pt_h *h = &p->h;
    struct pt_buf frame;
    pt_buf_init(&frame, 1u << 24);
    h->snap.real_us += INTERVAL - 1000000;
    h->snap.mem_available_kb = pt_h_random(h, 1000);
    h->snap.swap_used_kb = pt_h_random(h, 3) ? (int64_t)pt_h_random(h, 50) : 0;
    h->snap.psi_some_us += pt_h_random(h, 4) ? 0 : (int64_t)pt_h_random(h, 100000);
    if (key)
        pt_enc_new_chain(p->enc);
    assert_return_code(pt_h_tick(h, p->enc, &frame, &p->err), 0);
    const int64_t n = h->snap.n;
    if (!lose) {
        assert_return_code(pt_store_append(p->store, &h->snap, key, frame.data, frame.len, &p->err),
                           0);
        p->snaps[n] = h->snap;
    }
    event(p, PT_EVENT_EXIT, n, "peak RSS 1 kB, lived 1.000 s");
    if (pt_h_random(h, 100) == 0 && !lose) {
        event(p, PT_EVENT_OOM, n, "killed");
        p->marked[n] = true;
    }
    pt_buf_release(&frame);
}

static void begin(struct past *p, uint64_t seed)
{
    static const struct pt_meta meta = {.host = "retain", .interval_us = INTERVAL};
    memset(p, 0, sizeof *p);
    assert_return_code(scratch_make("retain", false, p->dir), errno);
    snprintf(p->path, sizeof p->path, "%s/r.db", p->dir);
    p->shapes = pt_shapes_new();
    p->enc = pt_enc_new(p->shapes);
    pt_h_init(&p->h, seed);
    p->h.quiet = 60;
    p->h.snap.psi_some_us = 0;
    if (pt_store_open(p->path, &meta, &p->store, &p->err) < 0)
        fail_msg("%s", p->err.text);
    assert_int_equal(pt_store_boot(p->store, "boot", 0, &p->err), 1);
}

static void record(struct past *p, uint32_t ticks)
{
    for (uint32_t i = 0, left = 0; i < ticks; i++, left--) {
        const bool key = left == 0;
        if (key)
            left = 25 + pt_h_random(&p->h, 50);
        const bool whole_chains = i + 1 == ticks || left == 1;
        tick(p, key, !key && !whole_chains && pt_h_random(&p->h, 40) == 0);
    }
    if (pt_store_seal(p->store, true, &p->err) < 0)
        fail_msg("%s", p->err.text);
}

static void end(struct past *p)
{
    char name[320];
    assert_return_code(pt_store_close(p->store, &p->err), 0);
    pt_enc_free(p->enc);
    pt_shapes_free(p->shapes);
    unlink(p->path);
    snprintf(name, sizeof name, "%s-wal", p->path);
    unlink(name);
    snprintf(name, sizeof name, "%s-shm", p->path);
    unlink(name);
    assert_return_code(rmdir(p->dir), errno);
}

/* ---- what it says ---- */

static struct pt_db *open_db(struct past *p)
{
    struct pt_db *db;
    if (pt_db_open(p->path, &db, &p->err) < 0)
        fail_msg("%s", p->err.text);
    return db;
}

/* Everything a snapshot says, as one number: name, presence, why, when and text of every source. */
static uint64_t said(struct past *p, struct pt_db *db, int64_t n)
{
    struct pt_view *v;
    struct pt_buf all;
    pt_buf_init(&all, 1u << 26);
    if (pt_view_load(db, n, PT_GROUP_ALL, &v, &p->err) < 0)
        fail_msg("%s", p->err.text);
    for (uint32_t i = 0; i < v->count; i++) {
        const struct pt_source_at *at = &v->sources[i];
        if (at->presence == PT_ABSENT)
            continue;
        pt_buf_put(&all, at->name, strlen(at->name) + 1);
        pt_buf_u8(&all, (uint8_t)at->presence);
        pt_buf_u64le(&all, (uint64_t)at->why);
        pt_buf_u64le(&all, (uint64_t)at->read_us);
        if (at->reading)
            assert_return_code(pt_reading_text(pt_db_shapes(db), at->reading, &all, &p->err), 0);
    }
    assert_false(all.failed);
    assert_true(v->lost == 0 || p->damaged);
    const uint64_t hash = pt_hash(all.data, all.len);
    pt_view_free(v);
    pt_buf_release(&all);
    return hash;
}

static void remember(struct past *p)
{
    struct pt_db *db = open_db(p);
    for (int64_t n = 1; n <= p->h.snap.n; n++)
        if (p->snaps[n].n)
            p->said[n] = said(p, db, n);
    pt_db_close(db);
}

/* ---- what must have stayed ---- */

static void must(const bool *there, int64_t n, const char *why)
{
    if (!there[n])
        fail_msg("snapshot %lld is gone: %s", (long long)n, why);
}

/* The snapshots of one hour, first to last. */
static void check_hour(const struct past *p, const bool *there, const int64_t *n, size_t count)
{
    int64_t least = n[0], most = n[0];
    for (size_t i = 0; i < count; i++) {
        if (p->snaps[n[i]].mem_available_kb < p->snaps[least].mem_available_kb)
            least = n[i];
        if (p->snaps[n[i]].swap_used_kb > p->snaps[most].swap_used_kb)
            most = n[i];
    }
    must(there, n[0], "the first of its hour");
    must(there, n[count - 1], "the last of its hour");
    must(there, least, "the least memory of its hour");
    must(there, most, "the most swap of its hour");
}

/* The steepest rise of PSI within an hour is still told by two snapshots. */
static void check_steepest(const struct past *p, const bool *there, const int64_t *n, size_t count)
{
    double best = 0;
    int64_t at = 0;
    for (size_t i = 1; i < count; i++) {
        const struct pt_snap *a = &p->snaps[n[i - 1]], *b = &p->snaps[n[i]];
        const double rate =
            (double)(b->psi_some_us - a->psi_some_us) / (double)(b->real_us - a->real_us);
        if (rate > best) {
            best = rate;
            at = (int64_t)i;
        }
    }
    if (at) {
        must(there, n[at], "the steepest PSI of its hour");
        must(there, n[at - 1], "where the steepest PSI of its hour began");
    }
}

/* Returns whether every hour still has something, and checks what it has. */
static bool check_hours(const struct past *p, const bool *there)
{
    int64_t n[TICKS];
    for (int64_t i = 1, count = 0; i <= p->h.snap.n; i++) {
        if (!p->snaps[i].n)
            continue;
        if (count && p->snaps[i].real_us / HOUR != p->snaps[n[0]].real_us / HOUR) {
            if (!there[n[0]])
                return false;
            check_hour(p, there, n, (size_t)count);
            check_steepest(p, there, n, (size_t)count);
            count = 0;
        }
        n[count++] = i;
    }
    return true;
}

static void check_marked(const struct past *p, const bool *there, int64_t from)
{
    int64_t before = 0;
    for (int64_t n = 1; n <= p->h.snap.n; n++) {
        if (!p->snaps[n].n)
            continue;
        if (n >= from && p->snaps[n].trigger != PT_TRIGGER_TIMER)
            must(there, n, "a trigger's");
        if (n >= from && p->marked[n])
            must(there, n, "an event points to it");
        if (before >= from && p->marked[n] && before == n - 1)
            must(there, before, "the picture before an event");
        before = n;
    }
}

struct there {
    struct past *p;
    bool at[TICKS + 1];
    int64_t count;
};

static int on_snap(void *ctx, const struct pt_snap *snap)
{
    struct there *t = ctx;
    assert_memory_equal(snap, &t->p->snaps[snap->n], sizeof *snap);
    t->at[snap->n] = true;
    t->count++;
    return 0;
}

/* All of it. Returns how many snapshots there are. */
static int64_t check_in(struct past *p, struct pt_db *db, bool deep)
{
    struct pt_db_span span;
    struct there t = {.p = p};
    assert_return_code(pt_db_each(db, 1, INT64_MAX, on_snap, &t, &p->err), 0);
    for (int64_t n = 1; n <= p->h.snap.n; n++)
        if (t.at[n] && said(p, db, n) != p->said[n])
            fail_msg("snapshot %lld says something else", (long long)n);
    assert_return_code(pt_db_span(db, &span, &p->err), 0);
    assert_int_equal(span.count, t.count);
    if (t.count && !p->damaged) {
        check_hours(p, t.at);
        check_marked(p, t.at, span.first);
    }
    if (deep && !p->damaged) {
        /* the lost ones are told as what they are; nothing else is */
        pt_db_check(db, NULL, NULL, &p->err);
        int64_t lost = 0;
        for (int64_t n = span.first; t.count && n <= p->h.snap.n; n++)
            lost += !p->snaps[n].n;
        assert_true(pt_db_damaged(db) >= lost);
        for (int64_t n = 1; n < span.first; n++)
            lost += !p->snaps[n].n;
        assert_true(pt_db_damaged(db) <= lost);
    }
    return t.count;
}

static int64_t check(struct past *p, bool deep)
{
    struct pt_db *db = open_db(p);
    const int64_t count = check_in(p, db, deep);
    pt_db_close(db);
    return count;
}

/* ---- tests ---- */

/* A cap that the file is over, with room to work in. */
static void press(struct past *p)
{
    struct stat st;
    assert_return_code(stat(p->path, &st), 0);
    const struct pt_limits limits = {.max_bytes = st.st_size * 8 / 5, .interval_us = INTERVAL};
    assert_return_code(pt_store_limit(p->store, &limits, &p->err), 0);
}

static void squeeze(uint64_t seed)
{
    struct past *p = malloc(sizeof *p);
    int64_t before = INT64_MAX, count;
    int r = 1, steps = 0;
    struct stat was, is;
    assert_non_null(p);
    begin(p, seed);
    record(p, TICKS);
    remember(p);
    assert_return_code(stat(p->path, &was), 0);
    /* a reader that has looked at segments before they were replaced */
    struct pt_db *held = open_db(p);
    check_in(p, held, false);
    while (r > 0) {
        press(p);
        r = pt_store_retain(p->store, &p->err);
        if (r < 0)
            fail_msg("%s", p->err.text);
        count = check(p, ++steps % 8 == 0 || r == 0);
        assert_true(count <= before);
        before = count;
        if (steps % 4 == 0 || r == 0)
            assert_int_equal(check_in(p, held, false), count);
    }
    pt_db_close(held);
    assert_true(steps > 30);
    assert_true(before < TICKS / 10);
    assert_return_code(stat(p->path, &is), 0);
    assert_true(is.st_size < was.st_size / 3); /* space was given back */
    end(p);
    free(p);
}

static void test_squeeze(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++)
        squeeze(seed);
}

/* ---- damage ---- */

/* A block's head that is not cut by the end of a page of the file: lengths of three bytes. */
static bool is_head(const uint8_t *p)
{
    return memcmp(p, "PTbl", 4) == 0 && p[4] == 0 && (p[7] & 0x7f) == 0 && p[11] == 0 &&
           p[15] == 0 && p[16] != 0; /* 0: the number of the next page stands there */
}

/* The checksum of a block with sources, of the second segment or a later one. */
static void damage_block(const char *path)
{
    struct stat st;
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_return_code(fstat(fd, &st), 0);
    uint8_t *bytes = malloc((size_t)st.st_size);
    assert_non_null(bytes);
    assert_int_equal(pread(fd, bytes, (size_t)st.st_size, 0), st.st_size);
    int clocks = 0;
    off_t at = 0;
    for (off_t i = 0; i + 40 < st.st_size && !at; i++) {
        if (!is_head(bytes + i) || i % 512 > 512 - 24)
            continue;
        clocks += (bytes[i + 5] & 0x7f) == PT_BLOCK_CLOCK;
        if (clocks > 2 && (bytes[i + 5] & 0x7f) == PT_BLOCK_PROC)
            at = i + 16;
    }
    assert_true(at > 0);
    bytes[at] ^= 0x40;
    assert_int_equal(pwrite(fd, bytes + at, 1, at), 1);
    free(bytes);
    close(fd);
}

struct told {
    int blocks, missing;
};

static void on_damage(void *ctx, const char *place, int64_t n1, int64_t n2, const char *what)
{
    struct told *t = ctx;
    (void)n1, (void)n2;
    t->blocks += strstr(place, "block") != NULL;
    t->missing += strcmp(what, "they are missing") == 0;
}

/* A segment with a damaged block is left as it is, with what is good of it, and stays damaged. */
static void test_damaged(void **state)
{
    static const struct pt_meta meta = {.host = "retain", .interval_us = INTERVAL};
    struct past *p = malloc(sizeof *p);
    int r = 1;
    (void)state;
    assert_non_null(p);
    begin(p, 7);
    record(p, 500);
    assert_return_code(pt_store_close(p->store, &p->err), 0);
    damage_block(p->path);
    p->damaged = true;
    remember(p);
    assert_return_code(pt_store_open(p->path, &meta, &p->store, &p->err), 0);
    /* until what can be thinned by age is */
    for (int i = 0; i < 9 && r > 0; i++) {
        struct told told = {0};
        press(p);
        r = pt_store_retain(p->store, &p->err);
        if (r < 0)
            fail_msg("%s", p->err.text);
        check(p, true);
        struct pt_db *db = open_db(p);
        pt_db_on_damage(db, on_damage, &told);
        pt_db_check(db, NULL, NULL, &p->err);
        assert_int_equal(told.blocks, 1);
        assert_int_equal(told.missing, 0);
        pt_db_close(db);
    }
    assert_true(check(p, false) < 500);
    end(p);
    free(p);
}

/* ---- age, events ---- */

static int on_event(void *ctx, const struct pt_db_event *e)
{
    int64_t *count = ctx;
    count[e->kind]++;
    return 0;
}

static void count_events(struct past *p, int64_t count[16])
{
    struct pt_db *db = open_db(p);
    memset(count, 0, 16 * sizeof *count);
    assert_return_code(pt_db_events(db, INT64_MIN, INT64_MAX, INT64_MIN, on_event, count, &p->err),
                       0);
    pt_db_close(db);
}

/* What is older than the newest segment by more than the limit is gone, and no more. */
static void test_age(void **state)
{
    struct past *p = malloc(sizeof *p);
    int64_t events[16];
    int r;
    (void)state;
    assert_non_null(p);
    begin(p, 3);
    record(p, 600); /* five hours */
    remember(p);
    const struct pt_limits limits = {.max_age_us = 2 * HOUR, .interval_us = INTERVAL};
    assert_return_code(pt_store_limit(p->store, &limits, &p->err), 0);
    while ((r = pt_store_retain(p->store, &p->err)) > 0)
        ;
    assert_int_equal(r, 0);
    const int64_t count = check(p, true);
    assert_in_range(count, 2 * 115, 2 * 120 + 80); /* two hours, and what of a segment is within */
    count_events(p, events);
    assert_in_range(events[PT_EVENT_EXIT], 230, 245);
    end(p);
    free(p);
}

/* Exits go first, what happened to the machine last; and they are kept within a part of the size.
 */
static void test_events(void **state)
{
    struct past *p = malloc(sizeof *p);
    int64_t events[16];
    int r;
    (void)state;
    assert_non_null(p);
    begin(p, 5);
    record(p, 60);
    remember(p);
    for (int i = 0; i < 4000; i++) {
        event(p, PT_EVENT_EXIT, 60, "peak RSS 123456 kB, lived 1.000 s");
        if (i % 100 == 0)
            event(p, PT_EVENT_TRIGGER, 60, "signal");
    }
    count_events(p, events);
    const int64_t oom = events[PT_EVENT_OOM];
    const struct pt_limits limits = {.max_bytes = 2 << 20, .interval_us = INTERVAL};
    assert_return_code(pt_store_limit(p->store, &limits, &p->err), 0);
    while ((r = pt_store_retain(p->store, &p->err)) > 0)
        ;
    assert_int_equal(r, 0);
    count_events(p, events);
    assert_int_equal(events[PT_EVENT_TRIGGER], 40);
    assert_int_equal(events[PT_EVENT_OOM], oom);
    assert_in_range(events[PT_EVENT_EXIT], 200, (2 << 20) / 16 / 60);
    check(p, true);
    end(p);
    free(p);
}

/* ---- what is picked ---- */

/* Thinned in parts, then as one: all that would be picked of the whole is there. */
static void test_pick(void **state)
{
    enum { N = 1500 };
    static struct pt_snap all[N], some[N];
    static bool whole[N], keep[N];
    struct pt_h h;
    (void)state;
    for (uint64_t seed = 1; seed < 40; seed++) {
        int64_t marks[] = {77, 500, 501, 1200};
        struct pt_pick how = {
            .level = PT_THIN_MINUTE, .interval_us = 10000000, .marks = marks, .nmarks = 4};
        uint32_t n = 0;
        pt_h_init(&h, seed);
        for (uint32_t i = 0; i < N; i++)
            all[i] = (struct pt_snap){
                .n = i + 1,
                .real_us = 1795000000000000 + i * 10000000ll,
                .trigger = pt_h_random(&h, 90) == 0,
                .mem_available_kb = pt_h_random(&h, 99),
                .swap_used_kb = pt_h_random(&h, 9),
                .psi_some_us = i ? all[i - 1].psi_some_us + (int64_t)pt_h_random(&h, 1000) : 0};
        for (uint32_t lo = 0, len; lo < N; lo += len) {
            len = 1 + pt_h_random(&h, 400);
            len = len < N - lo ? len : N - lo;
            pt_pick_kept(all + lo, len, &how, keep);
            for (uint32_t i = 0; i < len; i++)
                if (keep[i])
                    some[n++] = all[lo + i];
        }
        assert_true(n < N / 3);
        how.level = PT_THIN_TEN;
        const uint32_t most = pt_pick_kept(all, N, &how, whole),
                       got = pt_pick_kept(some, n, &how, keep);
        assert_in_range(got, most, most + most / 8);
        for (uint32_t i = 0, k = 0; i < N; i++) {
            while (k < n && some[k].n < all[i].n)
                k++;
            if (whole[i] && (k == n || some[k].n != all[i].n || !keep[k]))
                fail_msg("seed %d: snapshot %u is not picked", (int)seed, i + 1);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pick), cmocka_unit_test(test_squeeze), cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_age),  cmocka_unit_test(test_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
