/* SPDX-License-Identifier: MIT
 * What a series' growth is: a leak, or why it is not called one, with the evidence. Pure: arrays
 * in, a ruling out. Units: seconds, bytes, bytes a second. */
#ifndef PT_ANALYZE_LEAKS_VERDICT_H
#define PT_ANALYZE_LEAKS_VERDICT_H

#include "analyze/leaks/contest.h"

enum pt_verdict {
    PT_LEAK = 0, /* these four are alarms */
    PT_PER_REQUEST,
    PT_LEAK_OR_RETENTION,
    PT_FAST_GROWTH,
    PT_BOUNDED,
    PT_STEP,
    PT_LOAD_FOLLOWING,
    PT_SAWTOOTH,
    PT_SHRINKING,
    PT_STABLE,
    PT_UNDETERMINED,
    PT_INSUFFICIENT,
    PT_VERDICTS
};
const char *pt_verdict_name(enum pt_verdict v); /* "leak-or-retention" */
static inline bool pt_verdict_alarms(enum pt_verdict v)
{
    return v <= PT_FAST_GROWTH;
}

enum pt_confidence { PT_HIGH = 0, PT_MEDIUM, PT_LOW };
const char *pt_confidence_name(enum pt_confidence c);

struct pt_evidence {
    const char *test;        /* static: "growth", "trend", ... */
    double value, threshold; /* NAN: not a number */
    bool passed;             /* speaks for a leak */
    char text[144];
};
#define PT_EVIDENCE_MAX 20

/* Something that may stand for load: the growth is looked at where it was equal. */
struct pt_load {
    const char *name; /* "threads", "open files", "CPU" */
    const struct pt_curve *track;
    bool rate; /* a use per second, whose sum over time is the work done */
};
#define PT_LOADS_MAX 6

/* Where the growth sits, by the mappings of two readings; bytes. */
struct pt_parts {
    bool known;
    double growth;   /* of all classes that count */
    double largest;  /* of the class that grew most */
    double constant; /* growth within mappings whose size did not change */
    double room;     /* size - (rss + swap) of those */
    double arena;    /* growth in arenas of the allocator */
    double huge;     /* growth of AnonHugePages */
    double lazy;   /* growth of LazyFree, which growth is without; where only one reading is known,
                      what it holds of both */
    double data;   /* growth of VmData; NAN: not known */
    double mapped; /* growth of the mappings' own size */
    double share;  /* of the growth over all readings that is in one class; NAN: not known */
    int readings;
};

enum pt_owner {
    PT_OWNER_PROCESS = 0, /* its mappings can be looked at */
    PT_OWNER_SERVICE,
    PT_OWNER_KERNEL, /* nothing else is known of it */
};

struct pt_case {
    const struct pt_curve *track;
    double from, to; /* what to judge */
    double interval; /* of recording */
    double noise;    /* error of the kernel's counter */
    double headroom; /* bytes until exhaustion; NAN: not known */
    double least;    /* growth that counts at the least, 0: the usual */
    enum pt_owner owner;
    double local; /* local time of day at time 0 */
    struct pt_load load[PT_LOADS_MAX];
    int nload;
    struct pt_parts parts;
    double threads; /* at the end; NAN: not known */
};

struct pt_ruling {
    enum pt_verdict verdict;
    enum pt_confidence confidence;
    double since;        /* where the growth begins */
    double growth;       /* since then */
    double b, low, high; /* slope since then */
    double z;
    double exhaustion, exhaustion_low, exhaustion_high; /* seconds from the end; NAN: none */
    double more;         /* undetermined: record so much longer; NAN: not known */
    bool rises;          /* by more than noise, and nothing says that it ended */
    enum pt_model model; /* that describes it best */
    struct pt_evidence evidence[PT_EVIDENCE_MAX];
    int nevidence;
    struct pt_env env; /* what was judged, of the whole span */
};
void pt_judge(const struct pt_case *c, struct pt_ruling *ret);
/* What the headroom of a case says: for one that was judged before it was known. */
void pt_judge_headroom(struct pt_ruling *r, double headroom);
/* Seconds that a series must be known for, at this interval of recording, to be judged. */
double pt_judge_least(double interval);

/* Adds a line of evidence; more than fits are left out. */
void pt_evidence_add(struct pt_ruling *r, const char *test, double value, double threshold,
                     bool passed, const char *fmt, ...) __attribute__((format(printf, 6, 7)));

/* How memory rises with age in one life. */
struct pt_rise {
    bool known;   /* it is long enough to tell */
    bool rising;  /* to its end */
    double lived; /* seconds */
    double b, z;  /* slope, of Kendall's S */
    double growth;
};
void pt_rise_of(const struct pt_curve *t, struct pt_rise *ret);
/* The lives of one service that restarts or recycles its workers: does memory rise with age in
 * each, time and again? */
struct pt_lives {
    int n, rising;    /* lives long enough to tell; those that rise to their end */
    double z;         /* of Kendall's S summed over them */
    double b;         /* median slope */
    double low, high; /* the middle half of the slopes */
    double lived;     /* seconds of all together */
    double growth;    /* of all together */
};
void pt_lives_add(struct pt_lives *l, const struct pt_rise *rise, double *slopes, int cap);
void pt_lives_end(struct pt_lives *l, double *slopes);

/* Benjamini and Hochberg: the least |z| that a series must have so that at most q of those that do
 * are by chance. Sorts z. */
double pt_false_discovery(double *z, int n, double q);

#endif
