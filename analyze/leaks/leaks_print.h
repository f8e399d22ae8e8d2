/* SPDX-License-Identifier: MIT
 * Findings as text and as JSON (leaks.schema.json). */
#ifndef PT_ANALYZE_LEAKS_LEAKS_PRINT_H
#define PT_ANALYZE_LEAKS_LEAKS_PRINT_H

#include <jansson.h>

#include "analyze/leaks/leaks.h"
#include "analyze/session.h"

/* Is it to be shown, by --subject and --all? */
bool pt_finding_shown(const struct pt_finding *f, const struct pt_args *args);
/* A class of memory as it stands in a table: "files" for "descriptors". */
const char *pt_class_brief(const char *class);
int pt_leaks_text(const struct pt_leaks *l, const struct pt_session *s);
/* leaks.schema.json, and one of its findings; NULL: no memory. */
json_t *pt_leaks_json(const struct pt_leaks *l, const struct pt_session *s);
json_t *pt_finding_json(const struct pt_leaks *l, const struct pt_finding *f);

#endif
