/* SPDX-License-Identifier: MIT
 * A report against an earlier one: what became of each finding. */
#ifndef PT_ANALYZE_REPORT_AGAINST_H
#define PT_ANALYZE_REPORT_AGAINST_H

#include <jansson.h>

#include "analyze/session.h"

/* The report OLD: a JSON report, or one made of a database, whose kind is put in *ret_kind
 * ("report", "database"). NULL: err says why. */
json_t *pt_against_load(const struct pt_args *args, const char *path, const char **ret_kind,
                        struct pt_err *err);
/* Sets status in the findings and sentences of doc, adds what was resolved, what is to be known of
 * another host or time to its notes, and the whole comparison as `against`. */
int pt_against_apply(json_t *doc, const json_t *old, const char *kind, const char *name,
                     struct pt_err *err);

#endif
