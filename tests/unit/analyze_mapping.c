/* SPDX-License-Identifier: MIT
 * Mappings by name and kind, sums of smaps without its text. Units: bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "analyze/picture/mapping.h"
#include "schema/frame.h"
#include "schema/source.h"

static void names_and_kinds(void **state)
{
    (void)state;
    static const struct {
        const char *path, *want;
        enum pt_mapping_kind kind;
        bool deleted;
    } cases[] = {
        {"", "[anon]", PT_MAPPING_ANON, false},
        {"[heap]", "[heap]", PT_MAPPING_HEAP, false},
        {"[stack]", "[stack]", PT_MAPPING_STACK, false},
        {"[stack:1234]", "[stack]", PT_MAPPING_STACK, false},
        {"[anon:v8]", "[anon:v8]", PT_MAPPING_ANON, false},
        {"[anon:arena-77123]", "[anon:arena-*]", PT_MAPPING_ANON, false},
        {"[vdso]", "[vdso]", PT_MAPPING_KERNEL, false},
        {"/usr/lib/libssl.so.1.1", "/usr/lib/libssl.so.1.1", PT_MAPPING_FILE, false},
        {"/usr/bin/python3.11 (deleted)", "/usr/bin/python3.11", PT_MAPPING_FILE, true},
        {"/dev/zero (deleted)", "[shared anon]", PT_MAPPING_SHMEM, true},
        {"/dev/zero", "/dev/zero", PT_MAPPING_DEVICE, false},
        {"/memfd:pulse (deleted)", "/memfd:pulse", PT_MAPPING_SHMEM, true},
        {"/SYSV0052e2c1 (deleted)", "/SYSV0052e2c1", PT_MAPPING_SHMEM, true},
        {"/dev/shm/sem.abc", "/dev/shm/sem.abc", PT_MAPPING_SHMEM, false},
        {"/dev/shm/PostgreSQL.1804289383", "/dev/shm/PostgreSQL.*", PT_MAPPING_SHMEM, false},
        {"/tmp/perf-4711.map", "/tmp/perf-*.map", PT_MAPPING_FILE, false},
        {"/tmp/x/0b1c2d3e4f5a6b7c", "/tmp/x/*", PT_MAPPING_FILE, false},
        {"/opt/app-2024/deadbeef", "/opt/app-2024/deadbeef", PT_MAPPING_FILE, false},
        {"/anon_hugepage (deleted)", "/anon_hugepage", PT_MAPPING_HUGETLB, true},
        {"socket:[12345]", "socket", PT_MAPPING_DEVICE, false},
        {"/a b (deleted) (deleted)", "/a b (deleted)", PT_MAPPING_FILE, true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char name[128];
        bool deleted;
        const enum pt_mapping_kind kind =
            pt_mapping_name(cases[i].path, strlen(cases[i].path), name, sizeof(name), &deleted);
        assert_string_equal(name, cases[i].want);
        assert_int_equal(kind, cases[i].kind);
        assert_int_equal(deleted, cases[i].deleted);
    }
    char tiny[4];
    bool deleted;
    pt_mapping_name("/usr/lib/x", 10, tiny, sizeof(tiny), &deleted);
    assert_string_equal(tiny, "/us");
}

/* Appends one mapping; fields but Rss, Pss, Swap are what they are. */
static void put(struct pt_buf *text, const char *range, const char *path, int rss, int pss,
                int swap)
{
    char row[1024];
    const int n = snprintf(row, sizeof(row),
                           "%s rw-p 00000000 00:00 0 %s%s\n"
                           "Size:           %8d kB\n"
                           "Rss:            %8d kB\n"
                           "Pss:            %8d kB\n"
                           "Pss_Dirty:      %8d kB\n"
                           "Private_Clean:  %8d kB\n"
                           "Private_Dirty:  %8d kB\n"
                           "Swap:           %8d kB\n"
                           "VmFlags: rd wr mr mw me ac \n",
                           range, *path ? "                         " : "", path, rss, rss, pss,
                           9999, 1, rss - 1, swap);
    pt_buf_put(text, row, (size_t)n);
}

static struct pt_reading *pack(struct pt_shapes *shapes, const struct pt_buf *text)
{
    struct pt_pack p;
    struct pt_reading *r = NULL;
    struct pt_err err = {0};
    pt_pack_init(&p, shapes);
    assert_int_equal(pt_pack_text(&p, &pt_file_of("proc:1/smaps")->grammar, NULL, text->data,
                                  text->len, &r, &err),
                     0);
    pt_pack_release(&p);
    return r;
}

static const struct pt_mapping *find(const struct pt_mapping *v, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(v[i].id->name, name) == 0)
            return &v[i];
    }
    return NULL;
}

static void sums_and_merges(void **state)
{
    (void)state;
    struct pt_shapes *shapes = pt_shapes_new();
    struct pt_smaps *smaps = pt_smaps_new(shapes);
    struct pt_buf text;
    struct pt_err err = {0};
    pt_buf_init(&text, 1 << 20);
    put(&text, "5600-5700", "/usr/bin/x", 10, 5, 0);
    put(&text, "5700-5800", "[heap]", 100, 100, 7);
    put(&text, "7f00-7f10", "", 20, 20, 1);
    put(&text, "7f20-7f30", "", 30, 30, 2);
    put(&text, "7f30-7f40", "/usr/bin/x (deleted)", 1, 1, 0);
    struct pt_reading *r = pack(shapes, &text);
    struct pt_smaps_sum sum;
    assert_int_equal(pt_smaps_sum(smaps, r, &sum, &err), 0);
    assert_true(sum.v[PT_SMAPS_RSS] == 161 * 1024);
    assert_true(sum.v[PT_SMAPS_PSS] == 156 * 1024);
    assert_true(sum.v[PT_SMAPS_SWAP] == 10 * 1024);
    assert_true(sum.v[PT_SMAPS_PRIVATE_CLEAN] == 5 * 1024);
    assert_true(sum.v[PT_SMAPS_PRIVATE_DIRTY] == 156 * 1024);
    assert_true(sum.v[PT_SMAPS_SWAP_PSS] == PT_UNKNOWN); /* this kernel does not tell: not zero */
    struct pt_mapping *v;
    size_t n;
    assert_int_equal(pt_smaps_merge(smaps, r, &v, &n, &err), 0);
    assert_int_equal(n, 3);
    assert_true(find(v, n, "[anon]")->bytes == 53 * 1024);
    assert_int_equal(find(v, n, "[anon]")->count, 2);
    assert_true(find(v, n, "[heap]")->bytes == 107 * 1024);
    assert_true(find(v, n, "/usr/bin/x")->bytes == 11 * 1024);
    assert_true(find(v, n, "/usr/bin/x")->deleted);
    const struct pt_mapping_id *heap = find(v, n, "[heap]")->id;
    free(v);
    /* another process, another order: the same ids */
    pt_buf_reset(&text);
    put(&text, "aa00-bb00", "[heap]", 5, 5, 0);
    struct pt_reading *q = pack(shapes, &text);
    assert_int_equal(pt_smaps_merge(smaps, q, &v, &n, &err), 0);
    assert_int_equal(n, 1);
    assert_ptr_equal(v[0].id, heap);
    free(v);
    pt_reading_unref(shapes, q);
    pt_reading_unref(shapes, r);
    pt_buf_release(&text);
    pt_smaps_free(smaps);
    pt_shapes_free(shapes);
}

static void texts_that_are_no_smaps(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "rubbish\n", "5600-5700 rw-p 0 0:0 0\nRss: x kB\n",
        "5600-5700 rw-p 00000000 00:00 0 \nRss:  -4 kB\nPss:  99999999999999999999 kB\n"};
    struct pt_shapes *shapes = pt_shapes_new();
    struct pt_smaps *smaps = pt_smaps_new(shapes);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct pt_buf text;
        struct pt_err err = {0};
        pt_buf_init(&text, 1 << 20);
        pt_buf_put(&text, texts[i], strlen(texts[i]));
        struct pt_reading *r = pack(shapes, &text);
        struct pt_smaps_sum sum;
        struct pt_mapping *v;
        size_t n;
        assert_int_equal(pt_smaps_sum(smaps, r, &sum, &err), 0);
        for (unsigned k = 0; k < PT_SMAPS_FIELDS; k++)
            assert_true(sum.v[k] == PT_UNKNOWN);
        assert_int_equal(pt_smaps_merge(smaps, r, &v, &n, &err), 0);
        free(v);
        pt_reading_unref(shapes, r);
        pt_buf_release(&text);
    }
    pt_smaps_free(smaps);
    pt_shapes_free(shapes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_kinds),
        cmocka_unit_test(sums_and_merges),
        cmocka_unit_test(texts_that_are_no_smaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
