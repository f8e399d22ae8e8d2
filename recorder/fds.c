/* SPDX-License-Identifier: MIT
 * Descriptors. */
#include "recorder/fds.h"

#include <sys/resource.h>

#define WANTED 8192
/* What is open always or for a moment: standard files, roots, the database and its lock, signals,
 * timer, the files of every tick, netlink, one read each of sampler and deep reader. */
#define RESERVED 40

static uint64_t limit_now(void)
{
    struct rlimit limit = {.rlim_cur = 1024};
    getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur;
}

uint64_t pt_fds_raise(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= WANTED)
        return limit_now();
    limit.rlim_cur = limit.rlim_max < WANTED ? limit.rlim_max : WANTED;
    setrlimit(RLIMIT_NOFILE, &limit);
    return limit_now();
}

uint32_t pt_fds_share(uint32_t most, unsigned eighths)
{
    const uint64_t limit = limit_now();
    const uint64_t share = limit > RESERVED ? (limit - RESERVED) / 8 * eighths : 0;
    return share < most ? (uint32_t)share : most;
}
