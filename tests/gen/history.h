/* SPDX-License-Identifier: MIT
 * Processes of a long history, each of a family of behaviour that is known to leak or not. Internal
 * to tests/gen. Units: KiB, hours since the process's start, microseconds. */
#ifndef PT_TESTS_GEN_HISTORY_H
#define PT_TESTS_GEN_HISTORY_H

#include "tests/gen/model.h"

struct family {
    const char *name;
    bool leak;
    /* Growth at `age`, of a process that would grow by `rise` over a whole `span`. */
    double (*shape)(const struct story *s, double age);
    double level[2]; /* MiB, drawn between the two, by its logarithm */
    double rise[2];  /* MiB a day, likewise */
    double at;       /* of the shape: share of the span, exponent, hours */
    double day,
        week;       /* shares of the level that come and go with the day, of the day's by weekend */
    double noise;   /* standard deviation, share of the level */
    double memory;  /* hours that its noise remembers */
    double life;    /* hours to the next restart, 0: none */
    double swapped; /* share that is out at the end of the span */
    bool varies;    /* no one speed */
};

struct story {
    const struct family *family;
    char name[16];
    double level, rise, at, span; /* span: hours of a boot */
    double noise, busy;
    double ends; /* age at which it restarts */
    uint64_t seed;
    int64_t ran_us; /* real time of the noise */
    uint32_t *pids;
    size_t npids;
};

int history_init(struct machine *m, const struct pt_gen_options *o);
void history_release(struct machine *m);
/* Says how process `p->index` begins, a pid of its own. < 0: no memory */
int history_start(struct machine *m, struct process *p);
void history_run(struct machine *m, struct process *p);
bool history_ends(const struct machine *m, const struct process *p);
/* What is true of each: the labels that tests/labelled/score.py reads. */
int history_labels(const struct machine *m, const struct pt_gen_options *o, const char *path,
                   int64_t seconds);

#endif
