/* SPDX-License-Identifier: MIT
 * The field dictionary: what the recorder tells of itself. Counters count from its start. */
#include "schema/fields.h"

/* clang-format off */
const struct pt_field pt_fields_account[] = {
    COUNTER("cpu_us", US, "CPU time the recorder used, all threads"),
    COUNTER("cpu_deep_us", US, "of it, deep reads (smaps, command lines)"),
    COUNTER("cpu_store_us", US, "of it, storing and sealing"),
    GAUGE("rss_kb", KIB, "resident memory of the recorder"),
    GAUGE("fds_kept", COUNT, "descriptors of files of processes that are kept open"),
    GAUGE("read_us", US, "time it took to read everything but the deep files"),
    GAUGE("store_us", US, "time the last snapshot before took to store"),
    COUNTER("frame_bytes", BYTES, "bytes of the frames that were handed to the store"),
    COUNTER("written_bytes", BYTES, "bytes the recorder passed to write(), the log included"),
    GAUGE("interval_us", US, "time between snapshots that is in force"),
    STATE("budget_ppm", NONE, "CPU the recorder may use, in millionths of a core"),
    GAUGE("processes", COUNT, "processes there are, kernel threads included"),
    GAUGE("processes_read", COUNT,
          "of them, those looked at in this snapshot: less when the budget does not allow all"),
    COUNTER("deep_reads", COUNT, "deep reads that came back"),
    GAUGE("deep_overdue", COUNT, "processes due for a deep read that the budget does not allow yet"),
    GAUGE("deep_stalling", COUNT,
          "processes whose deep read waits, or is never done, because it would hold them up"),
    GAUGE("deep_never", COUNT, "processes that were never read deeply, kernel threads left out"),
    GAUGE("deep_oldest_s", SECONDS, "age of the oldest deep reading of a process that lives"),
    COUNTER("reads_stuck", COUNT, "deep reads that hung and were given up"),
    GAUGE("stuck_now", COUNT, "of them, those that hang still"),
    COUNTER("texts_refused", COUNT, "texts that could not be taken in"),
    COUNTER("frames_lost", COUNT, "snapshots that could not be stored"),
    COUNTER("ticks_skipped", COUNT, "snapshots that could not be taken in time"),
    COUNTER("exits_lost", COUNT, "ends of processes the kernel could not tell for want of room"),
    GAUGE("cgroups", COUNT, "control groups whose memory files are read"),
    COUNTER("cgroups_refused", COUNT, "times a control group was left out, being one too many"),
    GAUGE("denied_system", COUNT, "files of the host that may not be read"),
    GAUGE("denied_*", COUNT, "processes whose file of this name may not be read"),
};
