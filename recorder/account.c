/* SPDX-License-Identifier: MIT
 * The account as a text. */
#include "recorder/account.h"

#include <inttypes.h>
#include <stdio.h>

static const char *const names[PT_ACCOUNT_KEYS] = {
    [PT_ACCOUNT_CPU_US] = "cpu_us",
    [PT_ACCOUNT_CPU_DEEP_US] = "cpu_deep_us",
    [PT_ACCOUNT_CPU_STORE_US] = "cpu_store_us",
    [PT_ACCOUNT_RSS_KB] = "rss_kb",
    [PT_ACCOUNT_FDS_KEPT] = "fds_kept",
    [PT_ACCOUNT_READ_US] = "read_us",
    [PT_ACCOUNT_STORE_US] = "store_us",
    [PT_ACCOUNT_FRAME_BYTES] = "frame_bytes",
    [PT_ACCOUNT_WRITTEN_BYTES] = "written_bytes",
    [PT_ACCOUNT_INTERVAL_US] = "interval_us",
    [PT_ACCOUNT_BUDGET_PPM] = "budget_ppm",
    [PT_ACCOUNT_PROCESSES] = "processes",
    [PT_ACCOUNT_PROCESSES_READ] = "processes_read",
    [PT_ACCOUNT_DEEP_READS] = "deep_reads",
    [PT_ACCOUNT_DEEP_OVERDUE] = "deep_overdue",
    [PT_ACCOUNT_DEEP_STALLING] = "deep_stalling",
    [PT_ACCOUNT_DEEP_NEVER] = "deep_never",
    [PT_ACCOUNT_DEEP_OLDEST_S] = "deep_oldest_s",
    [PT_ACCOUNT_READS_STUCK] = "reads_stuck",
    [PT_ACCOUNT_STUCK_NOW] = "stuck_now",
    [PT_ACCOUNT_TEXTS_REFUSED] = "texts_refused",
    [PT_ACCOUNT_FRAMES_LOST] = "frames_lost",
    [PT_ACCOUNT_TICKS_SKIPPED] = "ticks_skipped",
    [PT_ACCOUNT_EXITS_LOST] = "exits_lost",
    [PT_ACCOUNT_CGROUPS] = "cgroups",
    [PT_ACCOUNT_CGROUPS_REFUSED] = "cgroups_refused",
    [PT_ACCOUNT_DENIED_SYSTEM] = "denied_system",
    [PT_ACCOUNT_DENIED + PT_PROC_STATM] = "denied_statm",
    [PT_ACCOUNT_DENIED + PT_PROC_STAT] = "denied_stat",
    [PT_ACCOUNT_DENIED + PT_PROC_STATUS] = "denied_status",
    [PT_ACCOUNT_DENIED + PT_PROC_OOM_SCORE] = "denied_oom_score",
    [PT_ACCOUNT_DENIED + PT_PROC_OOM_ADJ] = "denied_oom_score_adj",
    [PT_ACCOUNT_DENIED + PT_PROC_CGROUP] = "denied_cgroup",
    [PT_ACCOUNT_DENIED + PT_PROC_FD] = "denied_fd",
    [PT_ACCOUNT_DENIED + PT_PROC_EXE] = "denied_exe",
    [PT_ACCOUNT_DENIED + PT_PROC_CMDLINE] = "denied_cmdline",
    [PT_ACCOUNT_DENIED + PT_PROC_SMAPS] = "denied_smaps",
    [PT_ACCOUNT_DENIED + PT_PROC_ROLLUP] = "denied_smaps_rollup",
};

void pt_account_init(struct pt_account *a)
{
    for (size_t i = 0; i < PT_ACCOUNT_KEYS; i++)
        a->value[i] = PT_UNKNOWN;
}

const char *pt_account_name(enum pt_account_key key)
{
    return names[key];
}

size_t pt_account_text(const struct pt_account *a, char ret[PT_ACCOUNT_TEXT])
{
    size_t len = 0;
    for (size_t i = 0; i < PT_ACCOUNT_KEYS; i++) {
        if (a->value[i] == PT_UNKNOWN)
            continue;
        const int n =
            snprintf(ret + len, PT_ACCOUNT_TEXT - len, "%s %" PRId64 "\n", names[i], a->value[i]);
        len += (size_t)n;
    }
    return len;
}
