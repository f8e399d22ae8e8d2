/* SPDX-License-Identifier: MIT
 * The field dictionary: what the fields of known files mean. A table's length stands here so that
 * the table of files (source_table.c) can use it; the compiler tells when it is wrong. */
#ifndef PT_SCHEMA_FIELDS_H
#define PT_SCHEMA_FIELDS_H

#include "schema/source.h"

/* One row of a table: name, unit (PT_UNIT_...), meaning. */
#define GAUGE(name, unit, doc)                                                                     \
    {                                                                                              \
        name, PT_UNIT_##unit, PT_GAUGE, doc                                                        \
    }
#define COUNTER(name, unit, doc)                                                                   \
    {                                                                                              \
        name, PT_UNIT_##unit, PT_COUNTER, doc                                                      \
    }
#define STATE(name, unit, doc)                                                                     \
    {                                                                                              \
        name, PT_UNIT_##unit, PT_STATE, doc                                                        \
    }

extern const struct pt_field pt_fields_account[28];
extern const struct pt_field pt_fields_allocinfo[2];
extern const struct pt_field pt_fields_buddyinfo[1];
extern const struct pt_field pt_fields_cgroup_numa_stat[6];
extern const struct pt_field pt_fields_cgroup_procs[1];
extern const struct pt_field pt_fields_cgroup_stat[5];
extern const struct pt_field pt_fields_cgroups[3];
extern const struct pt_field pt_fields_cpuinfo[9];
extern const struct pt_field pt_fields_dentry_state[6];
extern const struct pt_field pt_fields_file_nr[3];
extern const struct pt_field pt_fields_inode_state[4];
extern const struct pt_field pt_fields_loadavg[6];
extern const struct pt_field pt_fields_lowmem_reserve[2];
extern const struct pt_field pt_fields_meminfo[67];
extern const struct pt_field pt_fields_memory_events[7];
extern const struct pt_field pt_fields_memory_stat[88];
extern const struct pt_field pt_fields_mm_stat[9];
extern const struct pt_field pt_fields_mounts[5];
extern const struct pt_field pt_fields_msg[14];
extern const struct pt_field pt_fields_numa_maps[12];
extern const struct pt_field pt_fields_numastat[6];
extern const struct pt_field pt_fields_oom_control[3];
extern const struct pt_field pt_fields_pagetypeinfo[10];
extern const struct pt_field pt_fields_pid_cgroup[2];
extern const struct pt_field pt_fields_pid_stat[52];
extern const struct pt_field pt_fields_psi[4];
extern const struct pt_field pt_fields_sem[10];
extern const struct pt_field pt_fields_semaphore_limits[4];
extern const struct pt_field pt_fields_shm[16];
extern const struct pt_field pt_fields_slabinfo[11];
extern const struct pt_field pt_fields_smaps[37];
extern const struct pt_field pt_fields_sockstat[7];
extern const struct pt_field pt_fields_stat[28];
extern const struct pt_field pt_fields_statfs[6];
extern const struct pt_field pt_fields_statm[7];
extern const struct pt_field pt_fields_status[69];
extern const struct pt_field pt_fields_swap_events[3];
extern const struct pt_field pt_fields_swaps[4];
extern const struct pt_field pt_fields_uptime[2];
extern const struct pt_field pt_fields_vmallocinfo[7];
extern const struct pt_field pt_fields_vmstat[202];
extern const struct pt_field pt_fields_zoneinfo[39];
extern const struct pt_field pt_fields_zram_bd_stat[3];
extern const struct pt_field pt_fields_zram_io_stat[4];

#endif
