/* SPDX-License-Identifier: MIT
 * What is said of swap in one sentence, of small recordings: with and without swap, used or not,
 * and where a part of the recording is damaged, which may have been what did harm. Units: KiB,
 * pages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "analyze/swap/swap.h"
#include "tests/support/recording.h"

#define START     1795000000000000ll
#define INTERVAL  10000000ll
#define SNAPSHOTS 10
#define GIB       1048576ll

/* A machine of 8 GiB with 2 GiB of page cache, the same for all the span but for what it does each
 * ten seconds. */
struct machine {
    long long total, used; /* of swap */
    long long refaults;    /* pages of files read again, and reclaimed by who wanted memory */
    long long in, out;     /* pages */
    bool damaged;          /* a snapshot in the middle cannot be read */
    bool blind;            /* nobody read meminfo */
};

static void put(struct recording *r, const struct machine *m, int i)
{
    char text[1024];
    snprintf(text, sizeof(text),
             "MemTotal: %lld kB\nMemFree: %lld kB\nMemAvailable: %lld kB\nActive(file): %lld kB\n"
             "Inactive(file): %lld kB\nSwapTotal: %lld kB\nSwapFree: %lld kB\n",
             8 * GIB, GIB, 3 * GIB, GIB, GIB, m->total, m->total - m->used);
    if (!m->blind)
        recording_text(r, "proc:meminfo", text);
    snprintf(text, sizeof(text),
             "pswpin %lld\npswpout %lld\nworkingset_refault_anon %lld\n"
             "workingset_refault_file %lld\npgscan_direct %lld\n",
             9000 + i * m->in, 9000 + i * m->out, i * m->in, 7 + i * m->refaults, i * m->refaults);
    recording_text(r, "proc:vmstat", text);
    snprintf(text, sizeof(text),
             "some avg10=0.00 avg60=0.00 avg300=0.00 total=%lld\n"
             "full avg10=0.00 avg60=0.00 avg300=0.00 total=%lld\n",
             i * m->in * 100, i * m->in * 50);
    recording_text(r, "proc:pressure/memory", text);
}

struct said {
    enum pt_swap_verdict verdict;
    const char *words; /* the sentence begins so */
};

static void is_said(const struct machine *m, const struct said *want)
{
    const struct pt_args args = {.positional = {NULL}};
    const struct pt_meta meta = {.host = "unit", .page_size = 4096, .interval_us = INTERVAL};
    struct recording r;
    struct pt_session s;
    struct pt_swap w;
    struct pt_err err = {0};
    char sentence[512];
    recording_new(&r, &meta, START);
    for (int i = 0; i < SNAPSHOTS; i++) {
        const struct pt_snap snap = {.real_us = START + i * INTERVAL,
                                     .boot_us = i * INTERVAL + 1,
                                     .mono_us = i * INTERVAL + 1,
                                     .boot = 1};
        r.spoil = m->damaged && i == SNAPSHOTS / 2;
        recording_begin(&r, &snap, false);
        put(&r, m, i);
        recording_end(&r);
    }
    recording_close(&r);
    assert_int_equal(pt_session_open(&args, r.path, &s), 0);
    assert_int_equal(pt_swap_make(&s, s.span.first, s.span.last, &w, &err), 0);
    assert_int_equal(s.ndamage, m->damaged);
    pt_swap_sentence(&w, sentence, sizeof(sentence));
    if (w.verdict != want->verdict || strncmp(sentence, want->words, strlen(want->words)) != 0)
        fail_msg("%s: '%s', not %s: '%s'", pt_swap_verdict_name(w.verdict), sentence,
                 pt_swap_verdict_name(want->verdict), want->words);
    /* where there is no swap, or none of it was used, nobody asks whose it is */
    if (w.verdict == PT_SWAP_NONE || w.verdict == PT_SWAP_UNUSED)
        assert_int_equal(w.missing, 0);
    else
        assert_true(w.missing & PT_SWAP_NO_SMAPS);
    assert_int_equal((w.missing & PT_SWAP_NO_MEMINFO) != 0, m->blind);
    pt_swap_release(&w);
    pt_session_close(&s, 0);
    recording_remove(&r);
}
#define SAID(want_verdict, want_words, ...)                                                        \
    is_said(&(const struct machine){__VA_ARGS__}, &(const struct said){want_verdict, want_words})

static void no_swap_is_said(void **state)
{
    (void)state;
    SAID(PT_SWAP_NONE, "no swap is set up on this machine", .total = 0);
    SAID(PT_SWAP_UNUSED, "swap is set up and was not used", .total = 2 * GIB);
    SAID(PT_SWAP_HARMLESS, "swap use is harmless: up to 1.0 GiB", .total = 2 * GIB, .used = GIB);
}

/* What did not move may be in swap all the same, or there may be none. */
static void without_its_size_swap_is_not_known(void **state)
{
    (void)state;
    SAID(PT_SWAP_UNKNOWN, "whether swap did harm cannot be told from this recording",
         .blind = true);
}

/* What is thrash of files, where there is no swap that could have done it. */
static void swap_is_not_blamed_where_there_is_none(void **state)
{
    (void)state;
    SAID(PT_SWAP_HARMFUL, "memory ran short, and no swap is set up: thrash for",
         .refaults = 524288);
    SAID(PT_SWAP_HARMFUL, "swap did harm: thrash for", .refaults = 524288, .total = 2 * GIB,
         .used = GIB);
}

static void damage_hides_what_harmed(void **state)
{
    static const char unknown[] = "whether swap did harm cannot be told from this recording";
    (void)state;
    SAID(PT_SWAP_UNKNOWN, unknown, .total = 2 * GIB, .used = GIB, .damaged = true);
    SAID(PT_SWAP_UNKNOWN, unknown, .total = 2 * GIB, .damaged = true);
    /* what is seen of the rest is true all the same */
    SAID(PT_SWAP_NONE, "no swap is set up", .damaged = true);
    SAID(PT_SWAP_HARMFUL, "swap did harm: ", .total = 2 * GIB, .used = GIB, .in = 51200,
         .out = 51200, .damaged = true);
}

/* A swap area that is there for the first half of a recording. */
enum then { STAYS, GOES, UNREADABLE };

static void is_gone(enum then then, bool key, bool want)
{
    static const char head[] = "Filename\tType\tSize\tUsed\tPriority\n",
                      row[] = "/swapfile  file  2097152  512  -2\n";
    const struct pt_args args = {.positional = {NULL}};
    const struct pt_meta meta = {.host = "unit", .page_size = 4096, .interval_us = INTERVAL};
    const struct machine m = {.total = 2 * GIB, .used = 512};
    struct recording r;
    struct pt_session s;
    struct pt_swap w;
    struct pt_err err = {0};
    recording_new(&r, &meta, START);
    for (int i = 0; i < SNAPSHOTS; i++) {
        const struct pt_snap snap = {.real_us = START + i * INTERVAL,
                                     .boot_us = i * INTERVAL + 1,
                                     .mono_us = i * INTERVAL + 1,
                                     .boot = 1};
        const bool late = i >= SNAPSHOTS / 2;
        char text[256];
        snprintf(text, sizeof(text), "%s%s", head, late && then == GOES ? "" : row);
        recording_begin(&r, &snap, key && i == SNAPSHOTS / 2);
        put(&r, &m, i);
        if (late && then == UNREADABLE)
            recording_fail(&r, "proc:swaps", EACCES);
        else
            recording_text(&r, "proc:swaps", text);
        recording_end(&r);
    }
    recording_close(&r);
    assert_int_equal(pt_session_open(&args, r.path, &s), 0);
    assert_int_equal(pt_swap_make(&s, s.span.first, s.span.last, &w, &err), 0);
    assert_int_equal(w.ndevices, 1);
    assert_int_equal(w.devices[0].gone, want);
    assert_int_equal(w.devices[0].most, 512 << 10);
    pt_swap_release(&w);
    pt_session_close(&s, 0);
    recording_remove(&r);
}

/* Where a new chain begins without it, nothing but the last text tells that it went. */
static void an_area_that_went_is_gone(void **state)
{
    (void)state;
    for (int key = 0; key <= 1; key++) {
        is_gone(STAYS, key, false);
        is_gone(GOES, key, true);
    }
    is_gone(UNREADABLE, true, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_swap_is_said),
        cmocka_unit_test(without_its_size_swap_is_not_known),
        cmocka_unit_test(swap_is_not_blamed_where_there_is_none),
        cmocka_unit_test(damage_hides_what_harmed),
        cmocka_unit_test(an_area_that_went_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
