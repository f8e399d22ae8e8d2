/* SPDX-License-Identifier: MIT
 * Shapes: the text of a kernel file with its numbers taken out. A shape is a run of (literal, slot)
 * pairs and a last literal; a slot has a kind and a width. Shape + slot values gives the text back
 * byte for byte, because a text only matches a shape when every number in it is spelt in the one
 * way rendering would spell it.
 *
 * Wire form of a shape (also FORMAT.md): varint nslots; nslots times { varint length, literal
 * bytes, u8 kind << 6 | width }; varint length, literal bytes. It is what is hashed, stored and
 * matched against. */
#ifndef PT_SCHEMA_SHAPE_H
#define PT_SCHEMA_SHAPE_H

#include <stddef.h>
#include <stdint.h>

#include "schema/err.h"
#include "schema/pool.h"
#include "schema/wire.h"

enum pt_slot_kind {
    PT_SLOT_DEC =
        0, /* decimal, no leading zeros, right-justified with spaces to at least width (0: as is) */
    PT_SLOT_FRAC = 1, /* decimal zero-padded to exactly width (1 to 19): the fraction of "0.05" */
    PT_SLOT_HEX = 2,  /* lower-case hexadecimal zero-padded to at least width (1 to 16) */
};

/* How a text is cut into literals and slots. */
enum pt_lex {
    PT_LEX_NONE = 0, /* no slots at all: names, command lines */
    PT_LEX_DEC,      /* decimals and fractions that stand free of identifiers */
    PT_LEX_MAPS,     /* a head line of maps or smaps: hex range, perms, hex offset, hex dev, decimal
                        inode, path */
    PT_LEX_RANGE,    /* a line of vmallocinfo: hex range, then PT_LEX_DEC */
};

struct pt_shape {
    uint32_t id; /* 1.., stable while referenced; ids of freed shapes are used again */
    uint32_t refs;
    uint32_t nslots;
    uint32_t wire_len;
    uint64_t hash;
    uint8_t wire[]; /* as above */
};

/* A table of interned shapes. Not thread-safe: its owner locks. */
struct pt_shapes;

struct pt_shapes *pt_shapes_new(void); /* NULL: no memory */
void pt_shapes_free(struct pt_shapes *t);
/* Interns untrusted wire bytes: validated (kinds, widths, lengths, no trailing bytes). Returns id >
 * 0 holding one new reference, or < 0. */
int64_t pt_shapes_intern(struct pt_shapes *t, const uint8_t *wire, size_t len, struct pt_err *err);
const struct pt_shape *pt_shapes_get(const struct pt_shapes *t, uint32_t id); /* NULL: no such id */
void pt_shapes_ref(struct pt_shapes *t, uint32_t id);
void pt_shapes_unref(struct pt_shapes *t, uint32_t id); /* freed at 0 */
uint32_t pt_shapes_count(const struct pt_shapes *t);    /* live shapes */

/* For those who work on a table's readings: memory of the readings, and room to work in that is
 * anybody's from call to call. */
struct pt_pool *pt_shapes_pool(struct pt_shapes *t);
struct pt_buf *pt_shapes_scratch(struct pt_shapes *t);

/* Cuts text into a shape (appended to wire) and its slot values (appended as varints to slots).
 * width: the least width the kernel prints this file's numbers with (8 for meminfo, status, smaps),
 * 0 = infer. Always succeeds but for memory (the buffers' failed flag). Text that has no slots
 * gives a literal. */
void pt_lex(enum pt_lex lex, unsigned width, const char *text, size_t len, struct pt_buf *wire,
            struct pt_buf *slots);

/* Matches text against a shape exactly: >= 0 and slot values appended as varints when
 * pt_shape_render would give text back, < 0 (slots untouched) when not. This is the proof of
 * losslessness. */
int pt_shape_match(const struct pt_shape *s, const char *text, size_t len, struct pt_buf *slots);

/* Where slot i stands in a rendered text. */
struct pt_span {
    uint32_t off, len; /* of the digits alone, without padding */
};

/* Appends the text of shape + nslots values read from c (varints). spans: NULL or room for nslots
 * entries, offsets relative to out->len at the call. < 0 when c runs out or out fails. */
int pt_shape_render(const struct pt_shape *s, struct pt_cur *c, struct pt_buf *out,
                    struct pt_span *spans);

/* The slots of a shape one by one, for field maps and checks. */
struct pt_slot {
    enum pt_slot_kind kind;
    unsigned width;
    const uint8_t *literal; /* the literal before it */
    size_t literal_len;
};
/* Calls fn for each slot and once more, with i == nslots, for the last literal. Stops at fn < 0 and
 * returns it. */
int pt_shape_walk(const struct pt_shape *s,
                  int (*fn)(void *ctx, uint32_t i, const struct pt_slot *slot), void *ctx);

/* Two shapes that differ only in slot widths, merged to the larger widths: appended to wire; < 0
 * when they differ otherwise. Keeps columns that change their width from making a shape a reading.
 */
int pt_shape_widen(const struct pt_shape *a, const struct pt_shape *b, struct pt_buf *wire);

#endif
