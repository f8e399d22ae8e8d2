/* SPDX-License-Identifier: MIT
 * The service manager's protocol. */
#include "recorder/notify.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "recorder/clock.h"
#include "recorder/scan.h"

#define UNREADY_US 100000 /* how often to look while the first snapshot is not stored */

static bool env_number(const char *name, uint64_t *ret)
{
    const char *text = getenv(name);
    struct pt_scan s = pt_scan_of(text, text ? strlen(text) : 0);
    return pt_scan_u64(&s, ret) && s.p == s.end;
}

/* A path, or '@' and a name in the abstract name space. */
static bool address(struct pt_notify *n, const char *name)
{
    const size_t len = strlen(name);
    if (len < 2 || len >= sizeof(n->to.sun_path) || (name[0] != '/' && name[0] != '@'))
        return false;
    n->to.sun_family = AF_UNIX;
    memcpy(n->to.sun_path, name, len);
    n->to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (name[0] == '/'));
    if (name[0] == '@')
        n->to.sun_path[0] = 0;
    return true;
}

void pt_notify_init(struct pt_notify *ret)
{
    const char *name = getenv("NOTIFY_SOCKET");
    uint64_t us, pid;
    *ret = (struct pt_notify){.fd = -1};
    if (!name || !address(ret, name))
        return;
    ret->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (!env_number("WATCHDOG_USEC", &us) || us > INT64_MAX)
        return;
    /* meant for another process, when it names one */
    if (getenv("WATCHDOG_PID") && (!env_number("WATCHDOG_PID", &pid) || pid != (uint64_t)getpid()))
        return;
    ret->watchdog_us = (int64_t)us;
}

void pt_notify_release(struct pt_notify *n)
{
    if (n->fd >= 0)
        close(n->fd);
    n->fd = -1;
}

void pt_notify_send(const struct pt_notify *n, const char *lines)
{
    if (n->fd >= 0)
        sendto(n->fd, lines, strlen(lines), MSG_NOSIGNAL, (const struct sockaddr *)&n->to,
               n->to_len);
}

int64_t pt_notify_tick(struct pt_notify *n, const struct pt_notify_state *now)
{
    char lines[512];
    if (n->fd < 0)
        return -1;
    const int64_t at = pt_clock_us(CLOCK_MONOTONIC), every = n->watchdog_us / 2;
    const bool ready = now->ready && !n->ready;
    const bool ping = every && now->alive && at - n->pinged_us >= every / 2;
    if (ready || ping || now->failing != n->failing) {
        snprintf(lines, sizeof(lines), "%s%sSTATUS=%s", ready ? "READY=1\n" : "",
                 ping ? "WATCHDOG=1\n" : "", now->status);
        pt_notify_send(n, lines);
    }
    n->ready |= ready;
    n->failing = now->failing;
    n->pinged_us = ping ? at : n->pinged_us;
    if (!n->ready)
        return UNREADY_US;
    return !every ? -1 : n->pinged_us + every > at ? n->pinged_us + every - at : every;
}

void pt_notify_reloading(const struct pt_notify *n)
{
    char lines[64];
    snprintf(lines, sizeof(lines), "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
             pt_clock_us(CLOCK_MONOTONIC));
    pt_notify_send(n, lines);
}

void pt_notify_reloaded(const struct pt_notify *n)
{
    pt_notify_send(n, "READY=1");
}
