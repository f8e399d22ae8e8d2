/* SPDX-License-Identifier: MIT
 * A -wal that is damaged in its middle is found, and everything fails that would save what stands
 * behind the place: each call, once and from then on until the recorder has tried again. Whatever
 * happens, its bytes are found afterwards, in a copy or in the database set aside with it; they are
 * on the disk before SQLite writes over them; it is told, and recording goes on. And copies do not
 * fill the disk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/drive.h"
#include "tests/support/faultfs.h"
#include "tests/support/scratch.h"

enum { SNAPSHOTS = 9, SLOT = 24 + 512, WAL_HEAD = 32, FILE_MAX = 1 << 20, COPIES = 8 };

/* The linker puts these in the place of the functions (--wrap). */
int __real_open(const char *path, int flags, ...);
ssize_t __real_read(int fd, void *buf, size_t n);
ssize_t __real_write(int fd, const void *buf, size_t n);
int __real_fsync(int fd);
int __real_renameat2(int from, const char *a, int to, const char *b, unsigned flags);
int __wrap_open(const char *path, int flags, ...);
ssize_t __wrap_read(int fd, void *buf, size_t n);
ssize_t __wrap_write(int fd, const void *buf, size_t n);
int __wrap_fsync(int fd);
int __wrap_renameat2(int from, const char *a, int to, const char *b, unsigned flags);

enum op { CREATE = 1, READ = 2, WRITE = 4, SYNC = 8, RENAME = 16 };

static struct {
    bool on; /* while the recorder is at work */
    unsigned ops;
    int sys;
    bool forever;
    int64_t at, calls, failed;
    bool bytes_dirty, names_dirty; /* not on the disk yet */
} fault;

static char dir[256], path[300];
static struct drive drive; /* who finds the damage */

static bool fails(enum op op)
{
    if (!fault.on || !(fault.ops & op))
        return false;
    fault.calls++;
    if (!fault.at || (fault.forever ? fault.calls < fault.at : fault.calls != fault.at))
        return false;
    fault.failed++;
    errno = fault.sys;
    return true;
}

int __wrap_open(const char *name, int flags, ...)
{
    va_list ap;
    va_start(ap, flags);
    const unsigned mode = flags & O_CREAT ? va_arg(ap, unsigned) : 0;
    va_end(ap);
    if ((flags & O_CREAT) && fails(CREATE))
        return -1;
    fault.names_dirty |= (flags & O_EXCL) != 0;
    return __real_open(name, flags, mode);
}

ssize_t __wrap_read(int fd, void *buf, size_t n)
{
    return fails(READ) ? -1 : __real_read(fd, buf, n);
}

ssize_t __wrap_write(int fd, const void *buf, size_t n)
{
    if (fails(WRITE))
        return -1;
    fault.bytes_dirty = true;
    return __real_write(fd, buf, n);
}

int __wrap_fsync(int fd)
{
    struct stat st;
    if (fails(SYNC))
        return -1;
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
        fault.names_dirty = false;
    else
        fault.bytes_dirty = false;
    return __real_fsync(fd);
}

int __wrap_renameat2(int from, const char *a, int to, const char *b, unsigned flags)
{
    if (fails(RENAME))
        return -1;
    fault.names_dirty = true;
    return __real_renameat2(from, a, to, b, flags);
}

/* ---- files ---- */

struct bytes {
    size_t len;
    uint8_t data[FILE_MAX];
};

static struct bytes old_wal, old_db, now; /* as the crash left them; to compare with */

static bool load(const char *name, struct bytes *ret)
{
    FILE *f = fopen(name, "rb");
    ret->len = f ? fread(ret->data, 1, sizeof ret->data, f) : 0;
    if (f)
        fclose(f);
    return f != NULL;
}

static bool is(const char *name, const struct bytes *want)
{
    return load(name, &now) && now.len == want->len && memcmp(now.data, want->data, now.len) == 0;
}

static void wal_of(char ret[600], const char *name)
{
    snprintf(ret, 600, "%s-wal", name);
}

static struct {
    int copies, wholes; /* of old_wal, alone and with its database */
    int others, parts;  /* copies of something else; not come to their ends */
} found;

static bool ends(const char *name, const char *end)
{
    const size_t n = strlen(name), len = strlen(end);
    return n > len && strcmp(name + n - len, end) == 0;
}

static void count_file(const char *name)
{
    char main[600];
    struct stat st;
    found.parts += ends(name, "-part");
    if (!strstr(name, ".damaged-") || !ends(name, "-wal"))
        return;
    snprintf(main, sizeof main, "%.*s", (int)(strlen(name) - 4), name);
    const bool there = stat(main, &st) == 0, same = is(name, &old_wal);
    if (there && st.st_size == 0) {
        found.copies += same;
        found.others += !same;
    } else {
        found.wholes += same && (!there || is(main, &old_db));
    }
}

static void count_files(void)
{
    const bool on = fault.on;
    fault.on = false; /* this is no call of the recorder's */
    memset(&found, 0, sizeof found);
    scratch_each(dir, count_file);
    fault.on = on;
}

/* ---- lives ---- */

/* A recorder that was killed, and a disk that damaged the -wal it left in the middle. */
static void crash(int64_t before)
{
    struct drive d;
    char wal[600];
    assert_int_equal(drive_init(&d, path), 0);
    d.chain = 1000;
    d.committed = before;
    drive_record(&d, SNAPSHOTS);
    assert_null(d.wrong);
    drive_release(&d);
    wal_of(wal, path);
    assert_true(load(wal, &old_wal));
    const size_t slots = (old_wal.len - WAL_HEAD) / SLOT;
    assert_true(slots > SNAPSHOTS);
    old_wal.data[WAL_HEAD + slots / 2 * SLOT + 100] ^= 0x5a;
    FILE *f = fopen(wal, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(old_wal.data, 1, old_wal.len, f), old_wal.len);
    fclose(f);
    assert_true(load(path, &old_db));
}

/* Before SQLite changes anything: what it may write over is elsewhere, and on the disk. */
static void seen(enum faultfs_op op, bool database)
{
    (void)op, (void)database;
    if (!fault.on)
        return;
    count_files();
    if (found.copies + found.wholes == 0)
        drive.wrong = "it is written over, and there is no copy";
    else if (found.copies && (fault.bytes_dirty || fault.names_dirty))
        drive.wrong = "it is written over, and the copy is not on the disk";
    faultfs.seen = NULL;
}

/* Opens as often as it takes. */
static int open_again(void)
{
    int tries = 0;
    struct pt_err err = {0};
    drive.keep.meta = &drive.meta;
    fault.on = true;
    while (pt_keep_open(&drive.keep, &err) < 0) {
        assert_true(err.code && err.text[0]);
        if (++tries == 2)
            fault.at = 0;
        assert_true(tries < 5);
        err = (struct pt_err){0};
    }
    fault.on = false;
    return tries;
}

/* ---- what is told ---- */

struct told {
    int kept, aside, lost;
    char subject[256];
};

static int on_event(void *ctx, const struct pt_db_event *e)
{
    struct told *t = ctx;
    const bool wal = strstr(e->text, "the -wal was damaged") != NULL;
    const bool kept = wal && e->kind == PT_EVENT_NOTE;
    const bool aside = strstr(e->text, "its -wal is damaged and cannot be copied: ") != NULL;
    t->kept += kept;
    t->aside += aside;
    t->lost += wal && e->kind == PT_EVENT_LOST && strstr(e->text, "is lost");
    if (kept || aside)
        snprintf(t->subject, sizeof t->subject, "%s", e->subject);
    return 0;
}

static struct told told(void)
{
    struct told t = {0};
    struct pt_db *db;
    struct pt_err err = {0};
    assert_int_equal(pt_db_open(path, &db, &err), 0);
    assert_int_equal(pt_db_events(db, INT64_MIN, INT64_MAX, INT64_MIN, on_event, &t, &err), 0);
    pt_db_close(db);
    return t;
}

/* Finds the damage, and records on. */
static void live(int64_t max_bytes)
{
    char text[512] = "";
    assert_int_equal(drive_init(&drive, path), 0);
    drive.keep.max_bytes = max_bytes;
    open_again();
    drive.committed = pt_store_next(drive.keep.store) - 1;
    if (!drive.wrong)
        drive_record(&drive, 5);
    if (!drive.wrong)
        drive_close(&drive);
    const char *wrong = drive.wrong ? drive.wrong : drive_check(&drive, text);
    if (wrong)
        fail_msg("call %lld%s, %s: %s (%s)", (long long)fault.at, fault.forever ? " and after" : "",
                 strerror(fault.sys), wrong, text);
    drive_release(&drive);
}

/* ---- tests ---- */

static const struct class
{
    const char *name;
    unsigned ops;
    int sys;
} classes[] = {
    {"no space", CREATE | WRITE | SYNC, ENOSPC},
    {"quota", CREATE | WRITE | SYNC, EDQUOT},
    {"error", CREATE | READ | WRITE | SYNC | RENAME, EIO},
    {"read-only", CREATE | WRITE | RENAME, EROFS},
    {"descriptors", CREATE, EMFILE},
};

static int64_t fail_at(const struct class *c, int64_t at, bool forever)
{
    crash(0);
    memset(&fault, 0, sizeof fault);
    fault.ops = c->ops;
    fault.sys = c->sys;
    fault.at = at;
    fault.forever = forever;
    faultfs.seen = seen;
    live(0);
    const struct told t = told();
    count_files();
    assert_null(faultfs.seen); /* something was written */
    assert_int_equal(found.copies + found.wholes, 1);
    assert_int_equal(found.others + found.parts, 0);
    assert_int_equal(t.kept + t.aside, 1);
    assert_int_equal(t.kept, found.copies);
    assert_int_equal(t.lost, 0);
    const bool passes = c->sys == EMFILE || c->sys == ENOSPC || c->sys == EDQUOT;
    if (passes) /* and then it goes on in the same file */
        assert_int_equal(found.wholes, 0);
    assert_non_null(strstr(t.subject, "a.db.damaged-"));
    if (at)
        assert_true(fault.failed > 0);
    else
        assert_int_equal(found.copies, 1);
    scratch_clear(dir);
    return fault.calls;
}

static void test_class(void **state)
{
    const struct class *c = *state;
    const int64_t calls = fail_at(c, 0, false);
    assert_true(calls > 0);
    for (int64_t at = 1; at <= calls; at++) {
        fail_at(c, at, false);
        fail_at(c, at, true);
    }
    print_message("%s: %lld calls\n", c->name, (long long)calls);
}

/* A disk that damages each -wal: so many copies and no more, and what is not kept is told. */
static void test_bound(void **state)
{
    (void)state;
    int64_t last = 0;
    memset(&fault, 0, sizeof fault);
    for (int i = 1; i <= COPIES + 2; i++) {
        crash(last);
        live(0);
        last = drive.committed;
        count_files();
        const struct told t = told();
        assert_int_equal(found.copies, i <= COPIES);
        assert_int_equal(found.copies + found.others, i < COPIES ? i : COPIES);
        assert_int_equal(t.kept, i < COPIES ? i : COPIES);
        assert_int_equal(t.lost, i < COPIES ? 0 : i - COPIES);
        assert_int_equal(t.aside, 0);
    }
    scratch_clear(dir);
}

/* The first whatever its size, the next within the limit. */
static void test_bytes(void **state)
{
    (void)state;
    memset(&fault, 0, sizeof fault);
    crash(0);
    const int64_t first = (int64_t)old_wal.len;
    live(first - 1);
    count_files();
    assert_int_equal(found.copies, 1);
    assert_int_equal(told().kept, 1);
    for (int enough = 0; enough < 2; enough++) {
        crash(drive.committed);
        live(first + (int64_t)old_wal.len - !enough);
        count_files();
        assert_int_equal(found.copies, enough);
        assert_int_equal(told().kept, 1 + enough);
        assert_int_equal(told().lost, 1);
    }
    scratch_clear(dir);
}

/* Who is killed between copying and what comes after, again and again, leaves one copy. */
static void test_again(void **state)
{
    (void)state;
    struct pt_kept_wal first, kept;
    struct pt_err err = {0};
    char part[600];
    memset(&fault, 0, sizeof fault);
    crash(0);
    snprintf(part, sizeof part, "%s-wal-part", path); /* of a copy that was cut short */
    FILE *f = fopen(part, "wb");
    assert_non_null(f);
    fclose(f);
    assert_int_equal(pt_store_keep_wal(path, 0, 0, &first, &err), 1);
    assert_true(first.behind > 0);
    assert_int_equal(unlink(first.name), 0); /* killed before it made that */
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pt_store_keep_wal(path, 5000000, 0, &kept, &err), 1);
        assert_string_equal(kept.name, first.name);
        assert_int_equal(kept.behind, first.behind);
        count_files();
        assert_int_equal(found.copies, 1);
        assert_int_equal(found.others + found.parts, 0);
    }
    live(0);
    assert_int_equal(told().kept, 1);
    scratch_clear(dir);
}

static int group_setup(void **state)
{
    (void)state;
    if (scratch_make("aside", true, dir) < 0)
        return -1;
    snprintf(path, sizeof path, "%s/a.db", dir);
    return faultfs_register();
}

static int group_teardown(void **state)
{
    (void)state;
    return rmdir(dir);
}

int main(void)
{
    enum { CLASSES = sizeof classes / sizeof *classes };
    struct CMUnitTest tests[CLASSES + 3] = {
        [CLASSES] = cmocka_unit_test(test_bound),
        [CLASSES + 1] = cmocka_unit_test(test_bytes),
        [CLASSES + 2] = cmocka_unit_test(test_again),
    };
    for (size_t i = 0; i < CLASSES; i++)
        tests[i] = (struct CMUnitTest){
            .name = classes[i].name, .test_func = test_class, .initial_state = (void *)&classes[i]};
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
