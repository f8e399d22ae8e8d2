/* SPDX-License-Identifier: MIT
 * Kernel memory over a span: what of it grew, and the state of zones, reclaim, compaction and
 * shared memory. What the recording cannot know is PT_UNKNOWN (NAN where double) and listed.
 * Levels are those of the newest boot of the span, counters of all of it. Units: bytes unless said
 * otherwise; times are real time, microseconds; durations seconds. */
#ifndef PT_ANALYZE_KERNEL_KERNEL_H
#define PT_ANALYZE_KERNEL_KERNEL_H

#include <jansson.h>

#include "analyze/arena.h"
#include "analyze/picture/picture.h"
#include "analyze/series/timeline.h"
#include "analyze/session.h"

/* What an item is one of. */
enum pt_kernel_group {
    PT_KERNEL_CLASS = 0, /* a line of the balance sheet that no process owns */
    PT_KERNEL_SLAB,      /* a slab cache */
    PT_KERNEL_VMALLOC,   /* vmalloc areas of one caller */
    PT_KERNEL_SITE,      /* allocations of one line of the kernel's code */
    PT_KERNEL_SOCKET,    /* buffers of one protocol */
    PT_KERNEL_TMPFS,     /* a mounted tmpfs */
    PT_KERNEL_GAUGE,     /* another level: huge pages, CMA, dirty pages, ... */
    PT_KERNEL_GROUPS
};

/* How a level went. */
struct pt_course {
    int64_t first, last, least, most; /* PT_UNKNOWN where not known */
    int64_t most_us;
};
struct pt_kernel_item {
    enum pt_kernel_group group;
    const char *name;  /* as the kernel spells it; any bytes */
    const char *title; /* what a person calls it; may be name */
    struct pt_course bytes;
    int64_t count_first, count; /* objects, areas, allocations, sockets */
    enum pt_reclaim reclaim;
    int64_t shrank; /* what it lost while shrinkers ran; PT_UNKNOWN: they did not, or not known */
    bool within;    /* part of another item's bytes: not to be added to them */
};

/* What a counter of events did. */
enum pt_kernel_topic {
    PT_TOPIC_RECLAIM = 0,
    PT_TOPIC_COMPACTION,
    PT_TOPIC_HUGE,
    PT_TOPIC_NUMA,
    PT_TOPIC_WRITE,
    PT_TOPICS
};
const char *pt_kernel_topic_name(enum pt_kernel_topic t); /* "reclaim", ... */
struct pt_kernel_counter {
    enum pt_kernel_topic topic;
    const char *name;  /* of vmstat, "allocstall" summed over zones */
    const char *title; /* what a person calls it */
    int64_t n;         /* over the span */
    int64_t last_us;   /* when it rose last; PT_UNKNOWN: it did not */
};

#define PT_ORDERS 16
struct pt_kernel_zone {
    const char *name;                              /* "Node 0, zone Normal" */
    int64_t managed, present, cma, min, low, high; /* as of the end */
    struct pt_course free;
    double known, below_high, below_low, below_min; /* seconds of the span */
    unsigned norders;
    int64_t blocks[PT_ORDERS];  /* free blocks of each order, at the end */
    double unusable[PT_ORDERS]; /* share of free memory in blocks smaller than this order */
    double worst[PT_ORDERS];    /* the largest it was, of the readings looked at */
};
struct pt_kernel_mobility { /* a row of pagetypeinfo, at the end */
    const char *zone, *type;
    int64_t free;   /* bytes in free blocks of this type */
    int64_t large;  /* of these in blocks of a huge page or larger */
    int64_t blocks; /* page blocks of the type */
};
struct pt_kernel_node {
    int64_t node;
    int64_t total, free;
    int64_t hit, miss, foreign, local, other; /* pages, over the span */
};

/* A shared memory object. */
enum pt_object_kind { PT_OBJECT_SYSV = 0, PT_OBJECT_MEMFD, PT_OBJECT_FILE, PT_OBJECT_ANON };
const char *pt_object_kind_name(enum pt_object_kind k); /* "sysv", "memfd", "file", "anonymous" */
struct pt_owner {
    const struct pt_process *process; /* of the picture at the end */
    int64_t pss, swap;
};
struct pt_object {
    enum pt_object_kind kind;
    const char *name;       /* its path without " (deleted)" */
    uint64_t dev;           /* of files: major << 32 | minor */
    int64_t id;             /* inode, shmid */
    int64_t size;           /* of the segment, else the largest mapping of it */
    struct pt_course bytes; /* resident and swapped; of mapped objects what mappings show (last) */
    int64_t resident;       /* of bytes.last, what is not swapped out */
    bool deleted;
    bool left;   /* no process has it: it stays until somebody removes it */
    bool remove; /* a segment that goes with its last process */
    int64_t nattch, creator, last_user, uid, key; /* of segments */
    const struct pt_process *maker; /* the creator, where it lives: of the picture at the end */
    struct pt_owner *owners;        /* by pss, the largest first */
    size_t nowners;
};

#define PT_KERNEL_POINTS 48
struct pt_kernel_point {
    int64_t us, bytes;
};
struct pt_kernel_unknown {
    const char *what, *why;
};

struct pt_kernel {
    struct pt_timeline timeline;
    struct pt_picture end;        /* the picture at the end of the span */
    bool at;                      /* one instant: nothing changed */
    struct pt_kernel_item *items; /* by growth, the largest first */
    size_t nitems;
    struct pt_kernel_counter *counters; /* by topic */
    size_t ncounters;
    struct pt_kernel_zone *zones;
    size_t nzones;
    struct pt_kernel_mobility *mobility;
    size_t nmobility;
    struct pt_kernel_node *nodes;
    size_t nnodes;
    struct pt_object *objects; /* by bytes, the largest first */
    size_t nobjects;
    /* unaccounted memory over the newest boot of the span */
    struct pt_kernel_point rest[PT_KERNEL_POINTS];
    size_t nrest;
    int64_t shared_rest; /* Shmem that no tmpfs, segment or mapping shows; signed */
    struct {
        int64_t limit, policy; /* policy: sys/vm/overcommit_memory */
        struct pt_course committed;
        double over; /* seconds over the limit */
    } commit;
    struct {
        int64_t background, limit;          /* thresholds, at the end */
        struct pt_course dirty;             /* dirty and being written */
        double over_background, over_limit; /* seconds */
    } dirty;
    struct {
        struct pt_course dying; /* control groups, not bytes */
        bool counted;           /* by comparing /proc/cgroups with what is there: the end only */
    } cgroups;
    int64_t slabs_scanned; /* objects that shrinkers looked at; PT_UNKNOWN */
    struct pt_kernel_unknown *unknown;
    size_t nunknown;
    struct pt_arena arena;
};

/* Of snapshots [from, to]; from == to: the state at that instant. */
int pt_kernel_make(const struct pt_session *s, int64_t from, int64_t to, struct pt_kernel *ret,
                   struct pt_err *err);
void pt_kernel_release(struct pt_kernel *k);

/* last - first; PT_UNKNOWN. */
int64_t pt_course_change(const struct pt_course *c);

/* kernel.schema.json. top: at most so many items of a group, objects and counters; PT_UNKNOWN: all.
 * NULL: no memory. */
json_t *pt_kernel_json(const struct pt_kernel *k, int64_t top);
/* < 0: no memory. */
int pt_kernel_text(const struct pt_kernel *k, const struct pt_session *s);

#endif
