/* SPDX-License-Identifier: MIT
 * The generator's machine and how it prints itself. Internal to tests/gen. Units: KiB, pages of 4
 * KiB, clock ticks of 10 ms. */
#ifndef PT_TESTS_GEN_MODEL_H
#define PT_TESTS_GEN_MODEL_H

#include "tests/gen/gen.h"

struct rng {
    uint64_t state;
};
uint64_t rng_next(struct rng *r);
uint64_t rng_below(struct rng *r, uint64_t n); /* 0 where n is 0 */
int64_t rng_walk(struct rng *r, int64_t step); /* -step..step */

struct story; /* of a history: history.h */

struct process {
    char name[16];
    enum pt_gen_kind kind;
    uint32_t index, pid, threads, files;
    uint64_t start;                                    /* ticks since boot */
    uint64_t heap;                                     /* address */
    int64_t anon, file, shmem, swap, peak, base, rate; /* rate: KiB an hour */
    int64_t grown_us;                                  /* since its start */
    uint64_t utime, stime, minflt, majflt, voluntary, forced;
    uint32_t runs_in; /* snapshots until it runs again */
    int64_t smaps_in; /* snapshots until its next smaps */
    bool born;        /* its names are to be told */
    bool service;     /* of its own, by its name */
};

enum { VMSTAT_MAX = 256, SLABS = 24, ZONES = 3, ORDERS = 11 };

struct machine {
    struct rng rng;
    struct process *processes;
    struct story *stories; /* by process; NULL: no history */
    uint32_t count, next_pid;
    uint32_t free_pids[64], nfree_pids;
    int64_t now_us; /* real time */
    int64_t uptime_us, total, available, cached, slab, anon, swap_total, swap_used;
    uint64_t vmstat[VMSTAT_MAX];
    uint64_t slabs[SLABS], slab_base[SLABS];
    int64_t slab_size;
    uint64_t buddy[ZONES][ORDERS];
    uint64_t psi_some, psi_full, cpu[2][8], forks, ctxt;
    uint64_t psi_avg; /* hundredths of a percent */
    uint32_t ticks, churn_every;
    uint64_t churned; /* pages that went to swap and came back */
};

int machine_init(struct machine *m, const struct pt_gen_options *o);
void machine_release(struct machine *m);
int machine_boot(struct machine *m, const struct pt_gen_options *o);
void machine_tick(struct machine *m, int64_t us);
/* The process's numbers after `us` in which it ran. */
void process_run(struct machine *m, struct process *p, int64_t us);
int process_start(struct machine *m, struct process *p); /* < 0: no memory */
/* A short-lived worker has done its work, a service restarts. */
bool process_ends(struct machine *m, const struct process *p);
void process_end(struct machine *m, struct process *p);

/* Text in the making. */
struct text {
    char *p;
    char buf[1u << 17];
};
size_t text_len(const struct text *t);
void text_str(struct text *t, const char *s);
void text_num(struct text *t, uint64_t v);
void text_digits(struct text *t, uint64_t v, unsigned radix, unsigned width, char pad);
/* "Name:    123 kB": the number in 8 columns, after `width` columns for the name. */
void text_kb(struct text *t, const char *name, unsigned width, int64_t v);

enum system_file {
    F_MEMINFO,
    F_VMSTAT,
    F_PSI_MEMORY,
    F_PSI_CPU,
    F_STAT,
    F_LOADAVG,
    F_BUDDYINFO,
    F_ZONEINFO,
    F_SWAPS,
    F_SLABINFO,
    F_CGROUP_A,
    F_CGROUP_A_MAX,
    F_CGROUP_B,
    F_SYSTEM_COUNT,
};
struct system_def {
    const char *name;
    unsigned every; /* snapshots */
    void (*print)(struct text *t, const struct machine *m);
};
extern const struct system_def system_files[F_SYSTEM_COUNT];

enum process_file { P_STATM, P_STAT, P_STATUS, P_FD, P_EXE, P_CMDLINE, P_CGROUP, P_SMAPS, P_COUNT };
struct process_def {
    const char *name;
    void (*print)(struct text *t, const struct process *p);
};
extern const struct process_def process_files[P_COUNT];

#endif
