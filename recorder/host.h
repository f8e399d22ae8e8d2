/* SPDX-License-Identifier: MIT
 * What the meta table says of the recorded host, from its procfs. */
#ifndef PT_RECORDER_HOST_H
#define PT_RECORDER_HOST_H

#include "recorder/roots.h"
#include "schema/store.h"

void pt_host_meta(const struct pt_roots *roots, int64_t interval_us, struct pt_meta *ret);
/* sys/kernel/random/boot_id, or "unknown" in a tree that has none. */
void pt_host_boot_id(const struct pt_roots *roots, char ret[40]);
/* btime of the stat file, or now less the uptime of this machine; 0 when a copied tree does not
 * tell. */
int64_t pt_host_btime_us(const struct pt_roots *roots);
/* Seconds of the uptime file as microseconds; < 0: there is none. */
int64_t pt_host_uptime_us(const struct pt_roots *roots);

#endif
