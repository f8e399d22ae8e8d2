/* SPDX-License-Identifier: MIT
 * Parts of a report that need no recording: buckets and the axis of a chart, findings of two
 * reports that are of one thing, what became of them, pages as text and Markdown, a file that is
 * whole or not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <dirent.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyze/report/axis.h"
#include "analyze/report/match.h"
#include "analyze/report/output.h"
#include "analyze/report/page.h"
#include "analyze/report/pair.h"
#include "analyze/report/report.h"
#include "analyze/report/strip.h"
#include "analyze/report/tree.h"

/* ---- buckets ---- */

static void peaks_survive(void **state)
{
    struct pt_strip s;
    (void)state;
    assert_true(pt_strip_init(&s, 0, 1e6, 10));
    for (int i = 0; i < 100000; i++)
        pt_strip_hold(&s, i * 10, i * 10 + 10, i == 54321 ? 1e9 : i == 12345 ? -7 : 1);
    assert_float_equal(s.v[5].high, 1e9, 0);
    assert_float_equal(s.v[1].low, -7, 0);
    assert_float_equal(s.v[0].high, 1, 0);
    assert_float_equal(pt_strip_mean(&s, 5), (1e9 + 9999) / 10000, 1e-3);
    pt_strip_release(&s);
}

static void holes_are_not_known(void **state)
{
    struct pt_strip s;
    (void)state;
    assert_true(pt_strip_init(&s, 0, 100, 10));
    pt_strip_hold(&s, -50, 15, 3);
    pt_strip_hold(&s, 85, 1e9, 5);
    pt_strip_hold(&s, 40, 50, NAN);
    pt_strip_hold(&s, 30, 20, 1);
    assert_float_equal(pt_strip_mean(&s, 0), 3, 0);
    assert_float_equal(s.v[1].time, 5, 1e-9);
    for (size_t i = 2; i < 8; i++)
        assert_true(isnan(pt_strip_mean(&s, i)));
    assert_float_equal(pt_strip_mean(&s, 9), 5, 0);
    pt_strip_release(&s);
}

/* ---- the axis ---- */

#define S 1000000ll /* microseconds */

/* A clock of 1970, set right after 20 s, set back by an hour after 40, and an hour ahead after 60.
 */
static void a_set_clock_moves_nothing(void **state)
{
    static const int64_t right = 1764000000 * S, hour = 3600 * S;
    struct pt_clock clocks[] = {{0, 0},
                                {20, (double)right / 1e6},
                                {40, (double)(right - hour) / 1e6},
                                {60, (double)right / 1e6}};
    const struct pt_timeline t = {.first_us = 5 * S,
                                  .last_us = 5 * S + right + 80 * S,
                                  .end = 80,
                                  .count = 9,
                                  .clocks = clocks,
                                  .nclocks = 4};
    static const int64_t ahead[] = {0, 0, right, right, right - hour, right - hour, right, right};
    struct pt_axis a;
    (void)state;
    pt_axis_init(&a, &t);
    assert_float_equal(a.end, 80, 0);
    assert_int_equal(a.from_us, 5 * S + right);
    for (int i = 0; i < 8; i++)
        assert_float_equal(pt_axis_next(&a, (5 + 10 * i) * S + ahead[i]), (float)(10 * i), 1e-6);
    /* a time that is nowhere stays where it was; none goes back */
    assert_float_equal(pt_axis_next(&a, 7 * S), 70, 1e-6);
    assert_float_equal(pt_axis_at(&a, 5 * S + right + 30 * S), 30, 1e-6);
    assert_float_equal(pt_axis_at(&a, 5 * S + right - hour + 50 * S), 50, 1e-6);
    assert_float_equal(pt_axis_at(&a, 0), 0, 1e-6);
    assert_true(pt_axis_at(&a, PT_UNKNOWN) >= 0 && pt_axis_at(&a, INT64_MAX) >= 0);
}

static void without_another_clock(void **state)
{
    struct pt_clock clocks[] = {{0, 0}, {0, 300}};
    const struct pt_timeline t = {
        .first_us = 5 * S, .last_us = 305 * S, .count = 2, .clocks = clocks, .nclocks = 2};
    struct pt_axis a;
    (void)state;
    pt_axis_init(&a, &t);
    assert_float_equal(a.end, 300, 0);
    assert_int_equal(a.from_us, 5 * S);
    assert_float_equal(pt_axis_next(&a, 5 * S), 0, 0);
    assert_float_equal(pt_axis_next(&a, 305 * S), 300, 0);
    assert_float_equal(pt_axis_next(&a, 205 * S), 300, 0);
    assert_float_equal(pt_axis_at(&a, 105 * S), 100, 0);
}

/* ---- likeness ---- */

struct who {
    const char *verdict, *kind, *comm, *exe, *service, *name, *class;
    int pid;
    double slope, low, high;
};

static json_t *finding(const struct who *w)
{
    return json_pack("{s:s, s:s?, s:f, s:f, s:f, s:s, s:{s:s, s:s?, s:s?, s:s?, s:s?, s:i}}",
                     "verdict", w->verdict, "class", w->class, "slope_bytes_per_hour", w->slope,
                     "slope_low", w->low, "slope_high", w->high, "title", w->comm ? w->comm : "?",
                     "subject", "kind", w->kind, "comm", w->comm, "exe", w->exe, "service",
                     w->service, "name", w->name, "pid", w->pid);
}

static const struct who redis = {
    "leak", "process", "redis", "/usr/bin/redis", "redis.service", NULL, "heap", 100, 5, 4, 6};

static int likeness(struct who a, struct who b)
{
    json_t *x = finding(&a), *y = finding(&b);
    const int like = pt_match_likeness(x, y);
    assert_int_equal(like, pt_match_likeness(y, x));
    json_decref(x);
    json_decref(y);
    return like;
}

static void alike_whatever_the_pid(void **state)
{
    struct who b = redis;
    (void)state;
    b.pid = 7;
    assert_true(likeness(redis, b) > 0);
    b.exe = "/usr/bin/redis (deleted)"; /* upgraded while it ran */
    assert_true(likeness(redis, b) > 0);
    b.exe = "/opt/redis-8/bin/redis"; /* the same service, another version's path */
    assert_true(likeness(redis, b) > 0);
    b.class = "arena"; /* the allocator's choice */
    assert_true(likeness(redis, b) > 0);
    struct who container = redis, again = redis;
    container.service = "docker-0123456789ab";
    again.service = "docker-ba9876543210";
    assert_true(likeness(container, again) > 0);
    assert_true(likeness(container, container) > likeness(container, again));
}

static void not_alike(void **state)
{
    struct who b = redis;
    (void)state;
    b.class = "shmem";
    assert_int_equal(likeness(redis, b), 0);
    b = redis;
    b.comm = "sentinel";
    assert_int_equal(likeness(redis, b), 0);
    b = redis;
    b.exe = "/srv/redis";
    b.service = "other.service";
    assert_int_equal(likeness(redis, b), 0);
    const struct who slab = {.verdict = "leak", .kind = "slab", .name = "dentry", .class = "slab"};
    b = slab;
    assert_true(likeness(slab, b) > 0);
    b.name = "inode_cache";
    assert_int_equal(likeness(slab, b), 0);
    assert_int_equal(likeness(slab, redis), 0);
    struct who service = {
        .verdict = "leak", .kind = "service", .service = "docker-0123456789ab", .class = "heap"};
    b = service;
    b.service = "docker-ba9876543210"; /* nothing says that these two are one */
    assert_int_equal(likeness(service, b), 0);
    service.service = "redis.service";
    assert_true(likeness(service, redis) > 0);
}

static void likest_are_paired(void **state)
{
    struct who a = redis, b = redis;
    size_t pair[3];
    (void)state;
    a.class = "arena";
    json_t *old = json_pack("[o, o]", finding(&redis), finding(&a));
    b.class = "arena";
    const struct who other = {.verdict = "leak", .kind = "process", .comm = "x", .class = "heap"};
    json_t *new = json_pack("[o, o, o]", finding(&b), finding(&other), finding(&redis));
    assert_int_equal(pt_match_findings(old, new, pair), 0);
    assert_int_equal(pair[0], 2);
    assert_int_equal(pair[1], 0);
    assert_int_equal(pt_match_findings(new, old, pair), 0);
    assert_int_equal(pair[0], 1);
    assert_true(pair[1] == SIZE_MAX);
    assert_int_equal(pair[2], 0);
    /* nothing at all, and what is no list of findings */
    assert_int_equal(pt_match_findings(NULL, new, pair), 0);
    json_t *rubbish =
        json_pack("[i, s, {s:s}, {s:{s:i}}]", 1, "x", "subject", "y", "subject", "kind", 3);
    size_t four[4];
    assert_int_equal(pt_match_findings(rubbish, new, four), 0);
    for (int i = 0; i < 4; i++)
        assert_true(four[i] == SIZE_MAX);
    json_decref(rubbish);
    json_decref(old);
    json_decref(new);
}

static enum pt_status status(const struct who *before, const struct who *after)
{
    json_t *x = before ? finding(before) : NULL, *y = after ? finding(after) : NULL;
    const enum pt_status s = pt_match_status(x, y);
    json_decref(x);
    json_decref(y);
    return s;
}

static void what_became_of_it(void **state)
{
    struct who worse = redis, better = redis, near = redis, bounded = redis, unclear = redis;
    (void)state;
    worse.slope = 10, worse.low = 9, worse.high = 11;
    better.slope = 2, better.low = 1, better.high = 3;
    near.slope = 10, near.low = 5, near.high = 15; /* the intervals overlap */
    bounded.verdict = "bounded";
    unclear.verdict = "undetermined";
    assert_int_equal(status(NULL, &redis), PT_NEW);
    assert_int_equal(status(&bounded, &redis), PT_NEW);
    assert_int_equal(status(&redis, &redis), PT_ONGOING);
    assert_int_equal(status(&redis, &near), PT_ONGOING);
    assert_int_equal(status(&redis, &worse), PT_WORSE);
    assert_int_equal(status(&redis, &better), PT_BETTER);
    assert_int_equal(status(&redis, &bounded), PT_RESOLVED);
    assert_int_equal(status(&redis, NULL), PT_RESOLVED);
    assert_int_equal(status(&redis, &unclear), PT_ONGOING); /* nothing says that it ended */
}

/* ---- pages ---- */

static __attribute__((noinline)) char *page(bool markdown, void (*fill)(struct pt_page *p))
{
    char *text = NULL;
    size_t n;
    struct pt_page p = {.out = open_memstream(&text, &n), .markdown = markdown};
    assert_non_null(p.out);
    fill(&p);
    pt_page_end(&p);
    assert_false(p.failed);
    fclose(p.out);
    return text;
}

#define EVIL "a|b <script>`*_[x](y)\033[2J\n# @you"

static void fill_evil(struct pt_page *p)
{
    static const struct pt_column columns[] = {{"WHO", false, 8}, {"N", true, 0}};
    struct pt_table t;
    pt_page_title(p, EVIL);
    pt_page_para(p, "%s", EVIL);
    pt_page_item(p, '!', "alarm:", EVIL);
    pt_table_init(&t, columns, 2);
    pt_table_cell(&t, EVIL);
    pt_table_cell(&t, "1");
    pt_page_table(p, &t);
}

static void names_stay_text(void **state)
{
    (void)state;
    char *text = page(false, fill_evil), *markdown = page(true, fill_evil);
    assert_null(strchr(text, '\033'));
    assert_null(strchr(markdown, '\033'));
    assert_null(strstr(markdown, "<script"));
    assert_null(strstr(markdown, "@you"));
    assert_non_null(strstr(markdown, "&lt;script&gt;"));
    assert_non_null(strstr(markdown, "a\\|b"));
    assert_null(strstr(markdown, "\n# \\@"));
    /* a table's row is one line with its own two columns */
    const char *row = strrchr(markdown, '\n');
    while (row > markdown && *row == '\n')
        row--;
    while (row > markdown && row[-1] != '\n')
        row--;
    int bars = 0;
    for (const char *c = row; *c && *c != '\n'; c++)
        bars += *c == '|' && (c == row || c[-1] != '\\');
    assert_int_equal(bars, 3);
    free(text);
    free(markdown);
}

#define CALLS                                                                                      \
    "https://a.example ftp://b WWW.c.example root@d.example @e #12 o/r#3 GH-4 !5 %6 &7 $8 ~f "     \
    ":tada: "

static void fill_calls(struct pt_page *p)
{
    pt_page_para(p, "%s", CALLS "10:20:30 98% of www x:y #");
}

/* What is shown is the same; no piece of it is anything that a page of tickets would link. */
static void names_call_nobody(void **state)
{
    static const char *const broken[] = {"https<span>:</span>//a.example",
                                         "ftp<span>:</span>//b",
                                         "WWW<span>.</span>c.example",
                                         "root<span>@</span>d.example",
                                         "<span>@</span>e",
                                         "<span>\\#</span>12",
                                         "o/r<span>\\#</span>3",
                                         "GH<span>-</span>4",
                                         "<span>!</span>5",
                                         "<span>%</span>6",
                                         "<span>&amp;</span>7",
                                         "<span>\\$</span>8",
                                         "<span>\\~</span>f",
                                         "<span>:</span>tada:",
                                         "10:20:30 98% of www x:y \\#"};
    (void)state;
    char *text = page(false, fill_calls), *markdown = page(true, fill_calls);
    for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++)
        assert_non_null(strstr(markdown, broken[i]));
    assert_null(strstr(text, "<span>"));
    free(text);
    free(markdown);
}

static void sparks(void **state)
{
    const double rising[] = {0, 1, 2, 3, 4, 5, 6, 7}, flat[] = {3, 3, 3}, gap[] = {0, NAN, 8};
    char shape[4 * PT_SPARK_MAX + 1];
    (void)state;
    pt_page_spark(rising, 8, 8, shape);
    assert_string_equal(shape, "▁▂▃▄▅▆▇█");
    pt_page_spark(rising, 8, 4, shape);
    assert_string_equal(shape, "▁▃▆█");
    pt_page_spark(flat, 3, 8, shape);
    assert_string_equal(shape, "▁▁▁");
    pt_page_spark(gap, 3, 3, shape);
    assert_string_equal(shape, "▁ █");
    pt_page_spark(NULL, 0, 8, shape);
    assert_string_equal(shape, "");
}

static char *printed(const json_t *doc, int (*print)(const json_t *doc, FILE *out))
{
    char *text = NULL;
    size_t n;
    FILE *out = open_memstream(&text, &n);
    assert_non_null(out);
    assert_int_equal(print(doc, out), 0);
    fclose(out);
    return text;
}

/* The zone is told once, be it east or west. */
static void events_by_the_local_clock(void **state)
{
    static const struct {
        int offset_s;
        const char *says;
    } zones[] = {{-18000, "2026-11-20 05:00:00  note   x\n"},
                 {7200, "2026-11-20 12:00:00  note   x\n"}};
    (void)state;
    for (size_t i = 0; i < sizeof(zones) / sizeof(*zones); i++) {
        json_t *doc =
            json_pack("{s:s, s:i, s:{s:[{s:s, s:s, s:s, s:s}]}}", "kind", "report",
                      "utc_offset_seconds", zones[i].offset_s, "events", "rows", "time",
                      "2026-11-20T10:00:00Z", "kind", "note", "subject", "x", "detail", "");
        char *text = printed(doc, pt_report_text);
        if (!strstr(text, zones[i].says))
            fail_msg("'%s' is not in:\n%s", zones[i].says, text);
        free(text);
        json_decref(doc);
    }
}

/* Whom an episode hurt may not be known, or be nobody: those are two things. */
static void not_looked_into(void **state)
{
    static int (*const prints[])(const json_t *, FILE *) = {pt_report_text, pt_report_markdown,
                                                            pt_report_html};
    (void)state;
    for (int looked = 0; looked < 2; looked++) {
        json_t *doc = json_pack(
            "{s:s, s:i, s:[], s:{s:s, s:[{s:s, s:s, s:o, s:o}]}}", "kind", "report",
            "utc_offset_seconds", 0, "notes", "swap", "text", "swap did harm", "episodes", "state",
            "thrash", "from", "2026-11-20T10:00:00Z", "victims",
            looked ? json_array() : json_null(), "aggressors", looked ? json_array() : json_null());
        for (size_t i = 0; i < sizeof(prints) / sizeof(*prints); i++) {
            char *text = printed(doc, prints[i]);
            assert_non_null(strstr(text, "thrash"));
            assert_true(looked == !strstr(text, "not looked into: others cost more"));
            free(text);
        }
        json_decref(doc);
    }
}

/* ---- files ---- */

static void scratch(char *buf, const char *name)
{
    const char *dir = getenv("PT_TMP");
    snprintf(buf, 256, "%s/%s", dir ? dir : ".", name);
}

static size_t entries(const char *dir)
{
    DIR *d = opendir(dir);
    size_t n = 0;
    assert_non_null(d);
    for (const struct dirent *e; (e = readdir(d));)
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(d);
    return n;
}

static void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void check(const char *path, const char *text)
{
    char have[64] = "";
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    const size_t n = fread(have, 1, sizeof(have) - 1, f);
    have[n] = '\0';
    fclose(f);
    assert_string_equal(have, text);
}

static void whole_or_not_at_all(void **state)
{
    char dir[256], path[300], link[300];
    struct pt_output o;
    struct pt_err err = {0};
    struct stat st;
    (void)state;
    scratch(dir, "output-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/a", dir);
    snprintf(link, sizeof(link), "%s/b", dir);
    /* one that is given up */
    assert_int_equal(pt_output_begin(&o, path, &err), 0);
    fputs("half", o.file);
    assert_int_equal(pt_output_end(&o, 0, &err), 0);
    assert_int_equal(entries(dir), 0);
    /* a new one */
    assert_int_equal(pt_output_begin(&o, path, &err), 0);
    fputs("whole", o.file);
    fflush(o.file);
    assert_int_equal(stat(path, &st), -1);
    assert_int_equal(pt_output_end(&o, 1, &err), 0);
    check(path, "whole");
    /* over an old one, and through a link, which stays */
    assert_int_equal(symlink(path, link), 0);
    assert_int_equal(pt_output_begin(&o, link, &err), 0);
    fputs("again", o.file);
    check(path, "whole");
    assert_int_equal(pt_output_end(&o, 1, &err), 0);
    check(path, "again");
    assert_int_equal(lstat(link, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(entries(dir), 2);
    /* what is not written over */
    put(path, "SQLite format 3");
    truncate(path, 4096);
    assert_true(pt_output_begin(&o, path, &err) < 0);
    assert_non_null(strstr(err.text, "database"));
    err = (struct pt_err){0};
    assert_true(pt_output_begin(&o, dir, &err) < 0);
    err = (struct pt_err){0};
    assert_true(pt_output_begin(&o, "/dev/null", &err) < 0);
    err = (struct pt_err){0};
    assert_true(pt_output_begin(&o, "/dev/full/x", &err) < 0);
    assert_int_equal(entries(dir), 2);
    unlink(link);
    unlink(path);
    rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(peaks_survive),
        cmocka_unit_test(holes_are_not_known),
        cmocka_unit_test(a_set_clock_moves_nothing),
        cmocka_unit_test(without_another_clock),
        cmocka_unit_test(alike_whatever_the_pid),
        cmocka_unit_test(not_alike),
        cmocka_unit_test(likest_are_paired),
        cmocka_unit_test(what_became_of_it),
        cmocka_unit_test(names_stay_text),
        cmocka_unit_test(names_call_nobody),
        cmocka_unit_test(events_by_the_local_clock),
        cmocka_unit_test(not_looked_into),
        cmocka_unit_test(sparks),
        cmocka_unit_test(whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
