/* SPDX-License-Identifier: MIT
 * What the service manager is told (sd_notify's protocol: lines of text in one datagram to the
 * socket NOTIFY_SOCKET names). Nothing happens where nobody asked. Units: microseconds of
 * CLOCK_MONOTONIC. */
#ifndef PT_RECORDER_NOTIFY_H
#define PT_RECORDER_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

struct pt_notify {
    int fd; /* -1: nobody asked */
    struct sockaddr_un to;
    socklen_t to_len;
    int64_t watchdog_us; /* without a sign of life for so long we are killed; 0: never */
    int64_t pinged_us;
    bool ready, failing; /* as told last */
};

struct pt_notify_state {
    bool ready;         /* the first snapshot is stored, or storing it has failed */
    bool alive;         /* every thread gets on */
    bool failing;       /* the last try to store failed */
    const char *status; /* one line for people */
};

/* From the environment: NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID. */
void pt_notify_init(struct pt_notify *ret);
void pt_notify_release(struct pt_notify *n);
/* Lines as they are, such as "STOPPING=1". A message that is not taken is lost. */
void pt_notify_send(const struct pt_notify *n, const char *lines);
/* Tells what changed and, while alive, gives the sign of life when it is due. The status goes with
 * either: it wakes nobody by itself. Returns how soon it wants to be called again; < 0: never. */
int64_t pt_notify_tick(struct pt_notify *n, const struct pt_notify_state *now);
/* Before and after the database is opened anew. */
void pt_notify_reloading(const struct pt_notify *n);
void pt_notify_reloaded(const struct pt_notify *n);

#endif
