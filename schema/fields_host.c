/* SPDX-License-Identifier: MIT
 * The field dictionary: other host-wide files. Meanings are from the kernel's documentation, named
 * above each table. */
#include "schema/fields.h"

/* clang-format off */
/* ipc/shm.c, proc(5); row: the segment's id */
const struct pt_field pt_fields_shm[] = {
    STATE("key", ID, "key the segment was made with"),
    STATE("shmid", ID, "id of the segment"),
    STATE("perms", ID, "mode, octal: 1000 is to be destroyed, 2000 locked"),
    GAUGE("size", BYTES, "size asked for"),
    STATE("cpid", ID, "process that made it"),
    STATE("lpid", ID, "process that attached or detached last"),
    GAUGE("nattch", COUNT, "times it is attached now"),
    STATE("uid", ID, "owner"),
    STATE("gid", ID, "owner's group"),
    STATE("cuid", ID, "user who made it"),
    STATE("cgid", ID, "group of the user who made it"),
    STATE("atime", SECONDS, "time it was attached last, since the epoch"),
    STATE("dtime", SECONDS, "time it was detached last, since the epoch"),
    STATE("ctime", SECONDS, "time it was made or changed last, since the epoch"),
    GAUGE("rss", BYTES, "memory of it that is resident"),
    GAUGE("swap", BYTES, "memory of it that is in swap"),
};

/* ipc/msg.c, proc(5); row: the queue's id */
const struct pt_field pt_fields_msg[] = {
    STATE("key", ID, "key the queue was made with"),
    STATE("msqid", ID, "id of the queue"),
    STATE("perms", ID, "mode, octal"),
    GAUGE("cbytes", BYTES, "bytes in the queue"),
    GAUGE("qnum", COUNT, "messages in the queue"),
    STATE("lspid", ID, "process that sent last"),
    STATE("lrpid", ID, "process that received last"),
    STATE("uid", ID, "owner"),
    STATE("gid", ID, "owner's group"),
    STATE("cuid", ID, "user who made it"),
    STATE("cgid", ID, "group of the user who made it"),
    STATE("stime", SECONDS, "time of the last send, since the epoch"),
    STATE("rtime", SECONDS, "time of the last receive, since the epoch"),
    STATE("ctime", SECONDS, "time it was made or changed last, since the epoch"),
};

/* ipc/sem.c, proc(5); row: the set's id */
const struct pt_field pt_fields_sem[] = {
    STATE("key", ID, "key the set was made with"),
    STATE("semid", ID, "id of the set"),
    STATE("perms", ID, "mode, octal"),
    GAUGE("nsems", COUNT, "semaphores of the set"),
    STATE("uid", ID, "owner"),
    STATE("gid", ID, "owner's group"),
    STATE("cuid", ID, "user who made it"),
    STATE("cgid", ID, "group of the user who made it"),
    STATE("otime", SECONDS, "time of the last operation, since the epoch"),
    STATE("ctime", SECONDS, "time it was made or changed last, since the epoch"),
};

/* Documentation/filesystems/proc.rst */
const struct pt_field pt_fields_uptime[] = {
    COUNTER("uptime", SECONDS, "time since boot"),
    COUNTER("idle", SECONDS, "time idle, of all CPUs together"),
};

/* proc(5); row: the mount point, blanks as \040 */
const struct pt_field pt_fields_mounts[] = {
    STATE("source", TEXT, "what is mounted"),
    STATE("type", TEXT, "kind of file system"),
    STATE("options", TEXT, "options"),
    STATE("freq", NONE, "always 0"),
    STATE("passno", NONE, "always 0"),
};

/* row: number of the processor; the fields are the architecture's */
const struct pt_field pt_fields_cpuinfo[] = {
    STATE("processor", ID, "number of the processor"),
    GAUGE("cpu MHz", NONE, "clock rate"),
    STATE("cache size", KIB, "size of the last cache"),
    STATE("physical id", ID, "socket"),
    STATE("core id", ID, "core"),
    STATE("siblings", COUNT, "threads of the socket"),
    STATE("cpu cores", COUNT, "cores of the socket"),
    STATE("bogomips", NONE, "loop speed measured at boot"),
    STATE("*", TEXT, "as the processor tells"),
};

/* net/ipv4/proc.c; row: the protocol */
const struct pt_field pt_fields_sockstat[] = {
    GAUGE("used", COUNT, "sockets of all kinds"),
    GAUGE("inuse", COUNT, "sockets in use"),
    GAUGE("orphan", COUNT, "TCP sockets that no process holds any more"),
    GAUGE("tw", COUNT, "TCP sockets in TIME_WAIT"),
    GAUGE("alloc", COUNT, "TCP sockets allocated"),
    GAUGE("mem", PAGES, "memory of socket buffers"),
    GAUGE("memory", BYTES, "memory of fragments waiting for the rest"),
};

/* Documentation/admin-guide/sysctl/fs.rst */
const struct pt_field pt_fields_file_nr[] = {
    GAUGE("allocated", COUNT, "file handles allocated"),
    GAUGE("unused", COUNT, "always 0: unused handles are freed"),
    STATE("max", COUNT, "the most there may be"),
};

/* Documentation/admin-guide/sysctl/fs.rst */
const struct pt_field pt_fields_dentry_state[] = {
    GAUGE("nr_dentry", COUNT, "dentries allocated"),
    GAUGE("nr_unused", COUNT, "dentries that nobody uses: kept as cache"),
    STATE("age_limit", SECONDS, "age after which they may be taken back when memory is short"),
    GAUGE("want_pages", PAGES, "pages asked back for"),
    GAUGE("nr_negative", COUNT, "unused dentries of files that do not exist"),
    STATE("dummy", NONE, "always 0"),
};

/* Documentation/admin-guide/sysctl/fs.rst */
const struct pt_field pt_fields_inode_state[] = {
    GAUGE("nr_inodes", COUNT, "inodes allocated"),
    GAUGE("nr_free_inodes", COUNT, "inodes that nobody uses"),
    STATE("preshrink", COUNT, "not 0: the system wants the inode list pruned"),
    STATE("dummy*", NONE, "always 0"),
};

/* Documentation/admin-guide/blockdev/zram.rst */
const struct pt_field pt_fields_mm_stat[] = {
    GAUGE("orig_data_size", BYTES, "data stored, before compression"),
    GAUGE("compr_data_size", BYTES, "data stored, compressed"),
    GAUGE("mem_used_total", BYTES, "memory taken, bookkeeping and fragmentation included"),
    STATE("mem_limit", BYTES, "the most it may take; 0: no limit"),
    GAUGE("mem_used_max", BYTES, "the most it took"),
    GAUGE("same_pages", PAGES, "pages of one repeated value, which take no memory"),
    COUNTER("pages_compacted", PAGES, "pages freed by compaction"),
    GAUGE("huge_pages", PAGES, "pages that cannot be compressed"),
    COUNTER("huge_pages_since", PAGES,
            "pages that could not be compressed, since the device was set up"),
};

/* Documentation/admin-guide/numastat.rst */
const struct pt_field pt_fields_numastat[] = {
    COUNTER("numa_hit", PAGES, "pages allocated here as meant"),
    COUNTER("numa_miss", PAGES, "pages allocated here although another node was meant"),
    COUNTER("numa_foreign", PAGES, "pages meant for here that another node gave"),
    COUNTER("interleave_hit", PAGES, "interleaved pages allocated here as meant"),
    COUNTER("local_node", PAGES, "pages allocated here by a process that ran here"),
    COUNTER("other_node", PAGES, "pages allocated here by a process that ran on another node"),
};

/* statfs(2) */
const struct pt_field pt_fields_statfs[] = {
    STATE("bsize", BYTES, "block size"),
    GAUGE("blocks", COUNT, "blocks of the file system"),
    GAUGE("bfree", COUNT, "free blocks"),
    GAUGE("bavail", COUNT, "free blocks for users without privilege"),
    GAUGE("files", COUNT, "inodes there may be"),
    GAUGE("ffree", COUNT, "free inodes"),
};

/* Documentation/admin-guide/sysctl/vm.rst */
const struct pt_field pt_fields_lowmem_reserve[] = {
    STATE("value", NONE,
          "divisor for the lowest zone: how much of it is kept from allocations that could use a "
          "higher one"),
    STATE("value.*", NONE, "divisor for the next zone"),
};

/* cgroups(7), Documentation/admin-guide/cgroup-v1/cgroups.rst; row: the controller */
const struct pt_field pt_fields_cgroups[] = {
    STATE("hierarchy", ID, "number of the hierarchy it is mounted in, 0: cgroup v2 or none"),
    GAUGE("num_cgroups", COUNT,
          "control groups of the controller, removed ones that still hold memory included"),
    STATE("enabled", NONE, "1: the controller is on"),
};

/* Documentation/admin-guide/blockdev/zram.rst */
const struct pt_field pt_fields_zram_io_stat[] = {
    COUNTER("failed_reads", COUNT, "reads that failed"),
    COUNTER("failed_writes", COUNT, "writes that failed, mostly for want of memory"),
    COUNTER("invalid_io", COUNT, "requests that were not of whole pages"),
    COUNTER("notify_free", PAGES, "pages freed as swap slots were freed or discarded"),
};

/* Documentation/admin-guide/blockdev/zram.rst; in units of 4 KiB */
const struct pt_field pt_fields_zram_bd_stat[] = {
    GAUGE("bd_count", COUNT, "written back to the backing device and still there, units of 4 KiB"),
    COUNTER("bd_reads", COUNT, "read from the backing device, units of 4 KiB"),
    COUNTER("bd_writes", COUNT, "written to the backing device, units of 4 KiB"),
};

/* Documentation/admin-guide/sysctl/kernel.rst, proc(5) */
const struct pt_field pt_fields_semaphore_limits[] = {
    STATE("value", COUNT, "SEMMSL: the most semaphores of a set"),
    STATE("value.1", COUNT, "SEMMNS: the most semaphores there may be"),
    STATE("value.2", COUNT, "SEMOPM: the most operations of one semop()"),
    STATE("value.3", COUNT, "SEMMNI: the most sets there may be"),
};
