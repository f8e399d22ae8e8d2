/* SPDX-License-Identifier: MIT
 * What the files of rulings share. Internal to analyze/leaks. The constants are those of
 * tests/labelled, where each was chosen. */
#ifndef PT_ANALYZE_LEAKS_VERDICT_INT_H
#define PT_ANALYZE_LEAKS_VERDICT_INT_H

#include "analyze/leaks/verdict.h"

#define MIB (1024.0 * 1024.0)
/* Growth below this is not worth an alarm: allocators, logs and caches of healthy programs do as
 * much. */
#define FLOOR (8 * MIB)
/* A rise that is all trend and no noise is told from chance by less. */
#define CLEAN_FLOOR (1.25 * MIB)
#define Z_GATE      3.29 /* one in a thousand, one sided 0.0005 */
#define Z_RETRY     3.5
#define QUARTERS    0.40 /* of the growth lies in rises of the floor from quarter to quarter */
#define LAST_THIRD  0.30
#define MARGIN      2.0
#define LATE_CAP    0.85 /* of the time: an end later than that cannot be seen yet */

/* What one look at a part of the series finds. */
struct pt_look {
    struct pt_env env;
    struct pt_slope slope;
    struct pt_contest contest;
    double growth, floor;
    double quarters, last_quarter; /* shares of the growth */
    double last_third;             /* slope of the last third / slope */
    int stairs;                    /* rises of the floor, one after the other, in all thirds */
    bool enough;                   /* bins */
    bool a, b, c, d;
    bool rescued; /* judged already, with something taken out */
};

/* Of an envelope; z: what the trend must have. */
void pt_look_on(const struct pt_case *c, const struct pt_env *env, double z, struct pt_look *ret);
void pt_look_at(const struct pt_case *c, double from, double to, int bins, double z,
                struct pt_look *ret);
bool pt_gates(const struct pt_look *l);
/* It passes all gates, and growth that goes on describes it better than growth that ends. */
bool pt_leaks(const struct pt_look *l);

/* Levels that memory stood at, one above the other, by its age: seconds since it is known. */
struct pt_levels {
    int n, begun;   /* held within the ages looked at; those of them that began there, too */
    double longest; /* that one was held before the next: logarithm of age */
    double since;   /* age from which on it is as high as at the end */
    double last;    /* logarithm of age since then */
    double off;     /* of its height, that a level begins off the line that all begin on */
};
void pt_levels_of(const struct pt_case *c, struct pt_levels *ret);
/* So many levels, each begun on one line with age, the last just now: it grows all the while. */
bool pt_levels_leak(const struct pt_levels *l);
/* So much longer the last must be held to say that it is the last: seconds. NAN: it is said, or
 * there are too few levels. */
double pt_levels_more(const struct pt_levels *l);

/* What load says of a growth that passed: PT_LEAK (nothing against it), PT_PER_REQUEST or
 * PT_LOAD_FOLLOWING. */
enum pt_verdict pt_weigh_loads(const struct pt_case *c, const struct pt_look *l,
                               struct pt_ruling *r);
/* Memory that goes up and down with a load hides what stays: takes out what the load explains, and
 * looks again. Memory that grows with the work done stands still where none is: looks again with
 * the work as time. */
bool pt_look_past_load(const struct pt_case *c, const struct pt_look *l, struct pt_look *ret,
                       struct pt_ruling *r);
/* Ups and downs that come back in even cycles are taken out by means over one cycle, and what is
 * left is looked at again. */
bool pt_look_past_cycle(const struct pt_case *c, const struct pt_look *l, struct pt_look *ret,
                        struct pt_ruling *r);
/* What its mappings say. */
enum pt_verdict pt_weigh_parts(const struct pt_case *c, const struct pt_look *l,
                               enum pt_verdict verdict, struct pt_ruling *r);

#endif
