/* SPDX-License-Identifier: MIT
 * A frame that is good in itself and stands in another's place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/support/recording.h"

/* A frame that passes its checksum and is another snapshot's: those around it stay what they are,
 * asked for again after it was met. */
static void stays_out_of_its_neighbours(void **state)
{
    const struct pt_meta meta = {.host = "unit", .page_size = 4096, .interval_us = 10000000};
    struct recording r;
    struct pt_buf frame;
    struct pt_db *db;
    struct pt_view *v;
    struct pt_err err = {0};
    (void)state;
    recording_new(&r, &meta, 1000000);
    for (int64_t n = 1; n <= 3; n++) {
        const struct pt_snap snap = {.n = n, .real_us = n * 10000000, .boot_us = n, .boot = 1};
        struct pt_snap says = snap;
        says.n = n == 2 ? 7 : n;
        says.real_us = n == 2 ? 70000000 : snap.real_us;
        pt_buf_init(&frame, 1 << 20);
        if (n == 1)
            pt_enc_new_chain(r.enc);
        assert_int_equal(pt_enc_begin(r.enc, &says, &err), 0);
        recording_text(&r, "proc:loadavg", n == 3 ? "3\n" : "1\n");
        assert_true(pt_enc_end(r.enc, &says, &frame, &err) >= 0);
        assert_int_equal(pt_store_append(r.store, &snap, n == 1, frame.data, frame.len, &err), 0);
        pt_buf_release(&frame);
    }
    recording_close(&r);
    assert_int_equal(pt_db_open(r.path, &db, &err), 0);
    static const int64_t order[] = {1, 2, 1, 2, 3};
    for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++) {
        const int rc = pt_view_load(db, order[i], PT_GROUP_ALL, &v, NULL);
        assert_int_equal(rc < 0, order[i] == 2);
        if (rc < 0)
            continue;
        assert_int_equal(v->snap.n, order[i]);
        assert_int_equal(v->snap.real_us, order[i] * 10000000);
        assert_int_equal(v->count, 1);
        pt_view_free(v);
    }
    assert_int_equal(pt_db_damaged(db), 1);
    pt_db_close(db);
    recording_remove(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(stays_out_of_its_neighbours)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
