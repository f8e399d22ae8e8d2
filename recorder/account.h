/* SPDX-License-Identifier: MIT
 * The recorder's account of itself: what it spent, and what of what is there it read (coverage).
 * Recorded with every snapshot as the text of the source self:account, a line "key value" each;
 * what the keys mean stands in the field dictionary (schema/fields_self.c). Units are in the names.
 */
#ifndef PT_RECORDER_ACCOUNT_H
#define PT_RECORDER_ACCOUNT_H

#include "recorder/procs.h"

/* A new line: an entry here, its name in account.c, its meaning in schema/fields_self.c. */
enum pt_account_key {
    PT_ACCOUNT_CPU_US = 0,
    PT_ACCOUNT_CPU_DEEP_US,
    PT_ACCOUNT_CPU_STORE_US,
    PT_ACCOUNT_RSS_KB,
    PT_ACCOUNT_FDS_KEPT,
    PT_ACCOUNT_READ_US,
    PT_ACCOUNT_STORE_US,
    PT_ACCOUNT_FRAME_BYTES,
    PT_ACCOUNT_WRITTEN_BYTES,
    PT_ACCOUNT_INTERVAL_US,
    PT_ACCOUNT_BUDGET_PPM,
    PT_ACCOUNT_PROCESSES,
    PT_ACCOUNT_PROCESSES_READ,
    PT_ACCOUNT_DEEP_READS,
    PT_ACCOUNT_DEEP_OVERDUE,
    PT_ACCOUNT_DEEP_STALLING,
    PT_ACCOUNT_DEEP_NEVER,
    PT_ACCOUNT_DEEP_OLDEST_S,
    PT_ACCOUNT_READS_STUCK,
    PT_ACCOUNT_STUCK_NOW,
    PT_ACCOUNT_TEXTS_REFUSED,
    PT_ACCOUNT_FRAMES_LOST,
    PT_ACCOUNT_TICKS_SKIPPED,
    PT_ACCOUNT_EXITS_LOST,
    PT_ACCOUNT_CGROUPS,
    PT_ACCOUNT_CGROUPS_REFUSED,
    PT_ACCOUNT_DENIED_SYSTEM,
    PT_ACCOUNT_DENIED, /* one line for each file of a process, in the order of enum pt_proc_file */
    PT_ACCOUNT_KEYS = PT_ACCOUNT_DENIED + PT_PROC_FILES,
};

/* What is PT_UNKNOWN is left out. */
struct pt_account {
    int64_t value[PT_ACCOUNT_KEYS];
};
void pt_account_init(struct pt_account *a); /* nothing known */
const char *pt_account_name(enum pt_account_key key);
#define PT_ACCOUNT_TEXT (PT_ACCOUNT_KEYS * 48)
/* Returns the length. */
size_t pt_account_text(const struct pt_account *a, char ret[PT_ACCOUNT_TEXT]);

#endif
