/* SPDX-License-Identifier: MIT
 * What a seal takes for each further process, by malloc's own count, SQLite's and zstd's memory
 * too: a server has thousands, and memory that only seals need is taken by every one of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "schema/source.h"
#include "schema/store.h"

#define TICKS 30
#define FEW   500
#define MANY  3000
/* A process of this test is six files; of one in seven they change. It takes 873 bytes; 925 where
 * what SQLite took for a key frame is kept, 982 where passes count texts alone, 1025 where names
 * are held whole. */
#define MOST 900

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

#ifndef SANITIZED
static size_t held, peak;

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void __libc_free(void *p);

static void *count(void *p)
{
    held += p ? malloc_usable_size(p) : 0;
    peak = held > peak ? held : peak;
    return p;
}

void *malloc(size_t size)
{
    return count(__libc_malloc(size));
}

void *calloc(size_t n, size_t size)
{
    return count(__libc_calloc(n, size));
}

void *realloc(void *p, size_t size)
{
    const size_t was = p ? malloc_usable_size(p) : 0;
    void *q = __libc_realloc(p, size);
    if (!q && size)
        return NULL;
    held -= was;
    return count(q);
}

void free(void *p)
{
    held -= p ? malloc_usable_size(p) : 0;
    __libc_free(p);
}

static const char *const files[] = {"statm",     "stat",          "status",
                                    "oom_score", "oom_score_adj", "cgroup"};
#define FILES (sizeof(files) / sizeof(*files))

static int text_of(size_t file, int pid, int tick, char *ret, size_t size)
{
    const int busy = pid % 7 == 0 ? tick * pid % 1000 : 0, rss = pid * 37 % 5000 + busy;
    switch (file) {
    case 0:
        return snprintf(ret, size, "%d %d 300 12 0 %d 0\n", rss + 900, rss, rss / 2);
    case 1:
        return snprintf(ret, size,
                        "%d (worker) S 1 %d %d 0 -1 4194560 %d 0 %d 0 %d %d 0 0 20 0 1 0 %d %d %d "
                        "18446744073709551615 1 1 0 0 0 0 0 4096 17475 0 0 0 17 %d 0 0 0 0 0 0 0 0 "
                        "0 0 0 0 0\n",
                        pid, pid, pid, rss, busy, busy, busy / 3, pid * 11, rss * 4096, rss,
                        pid % 2);
    case 2:
        return snprintf(ret, size,
                        "Name:\tworker\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t%d\nPid:\t%d\n"
                        "PPid:\t1\nVmPeak:\t%8d kB\nVmSize:\t%8d kB\nVmHWM:\t%8d kB\nVmRSS:\t%8d "
                        "kB\nRssAnon:\t%8d kB\nThreads:\t1\n"
                        "voluntary_ctxt_switches:\t%d\nnonvoluntary_ctxt_switches:\t%d\n",
                        pid, pid, rss * 4 + 4000, rss * 4 + 3600, rss * 4, rss * 4, rss * 2,
                        pid + busy, busy);
    case 5:
        return snprintf(ret, size, "0::/system.slice/worker-%d.service\n", pid / 50);
    default:
        return snprintf(ret, size, "%d\n", file == 3 ? 666 + rss / 1000 : 0);
    }
}

static void append(struct pt_store *store, uint32_t processes)
{
    struct pt_err err = {0};
    struct pt_shapes *shapes = pt_shapes_new();
    struct pt_enc *enc = pt_enc_new(shapes);
    struct pt_buf frame;
    const int64_t id = pt_store_boot(store, "boot", 1, &err);
    assert_true(id > 0);
    pt_buf_init(&frame, 64 << 20);
    for (int tick = 0; tick < TICKS; tick++) {
        const struct pt_snap snap = {
            .n = pt_store_next(store), .real_us = (tick + 1) * 1000000, .boot = (uint32_t)id};
        pt_buf_reset(&frame);
        assert_true(pt_enc_begin(enc, &snap, &err) >= 0);
        for (uint32_t i = 0; i < processes * FILES; i++) {
            const int pid = 1000 + (int)(i / FILES);
            char name[64], text[1024];
            snprintf(name, sizeof name, "proc:%d/%s", pid, files[i % FILES]);
            const int len = text_of(i % FILES, pid, tick, text, sizeof text);
            const int64_t source = pt_enc_open(enc, name, &pt_file_of(name)->grammar, &err);
            assert_true(source >= 0 && pt_enc_text(enc, (uint32_t)source, text, (size_t)len,
                                                   PT_UNKNOWN, &err) >= 0);
        }
        assert_true(pt_enc_end(enc, &snap, &frame, &err) >= 0);
        assert_true(pt_store_append(store, &snap, tick == 0, frame.data, frame.len, &err) >= 0);
    }
    pt_buf_release(&frame);
    pt_enc_free(enc);
    pt_shapes_free(shapes);
}

/* Bytes held at most while so many processes are sealed, beyond what was held before. */
static size_t sealing(uint32_t processes)
{
    struct pt_err err = {0};
    struct pt_store *store;
    const struct pt_meta meta = {.host = "test"};
    char path[64];
    snprintf(path, sizeof path, "sealing-%" PRIu32 ".db", processes);
    unlink(path);
    assert_true(pt_store_open(path, &meta, &store, &err) >= 0);
    append(store, processes);
    const size_t before = held;
    peak = held;
    assert_true(pt_store_seal(store, true, &err) >= 0);
    const size_t most = peak - before;
    assert_true(pt_store_close(store, &err) >= 0);
    unlink(path);
    return most;
}

static void each_process(void **state)
{
    (void)state;
    const size_t few = sealing(FEW), many = sealing(MANY);
    print_message("%zu KiB of %d processes, %zu of %d\n", few >> 10, FEW, many >> 10, MANY);
    assert_true(many > few);
    assert_in_range((many - few) / (MANY - FEW), 0, MOST);
}
#endif

int main(void)
{
#ifdef SANITIZED
    fputs("a sanitizer's memory is not the recorder's\n", stderr);
    return 77;
#else
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_process)};
    return cmocka_run_group_tests(tests, NULL, NULL);
#endif
}
