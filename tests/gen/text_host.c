/* SPDX-License-Identifier: MIT
 * The generator's texts of the machine, spelt as Linux 6.18 spells them. */
#include "tests/gen/model.h"

#include <string.h>

static void print_meminfo(struct text *t, const struct machine *m)
{
    const int64_t free_kb = m->available - m->cached > 65536 ? m->available - m->cached : 65536;
    const struct {
        const char *name;
        int64_t kb;
    } rows[] = {
        {"MemTotal:", m->total},
        {"MemFree:", free_kb},
        {"MemAvailable:", m->available},
        {"Buffers:", 2476},
        {"Cached:", m->cached},
        {"SwapCached:", m->swap_used / 50},
        {"Active:", m->anon / 2 + m->cached / 3},
        {"Inactive:", m->anon / 2 + m->cached / 2},
        {"Active(anon):", m->anon / 2},
        {"Inactive(anon):", m->anon / 2},
        {"Active(file):", m->cached / 3},
        {"Inactive(file):", m->cached / 2},
        {"Unevictable:", 20108},
        {"Mlocked:", 20108},
        {"SwapTotal:", m->swap_total},
        {"SwapFree:", m->swap_total - m->swap_used},
        {"Zswap:", 0},
        {"Zswapped:", 0},
        {"Dirty:", m->cached % 4096},
        {"Writeback:", 0},
        {"AnonPages:", m->anon},
        {"Mapped:", 300000},
        {"Shmem:", 64000},
        {"KReclaimable:", m->slab * 2 / 3},
        {"Slab:", m->slab},
        {"SReclaimable:", m->slab * 2 / 3},
        {"SUnreclaim:", m->slab / 3},
        {"KernelStack:", 16 * (int64_t)m->count},
        {"PageTables:", m->anon / 200},
        {"SecPageTables:", 0},
        {"NFS_Unstable:", 0},
        {"Bounce:", 0},
        {"WritebackTmp:", 0},
        {"CommitLimit:", m->total / 2 + m->swap_total},
        {"Committed_AS:", m->anon * 2},
        {"VmallocTotal:", 34359738367},
        {"VmallocUsed:", 31000},
        {"VmallocChunk:", 0},
        {"Percpu:", 1800},
        {"AnonHugePages:", 0},
        {"ShmemHugePages:", 0},
        {"ShmemPmdMapped:", 0},
        {"FileHugePages:", 0},
        {"FilePmdMapped:", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        text_kb(t, rows[i].name, 16, rows[i].kb);
    text_str(t, "HugePages_Total:       0\nHugePages_Free:        0\nHugePages_Rsvd:        "
                "0\nHugePages_Surp:        0\n");
    text_kb(t, "Hugepagesize:", 16, 2048);
    text_kb(t, "Hugetlb:", 16, 0);
    text_kb(t, "DirectMap4k:", 16, 120832);
    text_kb(t, "DirectMap2M:", 16, 5242880);
    text_kb(t, "DirectMap1G:", 16, 20971520);
}

static const char *const vmstat_names[] = {
    "nr_free_pages",
    "nr_free_pages_blocks",
    "nr_zone_inactive_anon",
    "nr_zone_active_anon",
    "nr_zone_inactive_file",
    "nr_zone_active_file",
    "nr_zone_unevictable",
    "nr_zone_write_pending",
    "nr_mlock",
    "nr_zspages",
    "nr_free_cma",
    "numa_hit",
    "numa_miss",
    "numa_foreign",
    "numa_interleave",
    "numa_local",
    "numa_other",
    "nr_inactive_anon",
    "nr_active_anon",
    "nr_inactive_file",
    "nr_active_file",
    "nr_unevictable",
    "nr_slab_reclaimable",
    "nr_slab_unreclaimable",
    "nr_isolated_anon",
    "nr_isolated_file",
    "workingset_nodes",
    "workingset_refault_anon",
    "workingset_refault_file",
    "workingset_activate_anon",
    "workingset_activate_file",
    "workingset_restore_anon",
    "workingset_restore_file",
    "workingset_nodereclaim",
    "nr_anon_pages",
    "nr_mapped",
    "nr_file_pages",
    "nr_dirty",
    "nr_writeback",
    "nr_shmem",
    "nr_shmem_hugepages",
    "nr_shmem_pmdmapped",
    "nr_file_hugepages",
    "nr_file_pmdmapped",
    "nr_anon_transparent_hugepages",
    "nr_vmscan_write",
    "nr_vmscan_immediate_reclaim",
    "nr_dirtied",
    "nr_written",
    "nr_throttled_written",
    "nr_kernel_misc_reclaimable",
    "nr_foll_pin_acquired",
    "nr_foll_pin_released",
    "nr_kernel_stack",
    "nr_page_table_pages",
    "nr_sec_page_table_pages",
    "nr_iommu_pages",
    "nr_swapcached",
    "pgpromote_success",
    "pgpromote_candidate",
    "pgpromote_candidate_nrl",
    "pgdemote_kswapd",
    "pgdemote_direct",
    "pgdemote_khugepaged",
    "pgdemote_proactive",
    "nr_hugetlb",
    "nr_balloon_pages",
    "nr_kernel_file_pages",
    "nr_dirty_threshold",
    "nr_dirty_background_threshold",
    "nr_memmap_pages",
    "nr_memmap_boot_pages",
    "pgpgin",
    "pgpgout",
    "pswpin",
    "pswpout",
    "pgalloc_dma",
    "pgalloc_dma32",
    "pgalloc_normal",
    "pgalloc_movable",
    "pgalloc_device",
    "allocstall_dma",
    "allocstall_dma32",
    "allocstall_normal",
    "allocstall_movable",
    "allocstall_device",
    "pgskip_dma",
    "pgskip_dma32",
    "pgskip_normal",
    "pgskip_movable",
    "pgskip_device",
    "pgfree",
    "pgactivate",
    "pgdeactivate",
    "pglazyfree",
    "pgfault",
    "pgmajfault",
    "pglazyfreed",
    "pgrefill",
    "pgreuse",
    "pgsteal_kswapd",
    "pgsteal_direct",
    "pgsteal_khugepaged",
    "pgsteal_proactive",
    "pgscan_kswapd",
    "pgscan_direct",
    "pgscan_khugepaged",
    "pgscan_proactive",
    "pgscan_direct_throttle",
    "pgscan_anon",
    "pgscan_file",
    "pgsteal_anon",
    "pgsteal_file",
    "zone_reclaim_success",
    "zone_reclaim_failed",
    "pginodesteal",
    "slabs_scanned",
    "kswapd_inodesteal",
    "kswapd_low_wmark_hit_quickly",
    "kswapd_high_wmark_hit_quickly",
    "pageoutrun",
    "pgrotated",
    "drop_pagecache",
    "drop_slab",
    "oom_kill",
    "numa_pte_updates",
    "numa_huge_pte_updates",
    "numa_hint_faults",
    "numa_hint_faults_local",
    "numa_pages_migrated",
    "pgmigrate_success",
    "pgmigrate_fail",
    "thp_migration_success",
    "thp_migration_fail",
    "thp_migration_split",
    "compact_migrate_scanned",
    "compact_free_scanned",
    "compact_isolated",
    "compact_stall",
    "compact_fail",
    "compact_success",
    "compact_daemon_wake",
    "compact_daemon_migrate_scanned",
    "compact_daemon_free_scanned",
    "htlb_buddy_alloc_success",
    "htlb_buddy_alloc_fail",
    "unevictable_pgs_culled",
    "unevictable_pgs_scanned",
    "unevictable_pgs_rescued",
    "unevictable_pgs_mlocked",
    "unevictable_pgs_munlocked",
    "unevictable_pgs_cleared",
    "unevictable_pgs_stranded",
    "thp_fault_alloc",
    "thp_fault_fallback",
    "thp_fault_fallback_charge",
    "thp_collapse_alloc",
    "thp_collapse_alloc_failed",
    "thp_file_alloc",
    "thp_file_fallback",
    "thp_file_fallback_charge",
    "thp_file_mapped",
    "thp_split_page",
    "thp_split_page_failed",
    "thp_deferred_split_page",
    "thp_underused_split_page",
    "thp_split_pmd",
    "thp_scan_exceed_none_pte",
    "thp_scan_exceed_swap_pte",
    "thp_scan_exceed_share_pte",
    "thp_split_pud",
    "thp_zero_page_alloc",
    "thp_zero_page_alloc_failed",
    "thp_swpout",
    "thp_swpout_fallback",
    "balloon_inflate",
    "balloon_deflate",
    "balloon_migrate",
    "swap_ra",
    "swap_ra_hit",
    "swpin_zero",
    "swpout_zero",
    "ksm_swpin_copy",
    "cow_ksm",
    "zswpin",
    "zswpout",
    "zswpwb",
    "direct_map_level2_splits",
    "direct_map_level3_splits",
    "direct_map_level2_collapses",
    "direct_map_level3_collapses",
    "nr_unstable",
};

static bool is_churned(const char *name)
{
    static const char *const names[] = {"pswpin", "pswpout", "workingset_refault_anon"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static void print_vmstat(struct text *t, const struct machine *m)
{
    for (size_t i = 0; i < sizeof vmstat_names / sizeof *vmstat_names; i++) {
        text_str(t, vmstat_names[i]);
        text_str(t, " ");
        /* of the balance sheet: pages of a machine that was given no more */
        const bool level = strcmp(vmstat_names[i], "nr_memmap_pages") == 0;
        text_num(t, level                                           ? 0
                    : m->churn_every && is_churned(vmstat_names[i]) ? m->churned
                                                                    : m->vmstat[i % VMSTAT_MAX]);
        text_str(t, "\n");
    }
}

static void psi_line(struct text *t, const char *name, uint64_t avg, uint64_t total)
{
    const char *const keys[] = {" avg10=", " avg60=", " avg300="};
    text_str(t, name);
    for (unsigned i = 0; i < 3; i++) {
        const uint64_t v = avg >> (2 * i);
        text_str(t, keys[i]);
        text_num(t, v / 100);
        text_str(t, ".");
        text_digits(t, v % 100, 10, 2, '0');
    }
    text_str(t, " total=");
    text_num(t, total);
    text_str(t, "\n");
}

static void print_psi_memory(struct text *t, const struct machine *m)
{
    psi_line(t, "some", m->psi_avg, m->psi_some);
    psi_line(t, "full", m->psi_avg / 3, m->psi_full);
}

static void print_psi_cpu(struct text *t, const struct machine *m)
{
    psi_line(t, "some", m->ctxt % 700, m->ctxt * 11);
    psi_line(t, "full", 0, 0);
}

static void print_stat(struct text *t, const struct machine *m)
{
    text_str(t, "cpu ");
    for (unsigned i = 0; i < 8; i++) {
        text_str(t, " ");
        text_num(t, m->cpu[0][i] + m->cpu[1][i]);
    }
    text_str(t, " 0 0\n");
    for (unsigned c = 0; c < 2; c++) {
        text_str(t, c ? "cpu1" : "cpu0");
        for (unsigned i = 0; i < 8; i++) {
            text_str(t, " ");
            text_num(t, m->cpu[c][i]);
        }
        text_str(t, " 0 0\n");
    }
    text_str(t, "intr ");
    text_num(t, m->ctxt / 2);
    for (unsigned i = 0; i < 40; i++)
        text_str(t, " 0");
    text_str(t, "\nctxt ");
    text_num(t, m->ctxt);
    text_str(t, "\nbtime 1795477093\nprocesses ");
    text_num(t, m->forks + m->count);
    text_str(t, "\nprocs_running 2\nprocs_blocked 0\nsoftirq ");
    text_num(t, m->ctxt / 3);
    text_str(t, " 0 ");
    text_num(t, m->ctxt / 9);
    text_str(t, " 4 913 0 0 2 167056 0 164117\n");
}

static void print_loadavg(struct text *t, const struct machine *m)
{
    for (unsigned i = 0; i < 3; i++) {
        const uint64_t v = (m->psi_avg >> i) / 3 + 20;
        text_num(t, v / 100);
        text_str(t, ".");
        text_digits(t, v % 100, 10, 2, '0');
        text_str(t, " ");
    }
    text_str(t, "2/");
    text_num(t, m->count);
    text_str(t, " ");
    text_num(t, m->next_pid);
    text_str(t, "\n");
}

static const char *const zone_names[ZONES] = {"DMA", "DMA32", "Normal"};

static void print_buddyinfo(struct text *t, const struct machine *m)
{
    for (unsigned z = 0; z < ZONES; z++) {
        text_str(t, "Node 0, zone ");
        for (size_t i = strlen(zone_names[z]); i < 8; i++)
            text_str(t, " ");
        text_str(t, zone_names[z]);
        text_str(t, " ");
        for (unsigned i = 0; i < ORDERS; i++) {
            text_digits(t, m->buddy[z][i], 10, 6, ' ');
            text_str(t, " ");
        }
        text_str(t, "\n");
    }
}

static void print_zoneinfo(struct text *t, const struct machine *m)
{
    for (unsigned z = 0; z < ZONES; z++) {
        text_str(t, "Node 0, zone ");
        for (size_t i = strlen(zone_names[z]); i < 8; i++)
            text_str(t, " ");
        text_str(t, zone_names[z]);
        text_str(t, "\n  pages free     ");
        text_num(t, m->buddy[z][0] + 2 * m->buddy[z][1] + 4 * m->buddy[z][2]);
        text_str(t,
                 "\n        boost    0\n        min      14\n        low      17\n        high     "
                 "20\n        spanned  4095\n"
                 "        present  3999\n        managed  3840\n        cma      0\n");
        for (unsigned i = 0; i < 12; i++) {
            text_str(t, "      ");
            text_str(t, vmstat_names[i]);
            text_str(t, " ");
            text_num(t, m->vmstat[i] / (z + 1));
            text_str(t, "\n");
        }
    }
}

static void print_swaps(struct text *t, const struct machine *m)
{
    text_str(
        t, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n/dev/vdb                             "
           "   partition\t");
    text_num(t, (uint64_t)m->swap_total);
    text_str(t, "\t\t");
    text_num(t, (uint64_t)m->swap_used);
    text_str(t, "\t\t-2\n");
}

static const char *const slab_names[SLABS] = {
    "ext4_inode_cache",
    "dentry",
    "inode_cache",
    "radix_tree_node",
    "buffer_head",
    "vm_area_struct",
    "anon_vma",
    "filp",
    "task_struct",
    "mm_struct",
    "sock_inode_cache",
    "proc_inode_cache",
    "shmem_inode_cache",
    "kernfs_node_cache",
    "TCP",
    "UDP",
    "kmalloc-8k",
    "kmalloc-4k",
    "kmalloc-2k",
    "kmalloc-1k",
    "kmalloc-512",
    "kmalloc-256",
    "kmalloc-128",
    "kmalloc-64",
};

static void print_slabinfo(struct text *t, const struct machine *m)
{
    text_str(t, "slabinfo - version: 2.1\n# name            <active_objs> <num_objs> <objsize> "
                "<objperslab> <pagesperslab> : tunables "
                "<limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> "
                "<sharedavail>\n");
    for (unsigned i = 0; i < SLABS; i++) {
        text_str(t, slab_names[i]);
        for (size_t n = strlen(slab_names[i]); n < 17; n++)
            text_str(t, " ");
        const uint64_t columns[] = {m->slabs[i], m->slabs[i] + m->slabs[i] / 16, 64u << (i % 6), 32,
                                    4};
        for (unsigned c = 0; c < 5; c++) {
            text_str(t, " ");
            text_digits(t, columns[c], 10, c < 3 ? 6 : 4, ' ');
        }
        text_str(t, " : tunables    0    0    0 : slabdata ");
        text_digits(t, m->slabs[i] / 32, 10, 6, ' ');
        text_str(t, " ");
        text_digits(t, m->slabs[i] / 32, 10, 6, ' ');
        text_str(t, "      0\n");
    }
}

static void print_cgroup_a(struct text *t, const struct machine *m)
{
    text_num(t, (uint64_t)m->anon / 2 * 1024);
    text_str(t, "\n");
}

static void print_cgroup_b(struct text *t, const struct machine *m)
{
    text_num(t, (uint64_t)m->anon / 3 * 1024);
    text_str(t, "\n");
}

static void print_cgroup_a_max(struct text *t, const struct machine *m)
{
    text_num(t, (uint64_t)m->total / 8 * 1024);
    text_str(t, "\n");
}

const struct system_def system_files[F_SYSTEM_COUNT] = {
    [F_MEMINFO] = {"proc:meminfo", 1, print_meminfo},
    [F_VMSTAT] = {"proc:vmstat", 1, print_vmstat},
    [F_PSI_MEMORY] = {"proc:pressure/memory", 1, print_psi_memory},
    [F_PSI_CPU] = {"proc:pressure/cpu", 1, print_psi_cpu},
    [F_STAT] = {"proc:stat", 1, print_stat},
    [F_LOADAVG] = {"proc:loadavg", 1, print_loadavg},
    [F_BUDDYINFO] = {"proc:buddyinfo", 1, print_buddyinfo},
    [F_ZONEINFO] = {"proc:zoneinfo", 1, print_zoneinfo},
    [F_SWAPS] = {"proc:swaps", 1, print_swaps},
    [F_SLABINFO] = {"proc:slabinfo", 6, print_slabinfo},
    [F_CGROUP_A] = {"cgroup:system.slice/a.service/memory.current", 1, print_cgroup_a},
    [F_CGROUP_A_MAX] = {"cgroup:system.slice/a.service/memory.max", 6, print_cgroup_a_max},
    [F_CGROUP_B] = {"cgroup:system.slice/b.service/memory.current", 1, print_cgroup_b},
};
