/* SPDX-License-Identifier: MIT
 * Which service, container or pod a cgroup path belongs to. Pure. */
#ifndef PT_ANALYZE_SERVICE_H
#define PT_ANALYZE_SERVICE_H

#include <stdbool.h>
#include <stddef.h>

/* Writes the name of the innermost service of a cgroup path ("/system.slice/nginx.service" ->
 * "nginx.service",
 * ".../docker-<64 hex>.scope" -> "docker-0123456789ab", ".../kubepods.../pod<uid>" -> "pod-<uid>")
 * into ret, at most size bytes with the NUL. false: none. */
bool pt_service_of_cgroup(const char *path, char *ret, size_t size);

#endif
