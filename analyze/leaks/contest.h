/* SPDX-License-Identifier: MIT
 * Which shape an envelope has: two families of models, growth that goes on and growth that comes to
 * an end, compared by the Bayesian information criterion. Pure. */
#ifndef PT_ANALYZE_LEAKS_CONTEST_H
#define PT_ANALYZE_LEAKS_CONTEST_H

#include "analyze/leaks/trend.h"

enum pt_model {
    PT_MODEL_LINEAR = 0, /* these four go on */
    PT_MODEL_ONSET,      /* flat, then linear */
    PT_MODEL_POWER,      /* ever faster */
    PT_MODEL_LINEAR_STEP,
    PT_MODEL_SATURATING, /* these come to an end: 1 - exp(-t / tau) */
    PT_MODEL_CAP,        /* linear, then flat */
    PT_MODEL_LOG,
    PT_MODEL_LEVELS, /* two to four */
    PT_MODELS
};
#define PT_MODEL_BOUNDED PT_MODEL_SATURATING /* the first of those */
const char *pt_model_name(enum pt_model m);

struct pt_contest {
    double bic[PT_MODELS];       /* INFINITY: does not apply */
    enum pt_model leak, bounded; /* the best of each family */
    double margin;               /* BIC of bounded - BIC of leak: > 0 speaks for a leak */
    double rho, n_eff;           /* autocorrelation of the best model's residuals */
    double onset;                /* of PT_MODEL_ONSET's best knot: time */
    double knot;                 /* of PT_MODEL_CAP's: time */
    int levels;                  /* of PT_MODEL_LEVELS */
    double step_at, step_size;   /* its largest step */
};
/* noise: what the values may be wrong by. Below it no model is better than another. */
void pt_contest_of(const struct pt_env *e, double noise, struct pt_contest *ret);

#endif
