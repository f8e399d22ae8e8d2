/* SPDX-License-Identifier: MIT
 * Growth as JSON. */
#ifndef PT_ANALYZE_DIFF_GROWTH_PRINT_H
#define PT_ANALYZE_DIFF_GROWTH_PRINT_H

#include <jansson.h>

#include "analyze/balance/sheet.h"

/* growth.schema.json, of the sheet between the two pictures of d; top: holders a class at the most,
 * PT_UNKNOWN: all. NULL: no memory. */
json_t *pt_growth_json(const struct pt_sheet *sheet, const struct pt_diff *d, int64_t top);

#endif
