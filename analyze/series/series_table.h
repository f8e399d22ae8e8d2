/* SPDX-License-Identifier: MIT
 * Where series stand: the newest of each source, row and ordinal, each with those before it.
 * Internal to analyze/series. */
#ifndef PT_ANALYZE_SERIES_SERIES_TABLE_H
#define PT_ANALYZE_SERIES_SERIES_TABLE_H

#include "analyze/series/series.h"

/* Room for one more key; false: no memory. */
bool pt_series_room(struct pt_series *t);
/* The place of a key, with its newest series or NULL; there must have been room. */
struct pt_serie **pt_series_slot(const struct pt_series *t, const char *source, const char *row,
                                 uint32_t ordinal);
/* One allocation: its names stand behind its tracks and values. NULL: no memory. */
struct pt_serie *pt_serie_alloc(const struct pt_series_spec *spec, const char *source,
                                const char *row);
/* Of lives: the newest of the process whose file this is; NULL: none. */
const struct pt_serie *pt_series_newest_life(const struct pt_series *lives, const char *source);
/* The newest that began by `at`; NULL: none. */
const struct pt_serie *pt_serie_life(const struct pt_serie *newest, double at);

#endif
