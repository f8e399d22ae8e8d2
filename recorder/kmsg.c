/* SPDX-License-Identifier: MIT
 * Reading /dev/kmsg. */
#include "recorder/kmsg.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* The kernel gives a record whole or not at all; its own limit was 8 KiB always. */
#define RECORD_MAX 8192
/* Others write to the log too: whoever floods it does not keep us from snapshots. */
#define DRAIN_MAX 20000

int pt_kmsg_open(void)
{
    const int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (lseek(fd, 0, SEEK_END) >= 0)
        return fd;
    const int why = errno;
    close(fd);
    return -why;
}

uint64_t pt_kmsg_drain(int fd, uint64_t *seq, void (*fn)(void *ctx, const struct pt_kmsg *k),
                       void *ctx)
{
    char record[RECORD_MAX + 1];
    uint64_t lost = 0;
    for (int i = 0; i < DRAIN_MAX; i++) {
        struct pt_kmsg k;
        const ssize_t n = read(fd, record, RECORD_MAX);
        if (n < 0 && (errno == EPIPE || errno == EINTR || errno == EINVAL))
            continue; /* overwritten: the next read goes on with what is there */
        if (n <= 0)
            break;
        record[n] = 0;
        if (!pt_kmsg_parse(record, (size_t)n, &k))
            continue;
        if (*seq && k.seq > *seq + 1)
            lost += k.seq - *seq - 1;
        *seq = k.seq;
        if (k.facility == 0)
            fn(ctx, &k);
    }
    return lost;
}
