/* SPDX-License-Identifier: MIT
 * The processes: who there is, their cheap files, their kept descriptors. statm (1 us) is read
 * every tick and gates stat and status (15 us); whoever statm says nothing new of is refreshed in
 * rotation, because renames, moves and equal swap-in and swap-out do not change it. Units: ticks,
 * pages, microseconds of CLOCK_MONOTONIC. */
#ifndef PT_RECORDER_PROCS_H
#define PT_RECORDER_PROCS_H

#include "recorder/cgroups.h"
#include "recorder/roots.h"
#include "recorder/sink.h"
#include "recorder/sources.h"

/* Small files that hardly ever change (oom_score, oom_score_adj, cgroup, fd) go round in this many
 * ticks. */
#define PT_SMALL_TICKS 30

enum pt_proc_file {
    PT_PROC_STATM = 0, /* these three are kept open */
    PT_PROC_STAT,
    PT_PROC_STATUS,
    PT_PROC_OOM_SCORE,
    PT_PROC_OOM_ADJ,
    PT_PROC_CGROUP,
    PT_PROC_FD,
    PT_PROC_EXE, /* from here on: the deep reader's */
    PT_PROC_CMDLINE,
    PT_PROC_SMAPS,
    PT_PROC_ROLLUP,
    PT_PROC_FILES,
};
#define PT_PROC_KEPT 3

/* Its command line was empty; to be asked again; was asked again. */
enum pt_unnamed { PT_UNNAMED_NOT, PT_UNNAMED_ASK, PT_UNNAMED_ASKED };

struct pt_proc {
    uint32_t pid;
    uint32_t gen;        /* never the same for two lives */
    uint64_t inode;      /* of its directory: changes when the pid is used again */
    uint64_t start_time; /* clock ticks since boot; 0: not known */
    uint64_t statm_hash;
    int32_t source[PT_PROC_FILES]; /* handles; < 0: not opened */
    int32_t fd[PT_PROC_KEPT];
    uint32_t comm_hash;
    uint32_t seen; /* scan it was last seen in */
    uint32_t rss_pages;
    uint32_t slot;                    /* of the rotations */
    uint32_t visit;                   /* tick it was looked at last */
    uint32_t status_tick, small_tick; /* ticks status and the small files were read last */
    uint8_t heat;                     /* of statm: raised by a change, cooled by a tick without */
    bool fresh, kernel, zombie;
    uint16_t denied; /* files that may not be read: bits by enum pt_proc_file */
    /* the deep reader's plan */
    bool names_due, pending; /* pending: a smaps or rollup read is ordered */
    uint8_t unnamed;         /* enum pt_unnamed */
    uint8_t deep_count;
    uint8_t names_pending;
    uint32_t deep_rss_pages, maps;
    int32_t deep_cost_us, deep_stall_us; /* of the last deep read; 0: none */
    int64_t deep_us;                     /* time of it, or of birth */
    int64_t shunned_us;                  /* no deep reads before this time */
};

struct pt_procs;
int pt_procs_new(const struct pt_roots *roots, struct pt_procs **ret, struct pt_err *err);
void pt_procs_free(struct pt_procs *t);
/* Called when a process that was read before has ended, or given up its memory, while its last
 * readings still stand. */
void pt_procs_on_death(struct pt_procs *t, void (*fn)(void *ctx, const struct pt_proc *p),
                       void *ctx);
/* How many processes were ever started, read just now: while that stands, nobody new is there and
 * the directory need not be listed every tick. PT_UNKNOWN (the start): it is. */
void pt_procs_forks(struct pt_procs *t, int64_t forks);
/* CPU time that looking at processes may take from the next tick on; INT64_MAX, as at the start: no
 * limit. When it does not do for all, those that change come first, and then the rest, in turn. */
void pt_procs_quota(struct pt_procs *t, int64_t quota_us);
/* One tick: scans, reads, puts. full: everything of everybody. */
int pt_procs_tick(struct pt_procs *t, struct pt_sink *sink, struct pt_cgroups *cgroups,
                  uint64_t tick, bool full, struct pt_err *err);

uint32_t pt_procs_count(const struct pt_procs *t);
struct pt_proc *pt_procs_at(struct pt_procs *t, uint32_t index);
struct pt_proc *pt_procs_find(struct pt_procs *t, uint32_t pid); /* NULL: none */
uint32_t pt_procs_kept(const struct pt_procs *t);                /* descriptors kept open */
/* Notes whether a file of a process may be read: why is the errno of the last try, 0: it was read.
 */
void pt_procs_note(struct pt_procs *t, struct pt_proc *p, enum pt_proc_file file, int why);
/* Processes whose file may not be read (EACCES, EPERM), by enum pt_proc_file. */
const uint32_t *pt_procs_denied(const struct pt_procs *t);
/* Processes looked at in the last tick. */
uint32_t pt_procs_visited(const struct pt_procs *t);
/* Its handle, opened when it is the first time; < 0: no memory. */
int32_t pt_proc_source(struct pt_proc *p, struct pt_sink *sink, enum pt_proc_file file);
/* The process is still the one it was (by its kept descriptor; true when there is none to tell). */
bool pt_proc_alive(const struct pt_proc *p);

/* What the recorder needs of PID/stat. false: not understood. */
struct pt_stat {
    uint64_t start_time, flags;
    uint32_t comm_hash;
    char state;
};
bool pt_stat_parse(const char *text, size_t len, struct pt_stat *ret);

#endif
