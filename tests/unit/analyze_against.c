/* SPDX-License-Identifier: MIT
 * Files that are taken for an earlier report: good, bad, hostile and large ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyze/report/against.h"
#include "analyze/report/tree.h"

static void scratch(char *buf, const char *name)
{
    const char *dir = getenv("PT_TMP");
    snprintf(buf, 256, "%s/%s", dir ? dir : ".", name);
}

static void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void old_reports(void **state)
{
    static const struct {
        const char *text, *says;
    } files[] = {
        {"", "neither a recording nor a report"},
        {"{\"report\": 1", "neither a recording nor a report"},
        {"[]", "not a report"},
        {"{\"findings\": []}", "not a report"},
        {"{\"report\": 1, \"kind\": \"index\"}", "not a report"},
        {"{\"report\": 2, \"kind\": \"report\"}", "version 2"},
    };
    char path[256];
    const struct pt_args args = {.out = stdout};
    const char *kind = NULL;
    (void)state;
    scratch(path, "report-XXXXXX");
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        struct pt_err err = {0};
        put(path, files[i].text);
        assert_null(pt_against_load(&args, path, &kind, &err));
        assert_non_null(strstr(err.text, files[i].says));
    }
    /* a pipe is not waited for */
    struct pt_err err = {0};
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_null(pt_against_load(&args, path, &kind, &err));
    assert_non_null(strstr(err.text, "not a regular file"));
    unlink(path);
    /* one that says nothing of anything is still compared with: nothing is known to be new */
    err = (struct pt_err){0};
    put(path, "{\"report\": 1, \"kind\": \"report\", \"leaks\": 7, \"span\": []}");
    json_t *old = pt_against_load(&args, path, &kind, &err);
    assert_non_null(old);
    assert_string_equal(kind, "report");
    json_t *doc =
        json_pack("{s:[], s:[], s:{s:[{s:s, s:s, s:{s:s}}]}}", "notes", "verdict", "leaks",
                  "findings", "verdict", "leak", "class", "heap", "subject", "kind", "process");
    assert_int_equal(pt_against_apply(doc, old, kind, "old", &err), 0);
    const json_t *f = json_array_get(pt_tree_at(pt_tree_at(doc, "leaks"), "findings"), 0);
    assert_null(pt_tree_str(f, "status"));
    char *notes = json_dumps(pt_tree_at(doc, "notes"), 0);
    assert_non_null(strstr(notes, "does not tell of leaks"));
    free(notes);
    json_decref(old);
    json_decref(doc);
    unlink(path);
}

/* What is repeated so often between the two ends that it fills n bytes. */
static void fill(const char *path, const char *begin, const char *unit, const char *end, size_t n)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(begin, f);
    for (size_t i = 0; i + strlen(unit) < n; i += strlen(unit))
        fputs(unit, f);
    fputs(end, f);
    fclose(f);
}

static int64_t heap(void)
{
    const struct mallinfo2 m = mallinfo2();
    return (int64_t)(m.arena + m.hblkhd);
}

/* A file that would take hundreds of times its size is not made a tree of. */
static void hostile_reports(void **state)
{
    static const char *const units[] = {"{},", "[],", "0,", "{\"\":[]},", "[[[[]]]],"};
    const struct pt_args args = {.out = stdout};
    const char *kind = NULL;
    char path[256];
    (void)state;
    scratch(path, "hostile-XXXXXX");
    close(mkstemp(path));
    for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
        struct pt_err err = {0};
        fill(path, "{\"report\": 1, \"kind\": \"report\", \"x\": [", units[i], "0]}", 3 << 20);
        const int64_t before = heap();
        assert_null(pt_against_load(&args, path, &kind, &err));
        assert_non_null(strstr(err.text, "holds too much"));
        assert_true(heap() - before < (16 << 20));
    }
    struct pt_err err = {0};
    fill(path, "", "[", "", 100);
    assert_null(pt_against_load(&args, path, &kind, &err));
    assert_non_null(strstr(err.text, "holds too much"));
    err = (struct pt_err){0};
    fill(path, "\"", "[{,\\\"", "\"", 3 << 20); /* a string is one value, whatever is in it */
    assert_null(pt_against_load(&args, path, &kind, &err));
    assert_non_null(strstr(err.text, "neither a recording nor a report"));
    /* of what would be compared there may be less than of all */
    static const struct {
        const char *begin;
        size_t n;
    } large[] = {{"{\"x\": \"", 17 << 20}, {"", 65 << 20}};
    for (size_t i = 0; i < sizeof(large) / sizeof(*large); i++) {
        err = (struct pt_err){0};
        fill(path, large[i].begin, "xxxxxxxxxxxxxxxx", "\"}", large[i].n);
        assert_null(pt_against_load(&args, path, &kind, &err));
        assert_non_null(strstr(err.text, "too large"));
        assert_non_null(strstr(err.text, "compare with the database"));
    }
    unlink(path);
}

/* Of all that a report tells what is compared alone is kept, however much the rest is. */
static void large_reports(void **state)
{
    static const char begin[] =
        "{\"report\": 1, \"kind\": \"report\", \"damaged\": 2, \"kernel\": {\"a\": 1}, "
        "\"machine\": {\"host\": "
        "{\"kernel\": \"6.18, a\"}}, \"leaks\": {\"findings\": "
        "[{\"title\": "
        "\"of \\\"processes\\\": 7\", \"verdict\": \"leak\", \"evidence\" : [\"]}\\\\\"]}]}, "
        "\"swap\": {\"processes\": [{\"history\": [1]}], \"verdict\": \"unused\"}, \"processes\": "
        "[";
    const struct pt_args args = {.out = stdout};
    const char *kind = NULL;
    char path[256];
    struct pt_err err = {0};
    (void)state;
    scratch(path, "large-XXXXXX");
    close(mkstemp(path));
    fill(path, begin, "{\"pid\": 1, \"comm\": \"}]\\\"\"},", "0]}", 30 << 20);
    const int64_t before = heap();
    json_t *old = pt_against_load(&args, path, &kind, &err);
    assert_non_null(old);
    assert_true(heap() - before < (4 << 20));
    assert_int_equal(pt_tree_int(old, "damaged"), 2);
    assert_null(pt_tree_at(old, "processes"));
    assert_null(pt_tree_at(old, "kernel"));
    assert_true(pt_tree_is(pt_tree_at(pt_tree_at(old, "machine"), "host"), "kernel", "6.18, a"));
    const json_t *f = json_array_get(pt_tree_at(pt_tree_at(old, "leaks"), "findings"), 0);
    assert_true(pt_tree_is(f, "title", "of \"processes\": 7"));
    assert_true(pt_tree_is(f, "verdict", "leak"));
    assert_null(pt_tree_at(f, "evidence"));
    assert_true(pt_tree_is(pt_tree_at(old, "swap"), "verdict", "unused"));
    json_decref(old);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(old_reports),
        cmocka_unit_test(hostile_reports),
        cmocka_unit_test(large_reports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
