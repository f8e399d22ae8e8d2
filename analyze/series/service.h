/* SPDX-License-Identifier: MIT
 * Which service, container or pod a cgroup path belongs to. Pure. */
#ifndef PT_ANALYZE_SERIES_SERVICE_H
#define PT_ANALYZE_SERIES_SERVICE_H

#include <stdbool.h>

/* Strings are "" where there is none. */
struct pt_service {
    char name[320];      /* for people, short and the same after a restart where it can be:
                            "nginx.service", "user@1000/dbus.service", "docker-0123456789ab",
                            "lxc-web/nginx.service", "pod-<uid>" */
    char container[256]; /* id or name in full */
    char pod[128];       /* uid (or the id of podman's), with dashes */
    const char *qos;     /* of the pod: "guaranteed", "burstable", "besteffort"; NULL: none */
};
/* false: the path names none, *ret is empty. */
bool pt_service_of_cgroup(const char *path, struct pt_service *ret);

#endif
