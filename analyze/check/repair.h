/* SPDX-License-Identifier: MIT
 * pagetrail check --repair. */
#ifndef PT_ANALYZE_CHECK_REPAIR_H
#define PT_ANALYZE_CHECK_REPAIR_H

#include "analyze/args.h"

/* Salvages the first positional argument into a new database; the exit status. */
int pt_repair(const struct pt_args *args);

#endif
