/* SPDX-License-Identifier: MIT
 * Series of a real recording are told as ended once each, when nothing of them changes any more,
 * and long before the recording is read to its end. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyze/series/series.h"

#define MOST 4096

struct end {
    int told;
    size_t series; /* that were known by then */
    double to, last, last_value;
    uint32_t holds, cells;
    int64_t last_n;
};
struct ends {
    const struct pt_series *series;
    struct end v[MOST];
};

static double resident(void *ctx, const int64_t *v, uint32_t known, unsigned measure)
{
    (void)ctx, (void)measure;
    return known & 1 ? (double)v[0] * 1024 : NAN;
}

static struct end end_of(const struct pt_serie *s)
{
    const struct pt_curve *t = &s->track[0];
    return (struct end){.told = 1,
                        .to = s->to,
                        .last = t->last,
                        .last_value = t->last_value,
                        .holds = t->holds,
                        .cells = t->n,
                        .last_n = s->last_n};
}

static void on_ended(void *ctx, struct pt_serie *s)
{
    struct ends *ends = ctx;
    assert_true(s->index < MOST);
    struct end *end = &ends->v[s->index];
    const int told = end->told;
    *end = end_of(s);
    end->told += told;
    end->series = ends->series->n;
}

static void an_end_is_final(void **unused)
{
    static struct ends ends;
    static const char *const fields[] = {"RssAnon"};
    struct pt_err err = {0};
    struct pt_db *db;
    struct pt_db_span span;
    struct pt_timeline t;
    struct pt_series series;
    size_t early = 0;
    (void)unused;
    const struct pt_series_spec spec = {.glob = "proc:*/status",
                                        .fields = fields,
                                        .nfields = 1,
                                        .nmeasures = 1,
                                        .measure = resident,
                                        .ended = on_ended,
                                        .ctx = &ends};
    ends.series = &series;
    assert_int_equal(pt_db_open(PT_FIXTURES "/labelled/chosen/s1.db", &db, &err), 0);
    assert_int_equal(pt_db_span(db, &span, &err), 0);
    assert_true(span.segments > 2);
    assert_int_equal(pt_timeline_load(db, span.first, span.last, &t, &err), 0);
    assert_int_equal(pt_series_load(db, &t, &spec, &series, 1, &err), 0);
    for (size_t i = 0; i < series.n; i++) {
        const struct end now = end_of(series.v[i]), *then = &ends.v[i];
        assert_int_equal(then->told, 1);
        assert_true(!(now.to < then->to) && !(now.to > then->to));
        assert_true(!(now.last < then->last) && !(now.last > then->last));
        assert_true(!(now.last_value < then->last_value) && !(now.last_value > then->last_value));
        assert_int_equal(now.holds, then->holds);
        assert_int_equal(now.cells, then->cells);
        assert_int_equal(now.last_n, then->last_n);
        early += then->series < series.n;
    }
    assert_true(series.n > 100);
    assert_true(early > series.n / 4);
    pt_series_release(&series);
    pt_timeline_release(&t);
    pt_db_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(an_end_is_final)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
