/* SPDX-License-Identifier: MIT
 * labelled_series DB: the series that the baselines of score.py are run on, one change a line:
 * source, field, seconds since the first snapshot, value or "-" where it ends or is not known.
 * First a line "span SECONDS". Units: as the fields. */
#include <inttypes.h>
#include <stdio.h>

#include "schema/store.h"

struct print {
    int64_t start_us;
};

static const struct {
    const char *glob, *field;
} wanted[] = {
    {"proc:*/status", "RssAnon"}, {"proc:*/status", "VmSwap"}, {"proc:*/status", "RssShmem"},
    {"proc:*/fd", "value"},       {"statfs:**", "bfree"},      {"proc:sysvipc/shm", "rss"},
};

static int print_point(void *ctx, const struct pt_point *p)
{
    const struct print *print = ctx;
    printf("%s\t%u\t%.3f\t", p->source, p->which, (double)(p->real_us - print->start_us) / 1e6);
    if (p->known)
        printf("%" PRId64 "\n", p->ivalue);
    else
        puts("-");
    return 0;
}

int main(int argc, char **argv)
{
    struct pt_err err = {0};
    struct pt_db *db;
    struct pt_db_span span;
    if (argc != 2 || pt_db_open(argv[1], &db, &err) < 0 || pt_db_span(db, &span, &err) < 0) {
        fprintf(stderr, "labelled_series: %s\n",
                argc == 2 ? err.text : "usage: labelled_series DB");
        return 2;
    }
    struct print print = {.start_us = span.first_us};
    printf("span %.3f\n", (double)(span.last_us - span.first_us) / 1e6);
    for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
        printf("field %s\n", wanted[i].field);
        if (pt_db_field(db, wanted[i].glob, wanted[i].field, span.first, span.last, print_point,
                        &print, &err) < 0) {
            fprintf(stderr, "labelled_series: %s\n", err.text);
            return 1;
        }
    }
    pt_db_close(db);
    return 0;
}
