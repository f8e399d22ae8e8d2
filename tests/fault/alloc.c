/* SPDX-License-Identifier: MIT
 * Every allocation, ours and SQLite's, in a recorder's life with a database fails: once, and from
 * then on until the recorder has tried again. What the store called committed is there afterwards,
 * the file passes the deep verification, and (under sanitizers) nothing leaks. A sample: PT_RUNS of
 * each kind (150; 40 under sanitizers), other ones each day. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/drive.h"
#include "tests/support/number.h"
#include "tests/support/scratch.h"

enum { FIRST_LIFE = 12, SECOND_LIFE = 8 };
enum kind { OURS, SQLITES };

/* The linker puts these in the place of the functions (--wrap). */
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
char *__real_strdup(const char *s);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
char *__wrap_strdup(const char *s);

static struct {
    enum kind kind;
    bool on; /* while the store is at work */
    bool forever;
    int64_t at, calls, failed;
} fault;

static char dir[256], path[300];
static sqlite3_mem_methods sqlites;

static bool fails(enum kind kind)
{
    if (!fault.on || kind != fault.kind)
        return false;
    fault.calls++;
    const bool now =
        fault.at && (fault.forever ? fault.calls >= fault.at : fault.calls == fault.at);
    fault.failed += now;
    return now;
}

void *__wrap_malloc(size_t size)
{
    return fails(OURS) ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails(OURS) ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
    return fails(OURS) ? NULL : __real_realloc(p, size);
}

char *__wrap_strdup(const char *s)
{
    return fails(OURS) ? NULL : __real_strdup(s);
}

static void *sqlite_malloc(int size)
{
    return fails(SQLITES) ? NULL : sqlites.xMalloc(size);
}

static void *sqlite_realloc(void *p, int size)
{
    return fails(SQLITES) ? NULL : sqlites.xRealloc(p, size);
}

/* ---- lives ---- */

static void over(void)
{
    fault.at = 0;
}

static void at_work(bool on)
{
    fault.on = on;
}

static int64_t live(enum kind kind, int64_t at, bool forever)
{
    struct drive d;
    char text[512] = "";
    assert_int_equal(drive_init(&d, path), 0);
    d.over = over;
    d.at_work = at_work;
    memset(&fault, 0, sizeof fault);
    fault.kind = kind;
    fault.at = at;
    fault.forever = forever;
    drive_record(&d, FIRST_LIFE);
    if (!d.wrong)
        drive_close(&d);
    if (!d.wrong)
        drive_record(&d, SECOND_LIFE);
    if (!d.wrong)
        drive_close(&d);
    fault.on = false;
    const int64_t calls = fault.calls, failed = fault.failed;
    const char *wrong = d.wrong ? d.wrong : drive_check(&d, text);
    if (!wrong && d.keep.asides)
        wrong = "a good database was set aside";
    if (!wrong && at && failed < 1)
        wrong = "none failed";
    if (wrong)
        fail_msg("%s allocation %lld%s: %s (%s; the store said: %s)",
                 kind == OURS ? "our" : "SQLite's", (long long)at,
                 forever ? " and all after it" : "", wrong, text, d.err.text);
    drive_release(&d);
    scratch_clear(dir);
    return calls;
}

static void each(enum kind kind)
{
    const char *sanitized = getenv("PT_SANITIZED");
    const int64_t runs = number_or("PT_RUNS", sanitized && *sanitized ? 40 : 150);
    const int64_t calls = live(kind, 0, false);
    const int64_t stride = calls / runs + 1;
    assert_true(calls > 100);
    int64_t n = 0;
    for (int64_t at = 1 + time(NULL) / 86400 % stride; at <= calls - stride; at += stride, n += 2) {
        live(kind, at, false);
        live(kind, at, true);
    }
    print_message("%lld allocations, %lld runs\n", (long long)calls, (long long)n);
}

static void test_ours(void **state)
{
    (void)state;
    each(OURS);
}

static void test_sqlites(void **state)
{
    (void)state;
    each(SQLITES);
}

static int group_setup(void **state)
{
    (void)state;
    if (scratch_make("alloc", true, dir) < 0)
        return -1;
    snprintf(path, sizeof path, "%s/v.db", dir);
    if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &sqlites) != SQLITE_OK)
        return -1;
    sqlite3_mem_methods mine = sqlites;
    mine.xMalloc = sqlite_malloc;
    mine.xRealloc = sqlite_realloc;
    return sqlite3_config(SQLITE_CONFIG_MALLOC, &mine) == SQLITE_OK ? 0 : -1;
}

static int group_teardown(void **state)
{
    (void)state;
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ours),
        cmocka_unit_test(test_sqlites),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
