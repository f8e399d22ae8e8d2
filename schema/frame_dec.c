/* SPDX-License-Identifier: MIT
 * A frame taken apart and checked as far as it can be alone: envelope, clocks, read set, the bounds
 * of every entry and shape (FORMAT.md, "Frames"). Units: as frame.h. */
#include "schema/frame_int.h"

#include <stdlib.h>

static struct pt_cur sub_cursor(struct pt_cur *c)
{
    const uint64_t n = pt_cur_varint(c);
    const uint8_t *p = n <= pt_cur_left(c) ? pt_cur_bytes(c, (size_t)n) : NULL;
    if (!p) {
        c->failed = true;
        return pt_cur_of("", 0);
    }
    return pt_cur_of(p, (size_t)n);
}

static int64_t get_time(const struct pt_frame *f, struct pt_cur *c, unsigned form)
{
    switch (form) {
    case PT_ENTRY_NOW:
        return f->snap.real_us;
    case PT_ENTRY_BEFORE:
        c->failed |= f->prev_us == PT_UNKNOWN;
        return f->prev_us;
    case PT_ENTRY_AT:
        return pt_plus(f->snap.real_us, pt_unzigzag(pt_cur_varint(c)));
    default:
        c->failed = true;
        return PT_UNKNOWN;
    }
}

static bool flags_valid(const struct pt_frame *f, unsigned flags)
{
    const unsigned parts = flags & (PT_ENTRY_DEF | PT_ENTRY_BASE | PT_ENTRY_SCRIPT);
    if (flags & 0x80)
        return false;
    switch (flags & PT_ENTRY_OUTCOME) {
    case PT_ENTRY_SAME:
        return !parts && !f->key;
    case PT_ENTRY_FAIL:
        return !(flags & PT_ENTRY_SCRIPT);
    case PT_ENTRY_GONE:
        return flags == PT_ENTRY_GONE && !f->key;
    default:
        return true;
    }
}

static void get_name(struct pt_cur *c, struct pt_entry *e)
{
    e->name_same = pt_cur_varint(c);
    const struct pt_cur name = sub_cursor(c);
    e->name = name.p;
    e->name_len = pt_cur_left(&name);
    if (e->name_len >= PT_NAME_MAX || e->name_same > PT_NAME_SAME ||
        e->name_same >= PT_NAME_MAX - e->name_len ||
        (e->name_len && memchr(e->name, 0, e->name_len)))
        c->failed = true;
}

bool pt_entry_next(const struct pt_frame *f, struct pt_cur *c, uint64_t *next_id,
                   struct pt_entry *e)
{
    const uint64_t gap = pt_cur_varint(c);
    *e = (struct pt_entry){.id = *next_id + gap, .flags = pt_cur_u8(c), .read_us = PT_UNKNOWN};
    if (c->failed || gap > UINT32_MAX || e->id >= f->nids || !flags_valid(f, e->flags)) {
        c->failed = true;
        return false;
    }
    *next_id = e->id + 1;
    const unsigned outcome = e->flags & PT_ENTRY_OUTCOME;
    if (outcome != PT_ENTRY_GONE)
        e->read_us = get_time(f, c, e->flags >> PT_ENTRY_TIME_SHIFT & 3);
    if (outcome == PT_ENTRY_FAIL) {
        const uint64_t why = pt_cur_varint(c);
        c->failed |= why == 0 || why > UINT16_MAX;
        e->why = (int)(why & UINT16_MAX);
    }
    if (e->flags & PT_ENTRY_DEF)
        get_name(c, e);
    if (e->flags & PT_ENTRY_BASE)
        e->base = sub_cursor(c);
    if (e->flags & PT_ENTRY_SCRIPT) {
        const uint64_t class_id = pt_cur_varint(c);
        c->failed |= class_id > UINT16_MAX;
        e->class_id = (uint32_t)class_id;
        e->script = sub_cursor(c);
    }
    return !c->failed;
}

static int64_t get_opt(struct pt_cur *c)
{
    return pt_opt_value(pt_cur_varint(c));
}

static void get_snap(struct pt_frame *f, struct pt_cur *c)
{
    const uint64_t n = pt_cur_varint(c), boot = pt_cur_varint(c), trigger = pt_cur_varint(c);
    int64_t v[PT_SNAP_NUMBERS];
    for (unsigned i = 0; i < PT_SNAP_NUMBERS; i++)
        v[i] = get_opt(c);
    f->snap =
        (struct pt_snap){.n = (int64_t)n, .boot = (uint32_t)boot, .trigger = (uint32_t)trigger};
    pt_snap_set_numbers(&f->snap, v);
    const uint64_t back = pt_cur_varint(c), prev = pt_cur_varint(c);
    f->key_n = (int64_t)(n - back);
    f->prev_us = prev ? pt_plus(f->snap.real_us, pt_opt_value(prev)) : PT_UNKNOWN;
    if (n == 0 || n > INT64_MAX || back >= n || (back == 0) != f->key || boot > UINT32_MAX ||
        trigger > UINT32_MAX || v[PT_SNAP_OFFSET] < INT32_MIN || v[PT_SNAP_OFFSET] > INT32_MAX)
        c->failed = true;
}

static void get_entries(struct pt_frame *f, struct pt_cur *c)
{
    f->nentries = pt_cur_varint(c);
    f->entries = *c;
    struct pt_entry e;
    uint64_t next = 0;
    for (uint64_t i = 0; i < f->nentries && pt_entry_next(f, c, &next, &e); i++)
        if ((e.flags & PT_ENTRY_SCRIPT) && pt_script_scan(e.script, e.class_id, &f->changes) < 0)
            c->failed = true;
    f->entries.end = c->p;
}

static void get_shapes(struct pt_frame *f, struct pt_cur *c)
{
    f->first_shape = pt_cur_varint(c);
    f->nshapes = pt_cur_varint(c);
    f->shapes = *c;
    if (f->first_shape == 0 || f->first_shape > UINT32_MAX || f->nshapes > pt_cur_left(c))
        c->failed = true;
    for (uint64_t i = 0; i < f->nshapes && !c->failed; i++)
        sub_cursor(c);
}

static bool parse(struct pt_frame *f)
{
    struct pt_cur c = pt_cur_of(f->raw, f->raw_len);
    get_snap(f, &c);
    f->nids = pt_cur_varint(&c);
    if (f->nids / 8 > pt_cur_left(&c))
        return false;
    f->readset = pt_cur_bytes(&c, (size_t)(f->nids + 7) / 8);
    if (!f->readset && f->nids)
        return false;
    get_entries(f, &c);
    get_shapes(f, &c);
    return !c.failed && !f->changes.failed && pt_changes_get(&f->changes, &c) == 0;
}

int pt_frame_open(const void *blob, size_t len, struct pt_frame **ret, struct pt_err *err)
{
    struct pt_blob b;
    const int rc = pt_blob_read(PT_FRAME_MAGIC, "frame", blob, len, PT_FRAME_RAW_MAX, &b, err);
    if (rc < 0)
        return rc;
    struct pt_frame *f = calloc(1, sizeof *f);
    if (!f) {
        free(b.raw);
        return pt_err_nomem(err);
    }
    f->raw = b.raw;
    f->raw_len = b.len;
    f->key = b.tag & PT_FRAME_KEY;
    if ((b.tag & ~PT_FRAME_KEY) || !parse(f)) {
        const bool nomem = f->changes.failed;
        pt_frame_free(f);
        if (nomem)
            return pt_err_nomem(err);
        return pt_err_set(err, PT_EDAMAGED, 0, "frame", -1, "frame: its content makes no sense");
    }
    *ret = f;
    return 0;
}

void pt_frame_free(struct pt_frame *f)
{
    if (!f)
        return;
    free(f->raw);
    pt_changes_release(&f->changes);
    free(f);
}

const struct pt_snap *pt_frame_snap(const struct pt_frame *f)
{
    return &f->snap;
}

bool pt_frame_is_key(const struct pt_frame *f)
{
    return f->key;
}
