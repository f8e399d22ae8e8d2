/* SPDX-License-Identifier: MIT
 * One field of every matching source over a whole database, as an analysis would walk it:
 *
 *   fieldscan DB GLOB FIELD
 *
 * Prints "points P sum V wall_ns W": opening the database is part of the time. */
#include "tests/bench/bench.h"

#include "schema/store.h"

struct seen {
    uint64_t points;
    double sum;
};

static int point(void *ctx, const struct pt_point *p)
{
    struct seen *s = ctx;
    s->points++;
    if (p->known)
        s->sum += p->value;
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fputs("usage: fieldscan DB GLOB FIELD\n", stderr);
        return 2;
    }
    const int64_t start = bench_clock(CLOCK_MONOTONIC);
    struct pt_err err = {0};
    struct pt_db *db = NULL;
    struct pt_db_span span;
    struct seen seen = {0};
    if (pt_db_open(argv[1], &db, &err) < 0 || pt_db_span(db, &span, &err) < 0 ||
        pt_db_field(db, argv[2], argv[3], span.first, span.last, point, &seen, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 3;
    }
    pt_db_close(db);
    printf("points %llu sum %.0f wall_ns %lld\n", (unsigned long long)seen.points, seen.sum,
           (long long)(bench_clock(CLOCK_MONOTONIC) - start));
    return seen.points ? 0 : 1;
}
