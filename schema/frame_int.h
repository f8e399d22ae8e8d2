/* SPDX-License-Identifier: MIT
 * What the frame encoder and decoder share: the spelling of a frame's content (FORMAT.md,
 * "Frames"). Internal. Units: as schema/frame.h. */
#ifndef PT_SCHEMA_FRAME_INT_H
#define PT_SCHEMA_FRAME_INT_H

#include "schema/frame.h"
#include "schema/frame_blob.h"

#define PT_FRAME_MAGIC   "PTfr"
#define PT_FRAME_KEY     1u           /* bit of the blob's tag */
#define PT_FRAME_RAW_MAX (512u << 20) /* content of one frame */
#define PT_NAME_SAME                                                                               \
    255u /* of them taken from the name before at most: bounds what names grow to */

/* Flags of an entry. */
enum {
    PT_ENTRY_SAME = 0, /* read again, the same: only the time is told */
    PT_ENTRY_TEXT = 1,
    PT_ENTRY_FAIL = 2,
    PT_ENTRY_GONE = 3,
    PT_ENTRY_OUTCOME = 3,
    PT_ENTRY_TIME_SHIFT = 2, /* when it was read: */
    PT_ENTRY_NOW = 0,        /* the clock of this snapshot */
    PT_ENTRY_BEFORE = 1,     /* the clock of the snapshot before */
    PT_ENTRY_AT = 2,         /* told */
    PT_ENTRY_DEF = 1 << 4,
    PT_ENTRY_BASE = 1 << 5,
    PT_ENTRY_SCRIPT = 1 << 6,
};

/* Ops of an edit script: varint n << 2 | op. What slots change by stands apart (struct pt_change).
 */
enum {
    PT_OP_KEEP = 0,   /* n rows of the base as they are */
    PT_OP_CHANGE = 1, /* a row of the base, n of its slots changed: n varints, slots passed over */
    PT_OP_DEL = 2,    /* n rows of the base */
    PT_OP_INS = 3, /* n == 0: length, a row in full; else a row of the base with new shapes, n - 1
                      slots changed */
};

/* A number that may be unknown: 0 is PT_UNKNOWN, else 1 + zigzag. */
static inline uint64_t pt_opt_wire(int64_t v)
{
    return pt_zigzag(v) + 1;
}
static inline int64_t pt_opt_value(uint64_t w)
{
    return pt_unzigzag(w - 1);
}

/* Differences of times wrap: no stated time is out of range. */
static inline int64_t pt_minus(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}
static inline int64_t pt_plus(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

uint64_t pt_gcd(uint64_t a, uint64_t b);
static inline uint64_t pt_magnitude(int64_t v)
{
    return v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
}
/* v / g, which divides it, and back. */
static inline int64_t pt_divide(int64_t v, uint64_t g)
{
    const uint64_t q = pt_magnitude(v) / g;
    return (int64_t)(v < 0 ? 0 - q : q);
}
/* A varint whose first byte stands elsewhere. */
uint64_t pt_split_varint(uint8_t first, struct pt_cur *more);

/* The numbers of a snapshot in wire order, n, boot and trigger aside. */
#define PT_SNAP_NUMBERS 13
#define PT_SNAP_OFFSET  4 /* where utc_offset_s stands */
void pt_snap_numbers(const struct pt_snap *snap, int64_t ret[PT_SNAP_NUMBERS]);
void pt_snap_set_numbers(struct pt_snap *snap, const int64_t v[PT_SNAP_NUMBERS]);

/* ---- values ---- */

/* A slot changed by delta. Frames tell the deltas of all entries column by column: all of one slot
 * in sources of one class, divided by what they have in common. */
struct pt_change {
    uint64_t column; /* class << 32 | slot */
    uint64_t delta;
    uint32_t order;
};
struct pt_changes {
    struct pt_change *v, *spare;
    uint32_t n, cap, spare_cap;
    bool failed;
};
void pt_changes_release(struct pt_changes *c);
void pt_changes_add(struct pt_changes *c, uint32_t class_id, uint32_t slot, uint64_t delta);
/* Appends the columns; the list's order is not kept. part is room to work in. */
void pt_changes_put(struct pt_changes *c, struct pt_buf *part, struct pt_buf *out);
/* Fills the deltas of a list that has all else, in its order, from what is left of cur. < 0:
 * damaged. */
int pt_changes_get(struct pt_changes *c, struct pt_cur *cur);
/* How many slots a script changes, < 0: it makes no sense. They are added to c (may be NULL),
 * deltas not known. */
int64_t pt_script_scan(struct pt_cur script, uint32_t class_id, struct pt_changes *c);

/* ---- edit scripts ---- */

/* Shape ids as a chain numbers them; 0: out of memory. */
struct pt_script_ids {
    uint32_t (*local)(void *ctx, uint32_t shape);
    void *ctx;
};
/* Appends the script that makes `to` of `from`, and to changes what it changes; part is room to
 * work in. */
int pt_script_put(struct pt_shapes *t, enum pt_key key, const struct pt_reading *from,
                  const struct pt_reading *to, const struct pt_script_ids *ids, uint32_t class_id,
                  struct pt_changes *changes, struct pt_buf *part, struct pt_buf *out,
                  struct pt_err *err);
/* One row: local shape ids, then its slots as they are. */
void pt_script_row(const struct pt_row *row, const struct pt_script_ids *ids, struct pt_buf *out);

/* Applies scripts and rows to make readings in a table's own ids. */
struct pt_script_reader {
    struct pt_shapes *shapes;
    uint32_t (*table)(void *ctx, uint64_t local); /* 0: not known */
    void *ctx;
    bool unknown; /* set when a shape was not known: bytes may be right, a frame that told it is
                     lost */
    const struct pt_changes *changes;
    uint32_t next_change;
    struct pt_buf out;
};
/* varint nrows, rows. */
int pt_script_rows(struct pt_script_reader *s, struct pt_cur *c, struct pt_reading **ret,
                   struct pt_err *err);
/* base NULL: no rows. next_change: the script's first. */
int pt_script_apply(struct pt_script_reader *s, const struct pt_reading *base, struct pt_cur *c,
                    struct pt_reading **ret, struct pt_err *err);

/* ---- decoder ---- */

struct pt_frame {
    struct pt_snap snap;
    bool key;
    int64_t key_n, prev_us; /* PT_UNKNOWN: none */
    uint8_t *raw;
    size_t raw_len;
    const uint8_t *readset;
    uint64_t nids;
    struct pt_cur entries, shapes; /* the entries alone; varint-prefixed wires alone */
    uint64_t nentries, first_shape, nshapes;
    struct pt_changes changes; /* of all entries, in order */
};

struct pt_entry {
    uint64_t id;
    unsigned flags;
    int64_t read_us;
    int why;
    uint64_t name_same;
    const uint8_t *name;
    size_t name_len;
    struct pt_cur base, script;
    uint32_t class_id; /* of the script */
};
/* The next entry of a frame; *next_id starts at 0. false: c->failed. */
bool pt_entry_next(const struct pt_frame *f, struct pt_cur *c, uint64_t *next_id,
                   struct pt_entry *ret);

/* ---- encoder ---- */

enum pt_src_state { PT_SRC_FREE = 0, PT_SRC_OPEN, PT_SRC_TEXT, PT_SRC_FAIL };
enum pt_src_mark { PT_MARK_NONE = 0, PT_MARK_TIME, PT_MARK_CHANGED };
#define PT_NO_ID UINT32_MAX

struct pt_src {
    struct pt_reading *base; /* of this chain; NULL: none yet */
    struct pt_reading
        *cur; /* the last text, in this chain or not; the same object as base when equal */
    const struct pt_grammar *grammar;
    int64_t read_us;
    uint32_t id;   /* in this chain, PT_NO_ID until first told */
    uint32_t name; /* offset in the pool; the next free one when PT_SRC_FREE */
    uint16_t why;
    uint8_t state, mark;
    uint16_t class_id;
    uint8_t def_told, base_told; /* frames that told it: told in two, but for a key frame's */
};

struct pt_entry_ref {
    uint32_t id, handle; /* handle PT_NO_ID: gone */
};
struct pt_refs {
    struct pt_entry_ref *v;
    uint32_t n, cap;
};

struct pt_local_shape {
    uint64_t hash; /* of the shape the number was given for: table ids are used again */
    uint32_t chain, local;
};

struct pt_enc {
    struct pt_shapes *shapes;
    struct pt_pack pack;
    struct pt_src *src;
    uint32_t nsrc, src_cap, free_src, live;
    char *pool;
    uint32_t pool_len, pool_cap, pool_dead;
    uint32_t *table; /* open addressing by name: handle + 1 */
    uint32_t table_cap;
    struct pt_refs now,
        before; /* changed or gone in this snapshot and in the one before, in order of time */
    uint8_t *readset;
    uint32_t readset_cap, nids;
    struct pt_local_shape *local;
    uint32_t local_cap, chain, next_local;
    uint32_t *fresh; /* shapes first told in the frame before, then in this one; a reference each */
    uint32_t nfresh, fresh_before, fresh_cap;
    struct pt_snap snap;
    int64_t key_n, prev_us;
    bool new_chain, key, in_snap;
    bool nomem; /* met where no error could be returned */
    uint32_t chain_frames;
    size_t chain_bytes;
    struct pt_buf raw, part;
    struct pt_changes changes;
    uint64_t *classes; /* hashes of what names end in */
    uint32_t nclasses, class_cap;
    struct pt_refs entries;
    void *cctx;
};

const char *pt_src_name(const struct pt_enc *e, const struct pt_src *s);
int pt_refs_add(struct pt_refs *r, uint32_t id, uint32_t handle);
/* Builds e->raw, the content of the frame. */
int pt_enc_build(struct pt_enc *e, struct pt_err *err);

#endif
