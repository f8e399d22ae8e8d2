/* SPDX-License-Identifier: MIT
 * The table of files and the field dictionary: names find their rows, every row and field can be
 * found, numbers are read strictly, and every key this kernel prints is known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "schema/source.h"
#include "tests/support/texts.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void patterns(void **state)
{
    static const struct {
        const char *pattern, *name;
        bool match;
    } cases[] = {
        {"", "", true},
        {"", "a", false},
        {"a", "", false},
        {"proc:stat", "proc:stat", true},
        {"proc:stat", "proc:statm", false},
        {"proc:statm", "proc:stat", false},
        {"*", "", true},
        {"*", "abc", true},
        {"*", "a/c", false},
        {"**", "a/c", true},
        {"**", "", true},
        {"proc:*/stat", "proc:1/stat", true},
        {"proc:*/stat", "proc:/stat", true},
        {"proc:*/stat", "proc:1/task/2/stat", false},
        {"proc:*/stat", "proc:stat", false},
        {"a**b", "ab", true},
        {"a**b", "a/x/b/y/b", true},
        {"a**b", "a/x/b/y", false},
        {"a*b*c", "abbbc", true},
        {"a*b*c", "ab/c", false},
        {"**/x*z", "a/b/xyz", true},
        {"**/x*z", "a/x/b/xyz", true},
        {"**/x*z", "a/xy/z", false},
        {"cgroup:**memory.stat", "cgroup:memory.stat", true},
        {"cgroup:**memory.stat", "cgroup:a/b/memory.stat", true},
        {"cgroup:**memory.stat", "cgroup:a/memory.state", false},
        {"*a", "*", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (pt_source_match(cases[i].pattern, cases[i].name) != cases[i].match)
            fail_msg("'%s' and '%s'", cases[i].pattern, cases[i].name);
    }
    char hard[4096];
    memset(hard, 'a', sizeof hard - 1);
    hard[sizeof hard - 1] = '\0';
    assert_false(pt_source_match("**a*a**a*a**a*a**b", hard)); /* and within a blink */
}

static void names_find_their_file(void **state)
{
    static const char *const cases[][2] = {
        {"proc:meminfo", "proc:meminfo"},
        {"proc:stat", "proc:stat"},
        {"proc:1/stat", "proc:*/stat"},
        {"proc:4194304/smaps_rollup", "proc:*/smaps_rollup"},
        {"proc:1/mounts", "proc:*/mounts"},
        {"proc:pressure/irq", "proc:pressure/*"},
        {"proc:sys/vm/swappiness", "proc:sys/vm/swappiness"},
        {"proc:sys/vm/of_tomorrow", "proc:sys/vm/*"},
        {"proc:net/sockstat6", "proc:net/sockstat6"},
        {"sys:devices/system/node/node12/meminfo", "sys:devices/system/node/node*/meminfo"},
        {"sys:block/zram3/mm_stat", "sys:block/zram*/mm_stat"},
        {"cgroup:a/b/c/memory.current", "cgroup:**memory.current"},
        {"cgroup:a/memory.swap.current", "cgroup:**memory.swap.current"},
        {"cgroup:memory/a/memory.usage_in_bytes", "cgroup:**memory.usage_in_bytes"},
        {"cgroup:memory/memory.memsw.usage_in_bytes", "cgroup:**memory.memsw.usage_in_bytes"},
        {"cgroup:a/memory.events.local", "cgroup:**memory.events.local"},
        {"cgroup:a/io.pressure", "cgroup:**.pressure"},
        {"statfs:/dev/shm", "statfs:**"},
        {"nowhere", "**"},
        {"", "**"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_string_equal(pt_file_of(cases[i][0])->pattern, cases[i][1]);
}

/* A name the pattern stands for. */
static void name_of(const char *pattern, char *ret, size_t size)
{
    size_t n = 0;
    for (; *pattern != '\0' && n + 4 < size; pattern++) {
        if (*pattern != '*') {
            ret[n++] = *pattern;
        } else if (pattern[1] == '*') {
            memcpy(ret + n, "q/7", 3);
            n += 3;
            pattern++;
        } else {
            ret[n++] = '7';
        }
    }
    ret[n] = '\0';
}

/* No row of the table, and no field of a row, stands in the shadow of one before it. */
static void nothing_is_hidden(void **state)
{
    size_t count;
    const struct pt_file *files = pt_files(&count);
    (void)state;
    for (size_t i = 0; i < count; i++) {
        char name[256];
        name_of(files[i].pattern, name, sizeof name);
        if (pt_file_of(name) != &files[i])
            fail_msg("'%s' is hidden by '%s'", files[i].pattern, pt_file_of(name)->pattern);
        for (size_t j = 0; j < files[i].nfields; j++) {
            name_of(files[i].fields[j].name, name, sizeof name);
            const struct pt_field *f = pt_field_of(&files[i], name, strlen(name));
            if (f != &files[i].fields[j])
                fail_msg("field '%s' of '%s' is hidden", name, files[i].pattern);
        }
    }
    assert_string_equal(files[count - 1].pattern, "**");
}

static void check_doc(const char *doc)
{
    const size_t len = strlen(doc);
    assert_in_range(len, 4, 160);
    assert_null(strchr(doc, '\n'));
    if (doc[len - 1] == '.' || doc[len - 1] == ' ' || doc[0] == ' ')
        fail_msg("'%s'", doc);
}

static void every_field_says_what_it_is(void **state)
{
    size_t count;
    const struct pt_file *files = pt_files(&count);
    (void)state;
    for (size_t i = 0; i < count; i++) {
        assert_non_null(files[i].parse);
        check_doc(files[i].doc);
        for (size_t j = 0; j < files[i].nfields; j++) {
            const struct pt_field *f = &files[i].fields[j];
            check_doc(f->doc);
            assert_true(f->unit == PT_UNIT_NONE || pt_unit_name(f->unit)[0] != '\0');
            assert_true(pt_field_kind_name(f->kind)[0] != '\0');
            if (f->unit == PT_UNIT_TEXT || f->unit == PT_UNIT_ID || f->unit == PT_UNIT_HEX)
                assert_int_equal(f->kind, PT_STATE); /* a name is not an amount */
        }
    }
    assert_string_equal(pt_unit_name((enum pt_unit)99), "");
    assert_string_equal(pt_field_kind_name((enum pt_field_kind)99), "");
}

static void numbers(void **state)
{
    static const struct {
        const char *s;
        bool ok;
        int64_t value, scale;
    } cases[] = {
        {"0", true, 0, 1},
        {"12", true, 12, 1},
        {"-12", true, -12, 1},
        {"007", true, 7, 1},
        {"0.05", true, 5, 100},
        {"-1.50", true, -150, 100},
        {"12.", false, 0, 0},
        {".5", false, 0, 0},
        {"1.2.3", false, 0, 0},
        {"", false, 0, 0},
        {"-", false, 0, 0},
        {"+1", false, 0, 0},
        {" 1", false, 0, 0},
        {"1 ", false, 0, 0},
        {"--1", false, 0, 0},
        {"1e3", false, 0, 0},
        {"max", false, 0, 0},
        {"0x1f", true, 31, 1},
        {"0X1F", true, 31, 1},
        {"0x", false, 0, 0},
        {"0xg", false, 0, 0},
        {"ff", false, 0, 0},
        {"9223372036854775807", true, INT64_MAX, 1},
        {"-9223372036854775807", true, -INT64_MAX, 1},
        {"9223372036854775808", false, 0, 0},
        {"18446744073709551615", false, 0, 0},
        {"99999999999999999999999999", false, 0, 0},
        {"0x7fffffffffffffff", true, INT64_MAX, 1},
        {"0x8000000000000000", false, 0, 0},
        {"9.223372036854775807", true, INT64_MAX, 1000000000000000000},
        {"0.0000000000000000000", false, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t value = 4711, scale = 4712;
        const bool ok = pt_number(cases[i].s, strlen(cases[i].s), &value, &scale);
        if (ok != cases[i].ok)
            fail_msg("'%s'", cases[i].s);
        assert_int_equal(value, ok ? cases[i].value : 4711);
        assert_int_equal(scale, ok ? cases[i].scale : 4712);
    }
}

static void hexadecimal_by_unit(void **state)
{
    const struct pt_field address = {"start", PT_UNIT_HEX, PT_STATE, "an address"};
    const struct pt_field plain = {"size", PT_UNIT_KIB, PT_GAUGE, "a size"};
    int64_t value, scale;
    (void)state;
    assert_true(pt_value(&address, "1000", 4, &value, &scale));
    assert_int_equal(value, 0x1000);
    assert_true(pt_value(&address, "0xff", 4, &value, &scale));
    assert_int_equal(value, 0xff);
    assert_false(pt_value(&address, "ffffffffff600000", 16, &value, &scale));
    assert_true(pt_value(&plain, "1000", 4, &value, &scale));
    assert_int_equal(value, 1000);
    assert_true(pt_value(NULL, "1000", 4, &value, &scale));
    assert_int_equal(value, 1000);
}

static void row_names(void **state)
{
    char name[32];
    (void)state;
    const char *zone = "Node    0, zone      DMA";
    assert_int_equal(pt_row_name(zone, strlen(zone), name, sizeof name), 16);
    assert_string_equal(name, "Node 0, zone DMA");
    assert_int_equal(pt_row_name("/a  b", 5, name, sizeof name), 5);
    assert_string_equal(name, "/a  b");
    assert_int_equal(pt_row_name("/a  b", 5, name, 3), 5);
    assert_string_equal(name, "/a");
    assert_int_equal(pt_row_name("/a", 2, name, 0), 2);
    assert_int_equal(pt_row_name("", 0, name, sizeof name), 0);
    assert_string_equal(name, "");
}

struct unknown {
    const struct pt_file *file;
    const char *source;
    size_t items, count;
};

static int note_unknown(void *ctx, const struct pt_item *item)
{
    struct unknown *u = ctx;
    u->items++;
    if (pt_field_of(u->file, item->field, item->field_len) == NULL) {
        print_error("%s: field '%.*s' is not in the dictionary\n", u->source, (int)item->field_len,
                    item->field);
        u->count++;
    }
    return 0;
}

static void count_unknown(void *ctx, const char *source, const char *text, size_t len)
{
    struct unknown *u = ctx;
    u->file = pt_file_of(source);
    u->source = source;
    if (u->file->nfields > 0)
        u->file->parse(text, len, note_unknown, u);
}

static void fields_of_this_kernel_are_known(void **state)
{
    struct unknown u = {0};
    (void)state;
    if (access("/proc/meminfo", R_OK) != 0) {
        print_message("skipped: no /proc here\n");
        skip();
    }
    assert_true(texts_of_machine(count_unknown, &u) > 10);
    assert_true(u.items > 500);
    assert_int_equal(u.count, 0);
}

static void fields_of_other_kernels_are_known(void **state)
{
    static const char *const trees[] = {"linux-6.18-x86_64", "linux-4.18-x86_64",
                                        "linux-5.10-arm64-64k", "cgroup-v2-numa"};
    (void)state;
    for (size_t i = 0; i < COUNT(trees); i++) {
        char root[512];
        struct unknown u = {0};
        snprintf(root, sizeof root, "%s/%s", PT_FIXTURES, trees[i]);
        assert_true(texts_of_tree(root, count_unknown, &u) > 0);
        assert_true(u.items > 0);
        assert_int_equal(u.count, 0);
    }
}

static void unknown_fields_keep_their_names(void **state)
{
    struct unknown u = {0};
    (void)state;
    count_unknown(&u, "proc:meminfo", "OfTomorrow: 5 kB\n", 17);
    assert_int_equal(u.items, 1);
    assert_int_equal(u.count, 1);
    assert_int_equal(u.file->unit, PT_UNIT_KIB); /* what such a field most likely is */
}

static void pids_of_names(void **state)
{
    const char *file = NULL;
    (void)state;
    assert_int_equal(pt_source_pid("proc:4711/status", &file), 4711);
    assert_string_equal(file, "status");
    assert_int_equal(pt_source_pid("proc:meminfo", NULL), -1);
    assert_int_equal(pt_source_pid("proc:12", NULL), -1);
    assert_int_equal(pt_source_pid("proc:12/", NULL), -1);
    assert_int_equal(pt_source_pid("proc:99999999999999999999/stat", NULL), -1);
    assert_int_equal(pt_source_pid("sys:12/stat", NULL), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns),
        cmocka_unit_test(names_find_their_file),
        cmocka_unit_test(nothing_is_hidden),
        cmocka_unit_test(every_field_says_what_it_is),
        cmocka_unit_test(numbers),
        cmocka_unit_test(hexadecimal_by_unit),
        cmocka_unit_test(row_names),
        cmocka_unit_test(fields_of_this_kernel_are_known),
        cmocka_unit_test(fields_of_other_kernels_are_known),
        cmocka_unit_test(unknown_fields_keep_their_names),
        cmocka_unit_test(pids_of_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
