/* SPDX-License-Identifier: MIT
 * Series straight from the columns of a recording, no text rendered: for each row of the sources
 * asked for, one track per measure. Split where the object ends: another boot, a row that went, a
 * source that was not in the next segment, another process under the same number. Units: seconds of
 * the timeline; values as the measures make them. */
#ifndef PT_ANALYZE_SERIES_SERIES_H
#define PT_ANALYZE_SERIES_SERIES_H

#include "analyze/series/timeline.h"
#include "analyze/series/curve.h"

struct pt_serie {
    const char *source, *row;
    uint32_t ordinal; /* rows of one name side by side, from 0 */
    uint32_t index;   /* of struct pt_series */
    uint32_t boot;
    double from, to;                       /* known to be there */
    int64_t last_n;                        /* last snapshot at which something of it changed */
    const struct pt_serie *before, *after; /* of the same source, row and ordinal; NULL: none */
    /* at work */
    const struct pt_serie *life; /* of spec.lives, which it belongs to; NULL: not known */
    int64_t *v;                  /* of the fields */
    uint32_t known;
    uint32_t untold; /* known, but not told of the text that stands since `renewed` */
    double renewed;
    double since, end;
    int64_t end_n; /* of the snapshot at the end */
    bool over;
    unsigned nmeasures;
    struct pt_curve track[]; /* of each measure */
};

struct pt_series_spec {
    const char *glob;
    const char *const *fields;
    unsigned nfields;
    unsigned nmeasures;
    uint32_t ends_only; /* measures, a bit each: pt_curve.ends_only */
    /* From the fields known (a bit each) the value of a measure; NAN: not known. */
    double (*measure)(void *ctx, const int64_t *v, uint32_t known, unsigned measure);
    /* true: these values are of another object than those before (a pid used again). May be NULL.
     */
    bool (*other)(void *ctx, const int64_t *before, const int64_t *now);
    /* Of PID/stat, its first field the start time, with `other`: loaded before this one in the same
     * pass. A series of a process's file ends where its number is another's. May be NULL. */
    const struct pt_series *lives;
    bool (*keep)(void *ctx, const char *source); /* may be NULL */
    /* All that there will be of a series is known: told once, soon after it ended, or at last. The
     * cells of its tracks may be released then. May be NULL. */
    void (*ended)(void *ctx, struct pt_serie *s);
    void *ctx;
};

struct pt_series {
    struct pt_serie **v; /* in order of appearance */
    size_t n, cap;
    struct pt_serie **slots; /* the newest of each source, row and ordinal */
    size_t nslots, used;
};
/* All in one pass; ret[i] by specs[i]. On failure all are released. */
int pt_series_load(struct pt_db *db, const struct pt_timeline *t,
                   const struct pt_series_spec *specs, struct pt_series *ret, size_t n,
                   struct pt_err *err);
/* And in the same pass last readings: when a segment's are told, ret holds what is known up to its
 * end. */
int pt_series_scan(struct pt_db *db, const struct pt_timeline *t,
                   const struct pt_series_spec *specs, struct pt_series *ret, size_t n,
                   const struct pt_last_query *lasts, size_t nlasts, struct pt_err *err);
/* The newest of a source that is no table; NULL: there is none. */
const struct pt_serie *pt_series_newest(const struct pt_series *s, const char *source);
/* Of lives: the one that a process number has at a time, or had last; NULL: none by then. */
const struct pt_serie *pt_series_life(const struct pt_series *lives, int64_t pid, double at);
void pt_series_release(struct pt_series *s);

#endif
