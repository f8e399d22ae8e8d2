/* SPDX-License-Identifier: MIT
 * Frames: one snapshot as bytes, the unit a crash must not lose.
 *
 * A key frame holds every live source in full. A later frame holds an entry for every source that
 * changed in this snapshot or in the one before; an entry is the difference from the KEY frame's
 * reading of that source (or from nothing), never from the frame before. So any one frame can be
 * lost without harm to those after it: what it alone said is said again by the next. After two or
 * more lost in a row, sources that no later frame mentions are PT_LOST.
 *
 * Source and shape numbers are local to a chain (a key frame and the frames up to the next one).
 * Units: microseconds; times of day are CLOCK_REALTIME since the epoch. */
#ifndef PT_SCHEMA_FRAME_H
#define PT_SCHEMA_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/reading.h"

#define PT_UNKNOWN                                                                                 \
    INT64_MIN /* a number that is not known: NULL in SQL, null in JSON, "?" in text */

#define PT_NAME_MAX 4096u /* bytes of a source's name, the NUL included */

enum pt_trigger {
    PT_TRIGGER_TIMER = 0,
    PT_TRIGGER_ONCE,
    PT_TRIGGER_START, /* the first of a run */
    PT_TRIGGER_STOP,
    PT_TRIGGER_SIGNAL,
    PT_TRIGGER_PSI,
    PT_TRIGGER_OOM,
    PT_TRIGGER_LOW,
    PT_TRIGGER_BURST,
};

/* What a snapshot is, besides its sources: all but n also stands in the snapshot table. */
struct pt_snap {
    int64_t n;       /* 1.., never used twice in a database */
    int64_t real_us; /* clocks when reading began */
    int64_t boot_us, mono_us;
    int64_t span_us; /* from then until the last cheap source was read */
    int32_t utc_offset_s;
    uint32_t boot; /* id in the boot table */
    uint32_t trigger;
    int64_t
        cost_us; /* CPU the recorder used since the snapshot before, all threads; or PT_UNKNOWN */
    int64_t deep_us; /* of it, by deep reads; or PT_UNKNOWN */
    int64_t rss_kb;  /* the recorder's own RSS; or PT_UNKNOWN */
    /* headline numbers for people with sqlite3; each may be PT_UNKNOWN */
    int64_t mem_available_kb, swap_used_kb, psi_some_us, psi_full_us, processes;
};

/* What is known of a source at a snapshot. */
enum pt_presence {
    PT_READ = 0,   /* read in this snapshot */
    PT_CARRIED,    /* not read this time: the last text stands, with its age */
    PT_UNREADABLE, /* tried, failed; `why` is an errno (ETIMEDOUT: stuck); stands until the next try
                    */
    PT_ABSENT,     /* not there: never was, vanished, or the process ended */
    PT_LOST,       /* the bytes that would say are damaged */
};

struct pt_source_at {
    const char *name; /* "proc:1234/status" */
    uint32_t id;      /* chain- or block-local */
    enum pt_presence presence;
    int why;                    /* errno when PT_UNREADABLE, else 0 */
    int64_t read_us;            /* when its text was read (real time), PT_UNKNOWN if never */
    struct pt_reading *reading; /* NULL unless there is a text; owned by the state it comes from */
};

/* ---- encoder (recorder, generator) ---- */

struct pt_enc;

/* shapes is borrowed and must outlive it. The first snapshot is a key frame. */
struct pt_enc *pt_enc_new(struct pt_shapes *shapes);
void pt_enc_free(struct pt_enc *e);

/* A handle for a source: valid until pt_enc_gone() on it, across chains. < 0: no memory. name is
 * copied. Opening a name that is open gives the same handle. */
int64_t pt_enc_open(struct pt_enc *e, const char *name, const struct pt_grammar *g,
                    struct pt_err *err);
/* Good until the next open; NULL: no such handle. */
const char *pt_enc_name(const struct pt_enc *e, uint32_t source);
const struct pt_grammar *pt_enc_grammar(const struct pt_enc *e, uint32_t source);
/* The last reading, borrowed, or NULL: what to give pt_pack_begin() as prev. */
const struct pt_reading *pt_enc_last(const struct pt_enc *e, uint32_t source);

/* begin .. (text | put | fail | gone)* .. end. Each source at most once between begin and end, but
 * gone + a new open of the same name (a reused pid) is allowed. */
int pt_enc_begin(struct pt_enc *e, const struct pt_snap *snap, struct pt_err *err);
/* Packs text with the encoder's own pt_pack and puts it. read_us: PT_UNKNOWN = within the
 * snapshot's span. */
int pt_enc_text(struct pt_enc *e, uint32_t source, const void *text, size_t len, int64_t read_us,
                struct pt_err *err);
/* Puts a finished reading (takes one reference even on failure). */
int pt_enc_put(struct pt_enc *e, uint32_t source, struct pt_reading *r, int64_t read_us,
               struct pt_err *err);
int pt_enc_fail(struct pt_enc *e, uint32_t source, int why, int64_t read_us, struct pt_err *err);
int pt_enc_gone(struct pt_enc *e, uint32_t source, struct pt_err *err); /* the handle is no more */
/* Fields of snap that are known only now (span, cost, headline) are taken from the same struct
 * given again. Appends the finished frame blob (compressed, checksummed) to out. */
int pt_enc_end(struct pt_enc *e, const struct pt_snap *snap, struct pt_buf *out,
               struct pt_err *err);
/* The next frame is a key frame (the chain before it is complete, or a frame of it could not be
 * stored). */
void pt_enc_new_chain(struct pt_enc *e);
/* Frames and bytes since the key frame (raw, before compression): for deciding when to seal. */
uint32_t pt_enc_chain_frames(const struct pt_enc *e);
size_t pt_enc_chain_bytes(const struct pt_enc *e);

/* ---- decoder ---- */

/* A validated, decompressed frame. */
struct pt_frame;
int pt_frame_open(const void *blob, size_t len, struct pt_frame **ret, struct pt_err *err);
void pt_frame_free(struct pt_frame *f);
const struct pt_snap *pt_frame_snap(const struct pt_frame *f);
bool pt_frame_is_key(const struct pt_frame *f);

/* The state of a chain, frame after frame. */
struct pt_chain;
struct pt_chain *pt_chain_new(struct pt_shapes *shapes);
void pt_chain_free(struct pt_chain *c);
/* Limits the chain to sources for which keep() is true (decided once per source, at its
 * definition), so that a seal can work in passes of bounded memory. NULL: all. */
void pt_chain_filter(struct pt_chain *c,
                     bool (*keep)(void *ctx, uint32_t id, const char *name, size_t bytes),
                     void *ctx);
/* Applies the next frame in order. A key frame starts anew. A frame that is not the successor of
 * the last applied (n jumps) counts the missing ones as lost. On error the chain is as before. */
int pt_chain_apply(struct pt_chain *c, const struct pt_frame *f, struct pt_err *err);
/* Sources known in this chain, gone ones included (PT_ABSENT); index 0..count-1 is not the id. */
uint32_t pt_chain_count(const struct pt_chain *c);
const struct pt_source_at *pt_chain_get(const struct pt_chain *c, uint32_t index);

#endif
