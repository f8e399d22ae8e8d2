/* SPDX-License-Identifier: MIT
 * What writing and reading of blocks share: the spelling of a block's content (FORMAT.md,
 * "Blocks"). Internal. An event is a tick at which something was learnt of a source; a version is
 * an event that changed its text (0: the first text); a track is one row of a source while it
 * lives, whatever its shapes; a series is the changes of one slot of a track. Units: ticks and
 * versions are indexes. */
#ifndef PT_SCHEMA_SEGMENT_INT_H
#define PT_SCHEMA_SEGMENT_INT_H

#include "schema/frame_int.h"
#include "schema/segment.h"

#define PT_BLOCK_MAGIC "PTbl"
/* Rows live at each edit, summed over a block: what an analyzer may have to walk. */
#define PT_ROWS_WORK_MAX (1u << 30)

/* Content streams in wire order, each of one kind of bytes, so that what is alike stands together.
 */
enum pt_stream {
    PT_S_DIR,    /* per source: name, class */
    PT_S_TIME,   /* per source: events, what they were, which changed the text, when read */
    PT_S_ROWS,   /* per source: which rows there are */
    PT_S_SHAPES, /* wires */
    PT_S_HEAD,   /* per track: its series */
    PT_S_INIT,   /* per column: values at birth */
    PT_S_GAPS,   /* per series: which versions */
    PT_S_MORE,   /* per series: bytes of the deltas' varints but the first */
    PT_S_FIRST,  /* per series: first bytes of the deltas' varints */
    PT_STREAMS
};

enum pt_event_state {
    PT_EV_TEXT = 0,
    PT_EV_FAIL,
    PT_EV_ABSENT,
    PT_EV_LOST,
    PT_EV_CARRIED, /* the first event only: a text read before the segment */
    PT_EV_STATES
};

/* Ops of row scripts: varint n << 2 | op, n > 0. */
enum {
    PT_ROW_KEEP = 0,  /* n rows stay */
    PT_ROW_SHAPE = 1, /* n rows get the shapes that follow */
    PT_ROW_DEL = 2,
    PT_ROW_INS = 3, /* n rows of the shapes that follow */
};

/* ---- sets of indexes below a known size ---- */

/* Appends the ascending indexes v in the smallest of the forms: none, all, bitmap, runs of a
 * period. */
void pt_set_put(struct pt_buf *out, const uint32_t *v, uint32_t n, uint32_t size);

struct pt_set {
    struct pt_cur runs; /* form runs: triples */
    const uint8_t *bits;
    uint32_t size, count;
    uint64_t nruns;
    bool all;
};
/* Takes a set off c, validated. */
bool pt_set_get(struct pt_cur *c, uint32_t size, struct pt_set *ret);
/* How many members are below i (i may be size). */
uint32_t pt_set_rank(const struct pt_set *s, uint32_t i);
bool pt_set_has(const struct pt_set *s, uint32_t i);
/* All members, room for s->count. */
void pt_set_list(const struct pt_set *s, uint32_t *ret);

/* Where explicit times count from: to the millisecond, so that times that are whole milliseconds
 * stay so. */
static inline int64_t pt_time_origin(int64_t real_us)
{
    return real_us - real_us % 1000;
}

/* ---- writing ---- */

struct pt_w_track {
    uint32_t class_id, nslots;
    uint32_t init; /* its slots, varints, in `init` */
};
struct pt_w_series {
    uint32_t class_id, nslots, slot;
    uint32_t gaps_len, first_len, more_len;
    uint32_t gaps, first, more; /* in the streams of these names; first: in source order */
};
struct pt_w_change {
    uint32_t track, slot, version; /* track: of the source */
    uint64_t delta;
};
struct pt_w_list {
    void *v;
    uint32_t n, cap;
};
struct pt_w_name {
    uint32_t len;
    size_t at; /* in class_names */
};

struct pt_block_writer {
    struct pt_shapes *shapes;
    enum pt_block_kind kind;
    uint32_t nticks;
    bool begun;
    struct pt_buf head;               /* numbers of the ticks; for a clock block, all of it */
    int64_t *real;                    /* clock, by tick */
    struct pt_buf stream[PT_STREAMS]; /* INIT, GAPS, MORE, FIRST in source order until the end */
    uint32_t nsources, nshapes;
    struct pt_local_shape *local;
    uint32_t local_cap, generation;
    struct pt_w_list shape_ids; /* uint32_t, a reference each */
    struct pt_w_list classes;   /* struct pt_w_name */
    struct pt_buf class_names;
    struct pt_w_list tracks, series;
    uint64_t rows_work;
    char last_name[PT_NAME_MAX];
    /* the source being written */
    bool in_source, dead; /* dead: absent since its last text */
    enum pt_key key;
    uint32_t class_id, first_track, nversions, nedits, last_edit;
    struct pt_reading *cur;
    struct pt_w_list live; /* uint32_t: tracks of cur's rows, counted from first_track */
    struct pt_w_list next_live;
    struct pt_w_list events;  /* uint32_t ticks */
    struct pt_w_list changed; /* uint32_t events */
    struct pt_w_list timed;   /* uint32_t events */
    struct pt_w_list times;   /* int64_t */
    struct pt_w_list births;  /* uint32_t versions, by track */
    struct pt_w_list changes; /* struct pt_w_change */
    struct pt_buf states, script, edits;
    uint32_t state_run;
    uint8_t state;
    int why;
    int64_t read_us;
    bool nomem;
    struct pt_buf raw;
    void *cctx;
};

/* Room for one more element, zeroed, or NULL with w->nomem set. */
void *pt_w_add(struct pt_block_writer *w, struct pt_w_list *l, size_t size);
/* Block-local number of a shape. */
uint32_t pt_w_shape(struct pt_block_writer *w, uint32_t shape);
/* Tells the rows of `to` after w->cur (NULL: none): script, tracks, changes. */
int pt_w_rows(struct pt_block_writer *w, const struct pt_reading *to, struct pt_err *err);
/* The source being written goes to the streams. */
int pt_w_flush_source(struct pt_block_writer *w, struct pt_err *err);
/* Lays the streams out in w->raw. */
int pt_w_assemble(struct pt_block_writer *w, struct pt_err *err);
/* The clock columns, appended to w->head. */
int pt_clock_put(struct pt_block_writer *w, const struct pt_snap *snaps, struct pt_err *err);

/* ---- reading ---- */

struct pt_b_series {
    uint32_t slot, count;
    uint64_t gcd;
    bool dense; /* every version after the track's birth */
    uint32_t gaps_len, more_len;
    const uint8_t *gaps, *first, *more;
};
struct pt_b_track {
    uint32_t nslots, born; /* born: version */
    uint32_t first_series, nseries;
    size_t init; /* in b->init */
};
struct pt_b_source {
    const char *name;
    uint32_t class_id;
    uint32_t nevents, nversions; /* nversions 0: never a text */
    uint32_t first_text;         /* event */
    struct pt_set events, changed, timed;
    struct pt_cur states, times, rows; /* rows: from the script of version 0 on */
    uint64_t time_gcd;
    uint32_t first_track, ntracks;
};

struct pt_block {
    struct pt_shapes *shapes;
    enum pt_block_kind kind;
    uint8_t *raw;
    size_t raw_len;
    int64_t first;
    uint32_t nticks;
    uint32_t *tick_n; /* minus first */
    struct pt_snap *snaps;
    uint32_t nsources, nshapes, ntracks, nseries;
    uint32_t *shape; /* table ids, a reference each */
    struct pt_b_source *sources;
    struct pt_b_track *tracks;
    struct pt_b_series *series;
    uint64_t *init;
    size_t ninit;
    char *names;
};

int pt_clock_get(struct pt_block *b, struct pt_cur *c);
/* Reads sources, shapes, tracks and series. */
int pt_b_parse(struct pt_block *b, struct pt_cur *c, struct pt_err *err);

/* The rows of a source as scripts go by. */
struct pt_live {
    uint32_t track, head, body; /* track: of the block; shapes: table ids */
};
struct pt_replay {
    struct pt_live *v, *spare;
    uint32_t n, cap, spare_cap;
    uint32_t next_track;
    struct pt_cur c;
    uint32_t version; /* of the edit to come, when more */
    uint64_t edits;   /* to come */
    uint64_t work;
    const struct pt_b_source *source;
    /* told when not NULL; died also for the end of a shape */
    int (*on)(void *ctx, const struct pt_live *row, uint32_t version, bool born);
    void *ctx;
};
/* Applies the script of version 0; then edits up to and with `version`. pt_replay_release always.
 */
int pt_replay_begin(const struct pt_block *b, const struct pt_b_source *s, struct pt_replay *r);
int pt_replay_until(const struct pt_block *b, struct pt_replay *r, uint32_t version);
void pt_replay_release(struct pt_replay *r);

/* What a source was at a tick. */
struct pt_event_at {
    bool any;
    uint32_t index, tick;
    enum pt_event_state state;
    int why;
};
int pt_event_find(const struct pt_b_source *s, uint32_t tick, struct pt_event_at *ret);

/* Walks the deltas of a series. */
struct pt_deltas {
    struct pt_cur gaps, more;
    const uint8_t *first;
    uint32_t left, version;
    uint64_t gcd;
    bool dense, failed;
    uint64_t delta;
};
void pt_deltas_begin(const struct pt_b_series *s, uint32_t born, struct pt_deltas *d);
bool pt_deltas_next(struct pt_deltas *d); /* sets version and delta */

static inline int pt_block_bad(struct pt_err *err, const char *what)
{
    return pt_err_set(err, PT_EDAMAGED, 0, "block", -1, "block: %s", what);
}

#endif
