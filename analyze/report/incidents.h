/* SPDX-License-Identifier: MIT
 * What went wrong at times, beside what leaks: swap that did harm, by what it did, and OOM kills,
 * by whom they hit. Each is a finding of the document's `incidents`, as those of `leaks` are, so
 * that it can be followed from one report to the next. */
#ifndef PT_ANALYZE_REPORT_INCIDENTS_H
#define PT_ANALYZE_REPORT_INCIDENTS_H

#include <jansson.h>

#include "analyze/oom/oom.h"
#include "schema/store.h"

#define PT_VICTIMS        512 /* that are counted */
#define PT_VICTIMS_LISTED 64
struct pt_victim {
    char *name; /* its command, or the control group of one that is not known */
    bool named;
    int64_t kills, last_us;
    bool at_least; /* it came when others had given way, as it may have done before */
    /* of the last */
    char *service; /* "" */
    char pid[24];  /* "" */
    enum pt_constraint constraint;
    char *limit; /* the control group whose limit it was; NULL */
};
struct pt_victims {
    struct pt_victim v[PT_VICTIMS];
    size_t n;
    int64_t others; /* kills of those that gave way to newer ones, and may have come again */
    bool nomem;
};
/* Of an event that is an OOM kill. */
void pt_victims_add(struct pt_victims *v, const struct pt_db_event *e);
void pt_victims_release(struct pt_victims *v);

/* Findings, the worst first; hours: recorded. NULL: no memory. */
json_t *pt_incidents_swap(const json_t *swap, double hours);
/* ret_omitted: kills that are counted for none of the listed ones. */
json_t *pt_incidents_oom(struct pt_victims *v, double hours, int32_t offset_s,
                         int64_t *ret_omitted);
/* Whether a document tells of a section's findings at all: one that could not be made, or that the
 * recording holds too little for, does not. */
bool pt_incidents_told(const json_t *doc, const char *section);

#endif
