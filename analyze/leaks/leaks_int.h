/* SPDX-License-Identifier: MIT
 * What the files of findings share. Internal to analyze/leaks. */
#ifndef PT_ANALYZE_LEAKS_LEAKS_INT_H
#define PT_ANALYZE_LEAKS_LEAKS_INT_H

#include "analyze/leaks/leaks.h"

/* Host-wide counters whose tracks findings are made of. */
enum pt_counter {
    PT_COUNTER_AVAILABLE = 0,
    PT_COUNTER_SWAP_FREE,
    PT_COUNTER_SUNRECLAIM,
    PT_COUNTER_SRECLAIMABLE,
    PT_COUNTER_PAGE_TABLES,
    PT_COUNTER_KERNEL_STACK,
    PT_COUNTER_PERCPU,
    PT_COUNTER_VMALLOC,
    PT_COUNTER_SHMEM,
    PT_COUNTER_RESIDUAL, /* MemTotal less all that the kernel tells of */
};
/* NULL: the kernel does not tell it. */
const struct pt_curve *pt_leaks_counter(const struct pt_leaks *l, enum pt_counter which);

/* Memory of a process that is ruled on. */
enum { PT_SUSPECTS = 4 };
extern const struct pt_suspect {
    enum pt_life_measure measure;
    const char *what;
} pt_suspects[PT_SUSPECTS];

/* A ruling as it is kept: most are that nothing happened. */
struct pt_first {
    bool any;                /* there was something to rule on */
    enum pt_verdict verdict; /* and with it, as of struct pt_quiet */
    double since;
    float more, growth;
    struct pt_ruling *moved; /* NULL: a quiet one */
};
/* What is kept of the memory of a life that has ended. */
struct pt_past {
    bool judged, suspicious;
    struct pt_first first[PT_SUSPECTS];
    struct pt_rise rise;
};
/* First looks: each life is ruled on when all is known of it, while the recording is still being
 * read. The headroom is not known yet. */
struct pt_looks {
    const struct pt_leaks *l;
    const struct pt_series *status; /* being loaded */
    struct pt_past *past;           /* by index of status */
    struct pt_first *fds;           /* by index of the series of open files */
    size_t npast, nfds;
    int64_t *pids; /* of those suspected of something, sorted */
    size_t npids, pids_cap;
    bool nomem;
};
/* All that every process and the host is judged by; processes at a first look. */
int pt_leaks_load(struct pt_session *s, struct pt_leaks *l, struct pt_looks *looks,
                  struct pt_err *err);
void pt_looks_memory(void *looks, struct pt_serie *s);
void pt_looks_fds(void *looks, struct pt_serie *s);
/* NULL: there was nothing to rule on. */
const struct pt_first *pt_looks_first(const struct pt_looks *w, const struct pt_life *life,
                                      unsigned suspect);
const struct pt_rise *pt_looks_rise(const struct pt_looks *w, const struct pt_life *life);
void pt_looks_release(struct pt_looks *w);
struct pt_first pt_first_of(const struct pt_ruling *r); /* without what moved */
/* As a finding about `like`. < 0: no memory; *ret NULL: a quiet one. */
int pt_leaks_take(struct pt_leaks *l, const struct pt_first *first, const struct pt_finding *like,
                  struct pt_finding **ret);
bool pt_leaks_suspicious(const struct pt_ruling *r);
/* What is exhausted by who it is about. */
double pt_leaks_room(struct pt_leaks *l, struct pt_finding *f);
struct pt_case pt_leaks_case(const struct pt_serie *memory, const struct pt_curve *t);
/* What an open file takes in the kernel: struct file, dentry and inode, or a socket. An estimate,
 * and said to be one: it only makes growing tables of files comparable. */
#define PT_FD_BYTES 2048.0
/* Worse than this no counter of a process is: batches of 64 pages a thread, or of a CPU. */
#define PT_BATCH (64 * 4096.0)

struct pt_finding *pt_leaks_add(struct pt_leaks *l, enum pt_subject subject, const char *what);
/* When the finding added last is a quiet one, it goes where those are kept. < 0: no memory. */
int pt_leaks_settle(struct pt_leaks *l);
/* Fills what every case has, and rules. */
void pt_leaks_judge(struct pt_leaks *l, struct pt_case *c, struct pt_finding *f);

int pt_leaks_load_limits(struct pt_db *db, struct pt_leaks *l, struct pt_err *err);
/* Bytes until a process of this group (a path of PID/cgroup; may be NULL) has no memory left, and
 * what runs out: "machine", or the path of the group whose limit is nearer. NAN and NULL: not
 * known. */
double pt_leaks_headroom(const struct pt_leaks *l, const char *cgroup, const char **ret_limit);
/* What is loaded of the host, and of each process's open files (an estimate of their bytes). */
void pt_leaks_kernel_specs(double *page_size, struct pt_series_spec specs[PT_HOSTS]);
void pt_leaks_fds_spec(struct pt_looks *looks, struct pt_series_spec *spec);
int pt_leaks_of_kernel(struct pt_db *db, struct pt_leaks *l, struct pt_err *err);
int pt_leaks_of_lives(struct pt_db *db, struct pt_leaks *l, const struct pt_looks *looks,
                      struct pt_err *err);
/* Of pids in order: index of the first that is this one, or higher. */
size_t pt_leaks_lower(const int64_t *pids, size_t n, int64_t pid);
/* An alarm on a process that has not grown beyond what those before it came to: not yet one. Of the
 * first n findings. */
void pt_leaks_beside_earlier(const struct pt_leaks *l, size_t n, struct pt_finding *f);
/* Alarms that chance alone gives among so many series: not alarms. */
void pt_leaks_control(struct pt_leaks *l);
/* Takes out the findings that another one is the cause of. */
void pt_leaks_one_cause(struct pt_leaks *l);

#endif
