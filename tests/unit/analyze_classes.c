/* SPDX-License-Identifier: MIT
 * Memory by class from the columns of smaps is what the texts say, reading by reading; and its
 * growth is by slope. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "analyze/leaks/classes.h"

#define MIB  1048576.0
#define PIDS 260

/* The class's bytes in a text: what grew since there was nothing. */
static void by_text(const struct pt_buf *text, double ret[PT_CLASS_COUNT])
{
    struct pt_parts_found f;
    assert_int_equal(pt_parts_of("", 0, (const char *)text->data, text->len, &f), 0);
    memcpy(ret, f.growth, sizeof(f.growth));
}

/* Every process of a real recording: its last point is what its last text says. */
static void columns_say_what_texts_say(void **unused)
{
    char name[64];
    struct pt_err err = {0};
    struct pt_db *db;
    struct pt_db_span span;
    struct pt_timeline t;
    struct pt_classes c;
    int64_t pids[PIDS];
    int compared = 0;
    (void)unused;
    assert_int_equal(pt_db_open(PT_FIXTURES "/labelled/chosen/s1.db", &db, &err), 0);
    assert_int_equal(pt_db_span(db, &span, &err), 0);
    assert_int_equal(pt_timeline_load(db, span.first, span.last, &t, &err), 0);
    for (int64_t i = 0; i < PIDS; i++)
        pids[i] = i + 1;
    assert_int_equal(pt_classes_load(db, &t, pids, PIDS, &c, &err), 0);
    for (size_t i = 0; i < c.n; i++) {
        const struct pt_class_series *s = &c.v[i];
        struct pt_buf text;
        double want[PT_CLASS_COUNT];
        pt_buf_init(&text, 64u << 20);
        snprintf(name, sizeof(name), "proc:%lld/smaps", (long long)s->pid);
        for (uint32_t k = 1; k < s->n; k++)
            assert_true(s->v[k].t > s->v[k - 1].t);
        if (s->n && pt_db_text(db, span.last, name, NULL, &text, &err) == 0 && text.len) {
            by_text(&text, want);
            for (int k = 0; k < PT_CLASS_COUNT; k++)
                if (fabs(want[k] - s->v[s->n - 1].bytes[k]) > 0)
                    fail_msg("%s: %s %.0f, by text %.0f", name, pt_class_name((enum pt_class)k),
                             s->v[s->n - 1].bytes[k], want[k]);
            compared++;
        }
        pt_buf_release(&text);
    }
    assert_true(compared > 60);
    pt_classes_release(&c);
    pt_timeline_release(&t);
    pt_db_close(db);
}

/* A reading that stands out says nothing; the slope of all does. */
static void growth_is_by_slope(void **unused)
{
    struct pt_class_point v[40] = {0};
    struct pt_class_series s = {.pid = 7, .v = v, .n = 40};
    const struct pt_classes c = {.v = &s, .n = 1};
    double growth[PT_CLASS_COUNT];
    int readings;
    (void)unused;
    for (int i = 0; i < 40; i++) {
        v[i].t = i * 10;
        v[i].bytes[PT_CLASS_HEAP] = i * MIB;
        v[i].bytes[PT_CLASS_ANON] = 100 * MIB;
    }
    v[39].bytes[PT_CLASS_ANON] = 400 * MIB;
    assert_true(pt_classes_growth(&c, 7, 0, 1000, growth, &readings));
    assert_int_equal(readings, 40);
    assert_true(fabs(growth[PT_CLASS_HEAP] - 39 * MIB) < MIB / 100);
    assert_true(fabs(growth[PT_CLASS_ANON]) < MIB / 100);
    assert_true(pt_classes_growth(&c, 7, 200, 1000, growth, &readings));
    assert_int_equal(readings, 20);
    assert_false(pt_classes_growth(&c, 7, 0, 20, growth, &readings));
    assert_false(pt_classes_growth(&c, 8, 0, 1000, growth, &readings));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_say_what_texts_say),
        cmocka_unit_test(growth_is_by_slope),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
