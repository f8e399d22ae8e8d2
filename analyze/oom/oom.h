/* SPDX-License-Identifier: MIT
 * An OOM kill looked into, or an instant at which one might have been: whose limit it was, the
 * minutes before, who had grown, whom the kernel would choose, and where the zones stood. Units:
 * bytes, percent, microseconds. */
#ifndef PT_ANALYZE_OOM_OOM_H
#define PT_ANALYZE_OOM_OOM_H

#include <jansson.h>

#include "analyze/oom/badness.h"
#include "analyze/oom/zones.h"
#include "analyze/picture/before.h"
#include "analyze/session.h"

enum pt_constraint {
    PT_CONSTRAINT_NONE = 0, /* not known */
    PT_CONSTRAINT_HOST,
    PT_CONSTRAINT_CGROUP,
    PT_CONSTRAINT_CPUSET,
    PT_CONSTRAINT_POLICY, /* of NUMA nodes */
};
const char *pt_constraint_name(enum pt_constraint c); /* "host", ...; NULL: not known */

/* What an event of an OOM kill says of it, in the recorder's words. */
struct pt_oom_told {
    enum pt_constraint constraint;
    bool counted; /* by a counter that rose: the kernel log could not be read */
    /* the group whose limit it was, a span of subject or text; NULL: none, or not told */
    const char *cgroup;
    size_t cgroup_len;
};
struct pt_oom_told pt_oom_told(const char *subject, const char *text);

/* The machine at one snapshot of the minutes before. */
struct pt_oom_minute {
    int64_t n, real_us;
    int32_t utc_offset_s;
    int64_t available, swap_used;
    double some, full; /* of the last 10 s; < 0: not known */
    int64_t usage;     /* of the group whose limit it was */
};
#define PT_OOM_MINUTES 12
struct pt_oom_grower {
    const struct pt_process *before, *after; /* before NULL: it did not live then */
    int64_t was, is, delta;                  /* anon + swap, else RSS; was PT_UNKNOWN: new */
};

struct pt_oom_case {
    bool killed; /* else what stands below is of an instant without a kill */
    int64_t real_us, id;
    char *subject, *text; /* of the event */
    int64_t kills, rank;  /* in the whole recording; which of them, from 1 */
    enum pt_constraint constraint;
    bool counted;
    char *cgroup;              /* whose limit it was; NULL */
    int64_t limit, swap_limit; /* of that group */
    bool damaged;              /* what would be needed cannot all be read */
    bool found;                /* there is a snapshot before it: all that follows is known */
    struct pt_before before;
    struct pt_oom_minute minutes[PT_OOM_MINUTES];
    unsigned nminutes;
    struct pt_view *view_then; /* of the first of them */
    struct pt_processes then;
    struct pt_oom_grower *growers; /* those that grew most first */
    size_t ngrowers;
    struct pt_candidate *candidates;
    size_t ncandidates;
    const struct pt_candidate *next; /* whom the kernel would choose now; NULL: nobody */
    int64_t total;                   /* what the adjustments are shares of */
    bool kills_asker;                /* vm.oom_kill_allocating_task */
    struct pt_zones zones;
};
/* The last kill not after moment_us (whole seconds count), or what would be at the snapshot before
 * it. kills 0 and no moment: the last snapshot. */
int pt_oom_find(const struct pt_session *s, int64_t moment_us, struct pt_oom_case *ret,
                struct pt_err *err);
/* Of that very event. */
int pt_oom_of(const struct pt_session *s, const struct pt_db_event *e, struct pt_oom_case *ret,
              struct pt_err *err);
void pt_oom_release(struct pt_oom_case *c);

json_t *pt_oom_json(const struct pt_oom_case *c, int64_t top);
/* What stands beneath the event: the picture before it, and the rest; < 0: no memory. */
int pt_oom_text(const struct pt_oom_case *c, const struct pt_session *s, size_t top);

#endif
