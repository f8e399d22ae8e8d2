/* SPDX-License-Identifier: MIT
 * A reading: one text of one source, packed. A text is a list of rows; a row is one or two pieces
 * (head, body), each a shape and its slots. A plain file is one row with no body; tables (smaps,
 * slabinfo, ...) have many.
 *
 * Packed form of a row: varint head shape id, varint body shape id (0: none), the head's slots, the
 * body's slots, all varints. Ids are of the pt_shapes table it was made with. Equal texts of one
 * source have mostly, not always, equal bytes; equal bytes always mean equal texts. */
#ifndef PT_SCHEMA_READING_H
#define PT_SCHEMA_READING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/shape.h"

enum pt_rows {
    PT_ROWS_WHOLE = 0, /* the whole text is one row */
    PT_ROWS_LINES,     /* a row a line (the line feed included) */
    PT_ROWS_SMAPS,     /* a head line that starts with a hex range, and the lines after it up to the
                          next */
};

/* What tells rows of two readings to be the same one. */
enum pt_key {
    PT_KEY_NONE = 0, /* by position */
    PT_KEY_SHAPE,    /* the head's shape (the name is in it); rows of one name by ordinal */
    PT_KEY_RANGE, /* head slots 0 and 1 are [start, end): equal start, else equal end, else overlap
                   */
    PT_KEY_SLOT0, /* head slot 0 and the shape, ... */
    PT_KEY_SLOT1, /* ... head slot 1 and the shape */
};

/* How the text of a source is taken apart: part of the source's descriptor (schema/source.h). */
struct pt_grammar {
    enum pt_rows rows;
    enum pt_key key;
    enum pt_lex head; /* of the row, or of its head line */
    enum pt_lex body; /* of what follows the head line in PT_ROWS_SMAPS */
    unsigned width;   /* see pt_lex */
};

struct pt_reading {
    uint32_t refs;
    uint32_t nrows;
    uint32_t len;
    uint8_t bytes[];
};

/* A text of at most this many bytes is recorded; a longer one is cut off and refused with
 * PT_ENOMEM. */
#define PT_TEXT_MAX (256u << 20)

struct pt_reading *pt_reading_ref(struct pt_reading *r);
void pt_reading_unref(struct pt_shapes *t,
                      struct pt_reading *r); /* NULL allowed; drops its shapes at 0 */
/* The same bytes? */
bool pt_reading_equal(const struct pt_reading *a, const struct pt_reading *b);

/* Text to reading, fed in pieces of any size, so that a file longer than any buffer needs memory
 * for its rows only. prev (may be NULL; same table) gives the shapes to try first. */
struct pt_pack {
    struct pt_shapes *shapes;
    const struct pt_grammar *grammar;
    const struct pt_reading *prev;
    struct pt_cur prev_cur; /* walks prev's rows beside ours */
    uint32_t last_head, last_body;
    uint32_t nrows;
    uint64_t total;
    struct pt_buf carry; /* an unfinished row */
    struct pt_buf out, wire, slots;
};
void pt_pack_init(struct pt_pack *p,
                  struct pt_shapes *shapes); /* once; buffers are kept between texts */
void pt_pack_release(struct pt_pack *p);
void pt_pack_begin(struct pt_pack *p, const struct pt_grammar *g, const struct pt_reading *prev);
int pt_pack_feed(struct pt_pack *p, const void *bytes, size_t len, struct pt_err *err);
/* *ret owned by the caller (one reference). When the bytes equal prev's, *ret is prev with one more
 * reference. */
int pt_pack_end(struct pt_pack *p, struct pt_reading **ret, struct pt_err *err);
void pt_pack_abort(struct pt_pack *p); /* instead of end: drops what was fed */
/* begin + feed + end. */
int pt_pack_text(struct pt_pack *p, const struct pt_grammar *g, const struct pt_reading *prev,
                 const void *text, size_t len, struct pt_reading **ret, struct pt_err *err);

/* Reading to text, appended to out. < 0: damaged or out of room. */
int pt_reading_text(const struct pt_shapes *t, const struct pt_reading *r, struct pt_buf *out,
                    struct pt_err *err);

/* One row of a reading. */
struct pt_row {
    const struct pt_shape *head, *body; /* body NULL: none */
    const uint8_t *slots;               /* packed varints of head then body */
    size_t slots_len;
    const uint8_t *start; /* first byte of the packed row */
    uint32_t nslots;      /* of head and body */
};
/* Iterates: set *c to pt_cur_of(r->bytes, r->len); true while a row was got. false with c->failed:
 * damaged. */
bool pt_row_next(const struct pt_shapes *t, struct pt_cur *c, struct pt_row *ret);
/* Slot values to numbers; room for row->nslots. */
void pt_row_slots(const struct pt_row *row, uint64_t *ret);

/* The difference of two readings, as callbacks in row order. Rows of `to` are numbered in `to`; a
 * deleted row is told with its number in `from`. Every row of `to` is either kept (silent, or
 * change() calls) or inserted. A row whose shape changed is a delete and an insert. from may be
 * NULL (all inserted). Callbacks < 0 stop it, and do not diff themselves. */
struct pt_diff_ops {
    int (*del)(void *ctx, uint32_t from_row, const struct pt_row *row);
    int (*ins)(void *ctx, uint32_t to_row, const struct pt_row *row);
    /* slot values differ in a kept row */
    int (*change)(void *ctx, uint32_t from_row, uint32_t to_row, uint32_t slot, uint64_t was,
                  uint64_t is);
};
int pt_reading_diff(struct pt_shapes *t, enum pt_key key, const struct pt_reading *from,
                    const struct pt_reading *to, const struct pt_diff_ops *ops, void *ctx,
                    struct pt_err *err);
/* Order of calls: all del and ins and change, by position: a del at from_row i comes before
 * anything about later from rows; an ins or change about to_row j comes before anything about later
 * to rows. */

/* Builds a reading from rows (decoders). Row bytes must be valid for `t`; shapes get their
 * references here. */
int pt_reading_make(struct pt_shapes *t, uint32_t nrows, const uint8_t *bytes, size_t len,
                    struct pt_reading **ret, struct pt_err *err);

#endif
