/* SPDX-License-Identifier: MIT
 * The kernel's floor: what it costs to have the kernel print, and to throw away, the stat and
 * status of every user process and the system files a recorder reads. Everything is read with pread
 * from a descriptor that is kept, which is the cheapest way there is; looking for new processes is
 * not counted unless --scan asks for it.
 *
 *   floor [--interval-ms 1000] [--ticks 10] [--files LIST] [--scan] [--stdin]
 *   floor --fd-cost        bytes of kernel memory one kept and read descriptor of a PID/status
 * holds
 *
 * LIST has a line "EVERY PATH" for each system file, EVERY in ticks; without it a built-in list is
 * used. With --stdin it waits for lines with a number of ticks to run; a line of results is printed
 * for each run: ticks N cpu_ns TOTAL tick_ns MEDIAN proc_ns TOTAL files_ns TOTAL scan_ns TOTAL
 * processes P files F bytes TOTAL Units: nanoseconds of CPU time; cpu_ns is all of the process,
 * timer and loop included. */
#include "tests/bench/bench.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_PROCESSES 32768
#define MAX_FILES     2048
#define MAX_TICKS     100000

struct process {
    int pid, stat, status; /* descriptors; < 0: given up */
};

struct sysfile {
    unsigned every;
    int fd;
};

struct floor {
    struct process *processes;
    unsigned nprocesses;
    struct sysfile *files;
    unsigned nfiles;
    DIR *proc;
    uint64_t tick, bytes;
    int64_t proc_ns, files_ns, scan_ns;
    bool scan;
};

static char buffer[256 << 10];

static const struct {
    unsigned every;
    const char *path;
} builtin[] = {
    {1, "/proc/meminfo"},
    {1, "/proc/vmstat"},
    {1, "/proc/pressure/memory"},
    {1, "/proc/pressure/cpu"},
    {1, "/proc/pressure/io"},
    {1, "/proc/zoneinfo"},
    {1, "/proc/buddyinfo"},
    {1, "/proc/swaps"},
    {1, "/proc/loadavg"},
    {1, "/proc/stat"},
    {1, "/proc/sysvipc/shm"},
    {6, "/proc/slabinfo"},
    {6, "/proc/net/sockstat"},
    {6, "/proc/net/sockstat6"},
    {6, "/proc/sys/fs/file-nr"},
    {6, "/proc/sys/fs/inode-nr"},
    {6, "/proc/sys/fs/dentry-state"},
    {6, "/sys/devices/system/node/node0/meminfo"},
    {6, "/sys/devices/system/node/node0/numastat"},
};

/* One pread is enough for the one-record files of a process; tables come a page at a time. */
static ssize_t read_once(int fd)
{
    return pread(fd, buffer, sizeof buffer, 0);
}

static uint64_t read_whole(int fd)
{
    off_t at = 0;
    for (;;) {
        const ssize_t n = pread(fd, buffer, sizeof buffer, at);
        if (n <= 0)
            return (uint64_t)at;
        at += n;
    }
}

static void add_file(struct floor *f, unsigned every, const char *path)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return; /* not on this kernel, or not ours to read: the recorder cannot either */
    if (f->nfiles == MAX_FILES) {
        fputs("too many system files\n", stderr);
        exit(2);
    }
    f->files[f->nfiles++] = (struct sysfile){.every = every ? every : 1, .fd = fd};
}

static void load_files(struct floor *f, const char *list)
{
    if (!list) {
        for (size_t i = 0; i < sizeof builtin / sizeof *builtin; i++)
            add_file(f, builtin[i].every, builtin[i].path);
        return;
    }
    FILE *in = fopen(list, "re");
    if (!in)
        bench_die("cannot open", list);
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, in) > 0) {
        line[strcspn(line, "\n")] = 0;
        char *path = strchr(line, ' ');
        uint64_t every = 0;
        if (path)
            *path++ = 0;
        if (!path || !bench_number(line, 1000000, &every)) {
            fprintf(stderr, "'%s': not a line of the list: '%s'\n", list, line);
            exit(2);
        }
        add_file(f, (unsigned)every, path);
    }
    free(line);
    fclose(in);
}

static int open_of(int pid, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    return open(path, O_RDONLY | O_CLOEXEC);
}

/* Only a user process has an address space, and only then does status have a VmSize. */
static void adopt(struct floor *f, int pid)
{
    struct process p = {.pid = pid, .stat = -1};
    p.status = open_of(pid, "status");
    if (p.status < 0)
        return;
    const ssize_t n = pread(p.status, buffer, sizeof buffer - 1, 0);
    buffer[n > 0 ? n : 0] = 0;
    if (strstr(buffer, "\nVmSize:") && f->nprocesses < MAX_PROCESSES && pid != getpid())
        p.stat = open_of(pid, "stat");
    if (p.stat < 0) {
        close(p.status);
        return;
    }
    f->processes[f->nprocesses++] = p;
}

/* Opens every process anew: between runs, not counted. */
static void adopt_all(struct floor *f)
{
    for (unsigned i = 0; i < f->nprocesses; i++) {
        if (f->processes[i].stat >= 0)
            close(f->processes[i].stat);
        if (f->processes[i].status >= 0)
            close(f->processes[i].status);
    }
    f->nprocesses = 0;
    rewinddir(f->proc);
    for (struct dirent *e = readdir(f->proc); e; e = readdir(f->proc)) {
        uint64_t pid = 0;
        if (bench_number(e->d_name, 1 << 22, &pid))
            adopt(f, (int)pid);
    }
}

/* What looking for new processes costs: the directory is read, and no more. */
static void scan(struct floor *f)
{
    rewinddir(f->proc);
    while (readdir(f->proc))
        ;
}

static void drop(struct process *p)
{
    close(p->stat);
    close(p->status);
    p->stat = p->status = -1;
}

static void tick(struct floor *f)
{
    const int64_t start = bench_clock(CLOCK_PROCESS_CPUTIME_ID);
    if (f->scan)
        scan(f);
    const int64_t scanned = bench_clock(CLOCK_PROCESS_CPUTIME_ID);
    for (unsigned i = 0; i < f->nprocesses; i++) {
        struct process *p = &f->processes[i];
        if (p->stat < 0)
            continue;
        const ssize_t a = read_once(p->stat), b = read_once(p->status);
        if (a <= 0 || b <= 0)
            drop(p); /* ended */
        else
            f->bytes += (uint64_t)(a + b);
    }
    const int64_t processes = bench_clock(CLOCK_PROCESS_CPUTIME_ID);
    for (unsigned i = 0; i < f->nfiles; i++) {
        /* the slow ones are spread over the ticks, as a recorder would */
        if ((f->tick + i) % f->files[i].every == 0)
            f->bytes += read_whole(f->files[i].fd);
    }
    const int64_t end = bench_clock(CLOCK_PROCESS_CPUTIME_ID);
    f->scan_ns += scanned - start;
    f->proc_ns += processes - scanned;
    f->files_ns += end - processes;
    f->tick++;
}

static int by_size(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void run(struct floor *f, unsigned ticks, int64_t interval_ns)
{
    static int64_t took[MAX_TICKS];
    adopt_all(f);
    tick(f); /* the first read of a descriptor gets its buffer: not counted */
    f->scan_ns = f->proc_ns = f->files_ns = 0;
    f->bytes = 0;
    const int64_t began = bench_clock(CLOCK_PROCESS_CPUTIME_ID);
    int64_t due = bench_clock(CLOCK_MONOTONIC);
    for (unsigned i = 0; i < ticks; i++) {
        due += interval_ns;
        bench_sleep_until(due);
        const int64_t before = bench_clock(CLOCK_PROCESS_CPUTIME_ID);
        tick(f);
        took[i] = bench_clock(CLOCK_PROCESS_CPUTIME_ID) - before;
    }
    const int64_t all = bench_clock(CLOCK_PROCESS_CPUTIME_ID) - began;
    qsort(took, ticks, sizeof *took, by_size);
    printf("ticks %u cpu_ns %lld tick_ns %lld proc_ns %lld files_ns %lld scan_ns %lld processes %u "
           "files %u bytes %llu\n",
           ticks, (long long)all, (long long)took[ticks / 2], (long long)f->proc_ns,
           (long long)f->files_ns, (long long)f->scan_ns, f->nprocesses, f->nfiles,
           (unsigned long long)f->bytes);
    fflush(stdout);
}

static int64_t meminfo_slab(void)
{
    const int fd = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
    const ssize_t n = pread(fd, buffer, sizeof buffer - 1, 0);
    close(fd);
    buffer[n > 0 ? n : 0] = 0;
    const char *p = strstr(buffer, "\nSlab:");
    if (!p) {
        fputs("no Slab in meminfo\n", stderr);
        exit(3);
    }
    int64_t kb = 0;
    for (p += 6; *p && *p != '\n'; p++) {
        if (isdigit((unsigned char)*p))
            kb = kb * 10 + (*p - '0');
    }
    return kb << 10;
}

/* Many descriptors of one file, so that the inode and the path are not counted: a recorder that
 * opens and closes pays for those as well. */
static void fd_cost(void)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    const unsigned most = limit.rlim_cur > 40000 ? 40000 : (unsigned)limit.rlim_cur;
    const int64_t before = meminfo_slab();
    unsigned n = 0;
    for (; n + 16 < most; n++) {
        const int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            break;
        read_once(fd);
    }
    const int64_t after = meminfo_slab();
    printf("descriptors %u bytes_each %lld\n", n, (long long)((after - before) / (n ? n : 1)));
}

static void raise_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void serve(struct floor *f, int64_t interval_ns)
{
    char line[32];
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        run(f, (unsigned)bench_option("a line of --stdin", line, MAX_TICKS), interval_ns);
    }
}

int main(int argc, char **argv)
{
    static struct process processes[MAX_PROCESSES];
    static struct sysfile files[MAX_FILES];
    struct floor f = {.processes = processes, .files = files};
    const char *list = NULL;
    uint64_t interval_ms = 1000, ticks = 10;
    bool commands = false, cost = false;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--interval-ms"))
            interval_ms = bench_option(argv[i], argv[i + 1], 1000000), i++;
        else if (!strcmp(argv[i], "--ticks"))
            ticks = bench_option(argv[i], argv[i + 1], MAX_TICKS), i++;
        else if (!strcmp(argv[i], "--files") && argv[i + 1])
            list = argv[++i];
        else if (!strcmp(argv[i], "--scan"))
            f.scan = true;
        else if (!strcmp(argv[i], "--stdin"))
            commands = true;
        else if (!strcmp(argv[i], "--fd-cost"))
            cost = true;
        else {
            fputs("usage: floor [--interval-ms MS] [--ticks N] [--files LIST] [--scan] [--stdin] | "
                  "--fd-cost\n",
                  stderr);
            return 2;
        }
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    raise_limit();
    if (cost) {
        fd_cost();
        return 0;
    }
    f.proc = opendir("/proc");
    if (!f.proc)
        bench_die("cannot open", "/proc");
    load_files(&f, list);
    if (commands)
        serve(&f, (int64_t)interval_ms * 1000000);
    else
        run(&f, (unsigned)ticks, (int64_t)interval_ms * 1000000);
    closedir(f.proc);
    return 0;
}
