/* SPDX-License-Identifier: MIT
 * Priority, OOM score, locked memory. Units: bytes. */
#include "recorder/endure.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/capability.h>

#include "recorder/log.h"
#include "recorder/scan.h"

/* As in the systemd unit. A deep read holds its process's mmap_lock: it is not to wait for a CPU
 * meanwhile. */
#define NICE (-5)
/* Killed last, but before what the machine cannot do without (-1000). */
#define OOM_LESS  900
#define OOM_SCORE "-900"
/* More than a tick needs of a thread's stack. */
#define STACK (32u << 10)

static void refused(const char *what)
{
    pt_log(PT_LOG_DEBUG, "cannot %s: %s", what, strerror(errno));
}

static void be_nice(void)
{
    errno = 0;
    if (getpriority(PRIO_PROCESS, 0) == 0 && errno == 0 && setpriority(PRIO_PROCESS, 0, NICE) < 0)
        refused("raise the priority");
}

/* Is it as much as ours already? */
static bool protected_enough(const char *text, size_t len)
{
    struct pt_scan is = pt_scan_of(text + 1, len > 1 && *text == '-' ? len - 1 : 0);
    uint64_t theirs = 0;
    return pt_scan_u64(&is, &theirs) && theirs >= OOM_LESS;
}

static void protect(void)
{
    const int fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
    char text[16];
    const ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text);
    if (n < 0 ||
        (!protected_enough(text, (size_t)n) && pwrite(fd, OOM_SCORE, sizeof OOM_SCORE - 1, 0) < 0))
        refused("be protected from the OOM killer");
    if (fd >= 0)
        close(fd);
}

void pt_endure_begin(void)
{
    be_nice();
    protect();
}

static bool may_lock_all(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY)
        return true;
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};
    return syscall(SYS_capget, &head, data) == 0 && (data[0].effective & 1u << CAP_IPC_LOCK) != 0;
}

void pt_endure_lock(void)
{
    /* Pages are locked as they come (ONFAULT), not all of every library. Memory of the future only
     * where there is no limit to it: beyond a limit it would not be had at all. */
    const int future = may_lock_all() ? MCL_FUTURE : 0;
    if (mlockall(MCL_CURRENT | MCL_ONFAULT | future) < 0)
        refused("lock memory: under pressure the recorder may be swapped out");
    else if (!future)
        pt_log(PT_LOG_DEBUG, "memory is locked as of now, not what is taken later");
}

void pt_endure_stack(void)
{
    volatile char room[STACK];
    for (size_t i = 0; i < sizeof room; i += 4096)
        room[i] = 0;
}
