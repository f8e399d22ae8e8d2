/* SPDX-License-Identifier: MIT
 * The database: snapshots as frames, sealed into segments, in one SQLite file. The only part that
 * knows SQLite. A pt_db is used by one thread at a time. Units: as schema/frame.h. */
#ifndef PT_SCHEMA_STORE_H
#define PT_SCHEMA_STORE_H

#include <limits.h>

#include "schema/segment.h"

#define PT_APPLICATION_ID 0x50545231 /* "PTR1" */
#define PT_FORMAT         0          /* user_version; 0 is a draft without promise */

/* What the meta table says of the recorded host. Strings are "" and numbers 0 where unknown. */
struct pt_meta {
    char host[256], machine_id[64], kernel[256], arch[64], zone[64], program[64];
    int64_t page_size, clk_tck, cpus, mem_total_kb, interval_us;
};

struct pt_boot {
    uint32_t id;
    char boot_id[40];
    int64_t btime_us;    /* real time of the boot, as of its first snapshot */
    int64_t first, last; /* snapshot numbers */
    int64_t first_us, last_us;
};

/* ---- writing: recorder, generator ---- */

struct pt_store;

/* Opens or creates (mode 0600, WAL, page size and incremental vacuum set at creation). An existing
 * file of another application or a newer format is refused (PT_EFORMAT, PT_ENEWER) and left as it
 * is, byte for byte; one of ours that is damaged too (PT_EDAMAGED), for pt_store_set_aside. Frames
 * left by a crash are kept, and sealed with the next seal. Recorder settings (cache, mmap off) keep
 * its memory small. */
int pt_store_open(const char *path, const struct pt_meta *meta, struct pt_store **ret,
                  struct pt_err *err);
/* Seals nothing; checkpoints and leaves no -wal behind when it is the last user. */
int pt_store_close(struct pt_store *s, struct pt_err *err);
/* Closes a store that failed, and writes nothing more: what is committed stays where it is. */
void pt_store_abandon(struct pt_store *s);
/* Renames a damaged database, with its -wal, -shm and -journal, to "<path>.damaged-YYYYmmddTHHMMSS"
 * (UTC; with -2, -3 ... where that is taken): nothing is replaced, deleted or changed. Not while it
 * is open in this process. */
int pt_store_set_aside(const char *path, int64_t real_us, char ret[PATH_MAX], struct pt_err *err);
/* Before it is opened: is there a place in its -wal that is damaged, with transactions behind it?
 * They will not be in the database, and opening it begins to write over them. Copies such a -wal to
 * "NAME-wal", where NAME is as that of pt_store_set_aside, and makes NAME an empty file: what
 * `check --repair NAME` wants. The copy is on the disk when this returns. There are never more than
 * eight, nor, but for the first, more than max_bytes of them (0: no limit); one that is like it
 * already is enough. */
struct pt_kept_wal {
    int64_t behind;      /* transactions behind the place */
    char name[PATH_MAX]; /* NAME; "": not copied, there are as many as there may be */
    unsigned copies;     /* how many there were before */
    int64_t part;        /* of a copy that failed: the bytes there was room for */
};
/* 1: *ret says; 0: nothing to keep; < 0: it could not be looked at or, where ret->behind > 0,
 * copied: not to be opened. */
int pt_store_keep_wal(const char *path, int64_t real_us, int64_t max_bytes, struct pt_kept_wal *ret,
                      struct pt_err *err);
/* Was the file moved, deleted or replaced since it was opened? What is stored goes where nobody
 * looks. */
bool pt_store_moved(struct pt_store *s);
/* For such a file, instead of pt_store_close: seals all, empties the WAL into the file, closes, and
 * clears away the -wal and -shm that bear its old name. < 0: it is not closed, because a reader or
 * an error keeps the WAL from being emptied. On a full disk what was deleted is closed as it is,
 * for its room; pt_store_open sets a -wal aside that was not deleted with it. */
int pt_store_leave(struct pt_store *s, struct pt_err *err);
/* What another program did to the files of a database that was not moved. */
enum pt_meddled {
    PT_MEDDLED_NOT = 0,
    PT_MEDDLED_EMPTIED, /* the file has no head any more */
    PT_MEDDLED_CUT,     /* its -wal is shorter: of no matter where its content is in the file */
    PT_MEDDLED_SHM,     /* its -shm was deleted, replaced or cut short: to be made anew */
    PT_MEDDLED_WAL,     /* its -wal was deleted or replaced: pt_store_rescue */
};
/* Before anything else is done with it: of an -shm that was cut short every use is a SIGBUS. All
 * but the last are for pt_store_abandon, and opening it again. */
enum pt_meddled pt_store_meddled(struct pt_store *s);
/* When work is done for now: so long as nobody meddles, the files stay as they are. */
void pt_store_rest(struct pt_store *s);
/* Puts what a -wal without its name holds into the file. A -wal that has the name since, with
 * something in it, is another database's: it is renamed as pt_store_keep_wal's copies are. Then it
 * is to be abandoned. < 0: a reader or an error keeps it from that. */
int pt_store_rescue(struct pt_store *s, int64_t real_us, struct pt_err *err);
int64_t pt_store_next(const struct pt_store *s); /* the number the next snapshot must have */
/* Finds or adds a boot. */
int64_t pt_store_boot(struct pt_store *s, const char *boot_id, int64_t btime_us,
                      struct pt_err *err);
/* One snapshot, one transaction. key: this frame starts a chain. */
int pt_store_append(struct pt_store *s, const struct pt_snap *snap, bool key, const void *frame,
                    size_t len, struct pt_err *err);
/* Seals every complete chain (all, the newest too, when `all`): blocks in, frames out, one
 * transaction a chain, then a checkpoint. Damaged frames are set aside (table `damaged`), never
 * dropped silently. */
int pt_store_seal(struct pt_store *s, bool all, struct pt_err *err);
/* Makes committed frames durable now (fsync of the WAL). */
int pt_store_sync(struct pt_store *s, struct pt_err *err);
enum pt_event {
    PT_EVENT_START = 0,
    PT_EVENT_STOP,
    PT_EVENT_GAP,
    PT_EVENT_CLOCK,
    PT_EVENT_LOST,
    PT_EVENT_NOTE,
    PT_EVENT_CRASH,   /* the recorder before did not end by itself; what was recovered */
    PT_EVENT_REBOOT,  /* another boot than that of the snapshot before */
    PT_EVENT_SUSPEND, /* the machine slept */
    PT_EVENT_OOM,     /* a process was killed for want of memory */
    PT_EVENT_EXIT,    /* a process ended, or several */
    PT_EVENT_TRIGGER, /* something asked for a snapshot at once */
    PT_EVENT_BURST,   /* dense snapshots begin or end */
    PT_EVENT_SKIP,    /* what was due was not read */
    PT_EVENT_RETAIN,  /* old snapshots were thinned or dropped */
};
const char *pt_event_name(int kind); /* NULL: unknown */
/* subject: whom it is about ("1234 redis-server", a cgroup, a file), "" for the host or the
 * recorder. text: one line. */
int pt_store_event(struct pt_store *s, int64_t real_us, enum pt_event kind, int64_t n,
                   const char *subject, const char *text, struct pt_err *err);
/* How the recording before ended; to be asked before snapshots and events are written. *ret is
 * untouched on failure. */
struct pt_store_past {
    int64_t last_n, last_us; /* its last snapshot; 0 and PT_UNKNOWN: there is none */
    int64_t frames;          /* snapshots that were not sealed */
    uint32_t boot;           /* id of the last snapshot's boot */
    bool crashed;            /* a start that no stop follows */
};
int pt_store_past(struct pt_store *s, struct pt_store_past *ret, struct pt_err *err);

/* ---- limits (retention) ---- */

struct pt_limits {
    int64_t max_bytes;   /* of the file with its -wal and -shm, on disk; 0: none */
    int64_t max_age_us;  /* of a snapshot, an event; 0: none */
    int64_t interval_us; /* between snapshots: thinning counts in it */
};
/* Takes hold with the next calls. */
int pt_store_limit(struct pt_store *s, const struct pt_limits *limits, struct pt_err *err);
/* One step towards the limits: old segments are thinned, then dropped; events too. 1: a step was
 * made, and another may be due; 0: nothing is due, or nothing can be done now. A step is one
 * transaction and takes about as long as a seal. */
int pt_store_retain(struct pt_store *s, struct pt_err *err);
/* What the limits ask of whoever takes snapshots. */
struct pt_room {
    bool end_chain; /* the next frame should be a key frame, so that the chain can be sealed */
    bool blocked;   /* a reader keeps the -wal from being emptied, and it is about to fill up */
    bool short_of;  /* what cannot be dropped takes more than max_bytes */
    bool urgent;    /* pt_store_retain before more is stored */
    unsigned pace;  /* one snapshot in so many; 0: none */
    int64_t used;   /* bytes on the disk */
};
void pt_store_room(struct pt_store *s, struct pt_room *ret);

/* Bytes: the database file, the WAL, frames not yet sealed, segments. */
struct pt_store_size {
    int64_t file, wal, frames, segments;
};
int pt_store_size(struct pt_store *s, struct pt_store_size *ret, struct pt_err *err);

/* ---- reading: analyzer ---- */

struct pt_db;

/* Read-only; leaves the directory as it found it: no -wal beside it: immutable; a -wal that nobody
 * holds: a temporary copy; live: through the WAL in short transactions. */
int pt_db_open(const char *path, struct pt_db **ret, struct pt_err *err);
void pt_db_close(struct pt_db *db);
const struct pt_meta *pt_db_meta(const struct pt_db *db);
const char *pt_db_path(const struct pt_db *db);
struct pt_shapes *pt_db_shapes(struct pt_db *db); /* the table its readings are in */
uint32_t pt_db_boots(const struct pt_db *db);
const struct pt_boot *pt_db_boot(const struct pt_db *db, uint32_t index); /* oldest first */

struct pt_db_span {
    int64_t first, last; /* snapshot numbers; 0 when there are none */
    int64_t first_us, last_us;
    int64_t count;            /* snapshots there are */
    int64_t segments, frames; /* sealed segments; frames not sealed */
    int64_t bytes;            /* of the file(s) */
    int64_t segment_bytes, frame_bytes;
    int64_t removed; /* snapshots that retention took out */
};
int pt_db_span(struct pt_db *db, struct pt_db_span *ret, struct pt_err *err);

/* Which snapshot. */
enum pt_seek {
    PT_SEEK_LAST_BEFORE = 0 /* at or before */,
    PT_SEEK_FIRST_AFTER /* at or after */,
    PT_SEEK_NEAREST
};
int pt_db_find(struct pt_db *db, int64_t real_us, enum pt_seek how, int64_t *ret_n,
               struct pt_err *err);
int pt_db_snap(struct pt_db *db, int64_t n, struct pt_snap *ret,
               struct pt_err *err); /* PT_ENOTFOUND */
/* The cursor: the next number (dir 1) or the one before (dir -1) after n; PT_ENOTFOUND at the end.
 */
int pt_db_step(struct pt_db *db, int64_t n, int dir, int64_t *ret_n, struct pt_err *err);
/* Every snapshot of [from, to] in order, from the snapshot table alone (headline, no clocks beyond
 * real_us). */
int pt_db_each(struct pt_db *db, int64_t from, int64_t to,
               int (*fn)(void *ctx, const struct pt_snap *snap), void *ctx, struct pt_err *err);

/* All sources at one snapshot (groups: PT_GROUP set). Damaged blocks leave their sources out, count
 * in `lost` and are told to the damage callback. Decoded segments are cached: neighbouring views
 * are cheap. */
struct pt_view {
    struct pt_snap snap;
    uint32_t count;
    struct pt_source_at *sources; /* sorted by name (strcmp) */
    uint32_t lost;                /* blocks that could not be read */
    struct pt_db *db;
    char *names; /* where the sources' names stand */
};
int pt_view_load(struct pt_db *db, int64_t n, unsigned groups, struct pt_view **ret,
                 struct pt_err *err);
void pt_view_free(struct pt_view *v);
const struct pt_source_at *pt_view_find(const struct pt_view *v,
                                        const char *name); /* NULL: absent */
/* Index of the first source whose name is >= prefix: walk from there while the prefix holds. */
uint32_t pt_view_lower(const struct pt_view *v, const char *prefix);

/* One source at one instant, its exact text appended to out; only its block is decoded. at may be
 * NULL. On PT_UNREADABLE, PT_ABSENT, PT_LOST returns 0 with nothing appended. at->reading is NULL,
 * at->name is `name`. */
int pt_db_text(struct pt_db *db, int64_t n, const char *name, struct pt_source_at *at,
               struct pt_buf *out, struct pt_err *err);

/* Fields over a span without rendering text. */
struct pt_point {
    const char *source;
    bool first;         /* that is told of its source in this segment */
    unsigned which;     /* index of its field in the names asked for */
    const char *row;    /* table row ("kmalloc-64", mapping name), "" for plain files */
    const char *field;  /* "" where it is not the field but the source that is not known */
    uint32_t instance;  /* tells rows of one name apart within a segment */
    int64_t n, real_us; /* the snapshot from which on it holds */
    uint32_t boot;
    int64_t boot_us;            /* PT_UNKNOWN where the segment's clock is damaged, as real_us */
    int64_t end_n, end_boot_us; /* the last snapshot of the segment or the span: as far as it is
                                   known to hold, unless a later point says more */
    bool known; /* false: unreadable, absent or lost from here on (presence says which) */
    enum pt_presence presence;
    double value;   /* scaled: in the field's unit */
    int64_t ivalue; /* the same where it is a whole number */
};
/* glob: source names with '*' (matches no '/'), e.g. "proc:*\/status". field "*": any. Told: the
 * first value in the span and every change, per source in time order, segment after segment. */
int pt_db_field(struct pt_db *db, const char *glob, const char *field, int64_t from, int64_t to,
                int (*fn)(void *ctx, const struct pt_point *p), void *ctx, struct pt_err *err);
/* Several fields in one pass: per source in time order, the fields of one instant side by side.
 * keep (may be NULL): sources that are wanted besides matching glob. */
#define PT_FIELDS_MAX 16
struct pt_field_query {
    const char *glob;
    const char *const *fields;
    unsigned nfields;
    int64_t from, to;
    bool (*keep)(void *ctx, const char *source);
    int (*fn)(void *ctx, const struct pt_point *p);
    void *ctx;
};
/* All queries in one pass over the segments: what one has decoded another need not. */
int pt_db_fields(struct pt_db *db, const struct pt_field_query *q, size_t n, struct pt_err *err);

/* The last reading of each matching source in each segment that meets [from, to], segment after
 * segment, in one pass for all queries. at lives while fn runs; n: the last snapshot at which it
 * stood. */
struct pt_last_query {
    const char *glob;
    int64_t from, to;
    /* Is its text asked for? NULL: always. mark: of its shapes and of its first `slots` numbers,
     * which cost little beside the text; the same as long as these are. */
    bool (*wanted)(void *ctx, const char *source, int64_t n, uint64_t mark);
    unsigned slots;
    int (*fn)(void *ctx, const struct pt_source_at *at, int64_t n);
    void *ctx;
};
int pt_db_last(struct pt_db *db, const struct pt_last_query *q, size_t n, struct pt_err *err);
/* Fields and last readings in one pass: of each segment the fields first. */
int pt_db_scan(struct pt_db *db, const struct pt_field_query *fields, size_t nfields,
               const struct pt_last_query *lasts, size_t nlasts, struct pt_err *err);

struct pt_db_event {
    int64_t id, real_us, n;
    int kind;
    const char *subject, *text;
};
/* Those of a span with an id above `after` (INT64_MIN: all), in the order they were written. fn
 * ends it with anything but 0, which is returned; it runs within a read transaction, so it must not
 * wait. */
int pt_db_events(struct pt_db *db, int64_t from_us, int64_t to_us, int64_t after,
                 int (*fn)(void *ctx, const struct pt_db_event *e), void *ctx, struct pt_err *err);

/* Damage met while reading, each place told once: "segment 12 block 3 (processes)", snapshots
 * n1..n2. */
typedef void pt_damage_fn(void *ctx, const char *place, int64_t n1, int64_t n2, const char *what);
void pt_db_on_damage(struct pt_db *db, pt_damage_fn *fn, void *ctx);
uint32_t pt_db_damaged(const struct pt_db *db); /* places so far */

/* Deep verification: SQLite's own check, every row's checksum, every blob decoded, every shape and
 * reading rendered. progress (may be NULL) gets done and total. 0: clean; 1: damage (told through
 * pt_db_on_damage); < 0: could not. */
int pt_db_check(struct pt_db *db, void (*progress)(void *ctx, int64_t done, int64_t total),
                void *ctx, struct pt_err *err);

#endif
