/* SPDX-License-Identifier: MIT
 * See store_maps.h. */
#include "schema/store_maps.h"

#include <stdlib.h>
#include <string.h>

#define MAPS_MAX 4096u
#define SLOTS    (MAPS_MAX * 2)

static void drop(struct pt_maps *m)
{
    for (uint32_t i = 0; m->v && i < SLOTS; i++) {
        struct pt_map *one = &m->v[i];
        if (!one->map)
            continue;
        pt_fieldmap_free(one->map);
        free(one->asked);
        pt_shapes_unref(m->shapes, one->head);
        if (one->body)
            pt_shapes_unref(m->shapes, one->body);
        *one = (struct pt_map){0};
    }
    m->n = 0;
}

static bool asks_for(const char *name, const struct pt_fieldmap_entry *e)
{
    return strcmp(name, "*") == 0 || strcmp(name, e->field) == 0;
}

static bool resolve(const struct pt_maps *m, struct pt_map *one)
{
    uint32_t n = 0;
    for (int pass = 0; pass < 2; pass++) {
        if (pass == 1 && !(one->asked = malloc((n + 1) * sizeof *one->asked)))
            return false;
        n = 0;
        for (unsigned k = 0; k < m->nfields; k++)
            for (uint32_t i = 0; i < one->map->n; i++) {
                if (!asks_for(m->fields[k], &one->map->entries[i]))
                    continue;
                if (pass == 1)
                    one->asked[n] = (struct pt_asked){k, &one->map->entries[i]};
                n++;
            }
    }
    one->nasked = n;
    return true;
}

const struct pt_map *pt_maps_get(struct pt_maps *m, const struct pt_file *file,
                                 const struct pt_shape *head, const struct pt_shape *body,
                                 struct pt_err *err)
{
    const uint32_t body_id = body ? body->id : 0;
    uint32_t at = (head->id * 2654435761u ^ body_id * 40503u) % SLOTS;
    if (!m->v && !(m->v = calloc(SLOTS, sizeof *m->v))) {
        pt_err_nomem(err);
        return NULL;
    }
    for (; m->v[at].map; at = (at + 1) % SLOTS)
        if (m->v[at].head == head->id && m->v[at].body == body_id && m->v[at].file == file)
            return &m->v[at];
    struct pt_map *one = &m->v[at];
    if (m->n >= MAPS_MAX) {
        pt_err_set(err, PT_ENOMEM, 0, NULL, -1, "more than %u shapes in one source", MAPS_MAX);
        return NULL;
    }
    if (pt_fieldmap_new(file, head, body, &one->map, err) < 0)
        return NULL;
    if (!resolve(m, one)) {
        pt_fieldmap_free(one->map);
        one->map = NULL;
        pt_err_nomem(err);
        return NULL;
    }
    one->file = file;
    one->head = head->id;
    one->body = body_id;
    pt_shapes_ref(m->shapes, head->id);
    if (body)
        pt_shapes_ref(m->shapes, body_id);
    m->n++;
    return one;
}

void pt_maps_tidy(struct pt_maps *m)
{
    if (m->n > MAPS_MAX / 2)
        drop(m);
}

void pt_maps_release(struct pt_maps *m)
{
    drop(m);
    free(m->v);
    m->v = NULL;
}
