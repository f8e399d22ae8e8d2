/* SPDX-License-Identifier: MIT
 * What the kernel tells of this process itself. */
#include "recorder/own.h"

#include <fcntl.h>
#include <unistd.h>

#include "recorder/scan.h"
#include "schema/frame.h"

void pt_own_init(struct pt_own *o)
{
    o->statm_fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    o->io_fd = open("/proc/self/io", O_RDONLY | O_CLOEXEC);
}

void pt_own_release(struct pt_own *o)
{
    if (o->statm_fd >= 0)
        close(o->statm_fd);
    if (o->io_fd >= 0)
        close(o->io_fd);
}

int64_t pt_own_rss_kb(const struct pt_own *o)
{
    char text[128];
    uint64_t pages = 0;
    const ssize_t n = pread(o->statm_fd, text, sizeof(text), 0);
    struct pt_scan scan = pt_scan_of(text, n > 0 ? (size_t)n : 0);
    if (!pt_scan_u64(&scan, &pages))
        return PT_UNKNOWN;
    pt_scan_blanks(&scan);
    return pt_scan_u64(&scan, &pages) ? (int64_t)pages * (sysconf(_SC_PAGESIZE) / 1024)
                                      : PT_UNKNOWN;
}

int64_t pt_own_written(const struct pt_own *o)
{
    char text[256];
    uint64_t bytes = 0;
    const ssize_t n = pread(o->io_fd, text, sizeof(text), 0);
    return pt_scan_after(text, n > 0 ? (size_t)n : 0, "wchar:", &bytes) ? (int64_t)bytes
                                                                        : PT_UNKNOWN;
}
