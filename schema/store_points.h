/* SPDX-License-Identifier: MIT
 * Points of one source before they are told, in their order. Internal to schema/store_field.c. */
#ifndef PT_SCHEMA_STORE_POINTS_H
#define PT_SCHEMA_STORE_POINTS_H

#include "schema/store_int.h"

/* A point in the making. */
struct pt_made {
    uint32_t tick, instance, which;
    const char *row, *field;
    size_t name;          /* of its row in names, plus 1; 0: row is the name */
    int64_t value, scale; /* scale 0: unknown */
    enum pt_presence presence;
};
/* By tick, instance, row and field; ticks are less than nticks. *v may be another array after it.
 * false: no memory. */
bool pt_made_sort(struct pt_made **v, size_t n, uint32_t nticks);

#endif
