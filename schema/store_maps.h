/* SPDX-License-Identifier: MIT
 * Field maps of one query, kept from source to source, each with the entries that the query asks
 * for: names are compared once a pair of shapes. Internal to schema/store*.c. */
#ifndef PT_SCHEMA_STORE_MAPS_H
#define PT_SCHEMA_STORE_MAPS_H

#include "schema/source.h"

/* An entry that is asked for, and by which of the names. */
struct pt_asked {
    unsigned which;
    const struct pt_fieldmap_entry *entry;
};
struct pt_map {
    const struct pt_file *file;
    uint32_t head, body;     /* shapes, a reference each: their ids stay theirs */
    struct pt_fieldmap *map; /* NULL: free */
    struct pt_asked *asked;  /* name by name, each in order of the map */
    uint32_t nasked;
};
/* Zero-initialise, but for shapes and fields. */
struct pt_maps {
    struct pt_shapes *shapes;  /* borrowed */
    const char *const *fields; /* "*": any; borrowed */
    unsigned nfields;
    struct pt_map *v; /* open addressing; what was given out lives until the next call to tidy */
    uint32_t n;
};
/* NULL: no memory, or more shapes than one source may have. */
const struct pt_map *pt_maps_get(struct pt_maps *m, const struct pt_file *file,
                                 const struct pt_shape *head, const struct pt_shape *body,
                                 struct pt_err *err);
/* Between two sources: drops all when they are many. */
void pt_maps_tidy(struct pt_maps *m);
void pt_maps_release(struct pt_maps *m);

#endif
