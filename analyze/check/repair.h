/* SPDX-License-Identifier: MIT
 * pagetrail check --repair, and what it shares with the check. */
#ifndef PT_ANALYZE_CHECK_REPAIR_H
#define PT_ANALYZE_CHECK_REPAIR_H

#include "analyze/print/json.h"
#include "analyze/session.h"

/* Salvages the first positional argument into a new database; the exit status. */
int pt_repair(const struct pt_args *args);
/* A place that is damaged or lost. */
json_t *pt_damage_json(const struct pt_damage *d);

#endif
