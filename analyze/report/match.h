/* SPDX-License-Identifier: MIT
 * Findings of two reports that are of the same thing: by what it is (service, executable, command,
 * class of memory), never by pid, so that restarts, reboots and upgrades do not part them. And what
 * became of a finding from one report to the next. Pure. */
#ifndef PT_ANALYZE_REPORT_MATCH_H
#define PT_ANALYZE_REPORT_MATCH_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pt_status { PT_NEW = 0, PT_ONGOING, PT_WORSE, PT_BETTER, PT_RESOLVED, PT_STATUSES };
const char *pt_status_name(enum pt_status s); /* "new", ... */

/* Names of services that are made anew with each start are the same but for which of them. */
bool pt_match_services(const char *a, const char *b);
/* Is it an alarm, by its verdict? Incidents are. */
bool pt_match_alarming(const char *verdict);
bool pt_match_alarms(const json_t *finding);
/* How much the two have in common; 0: they are not of one thing. */
int pt_match_likeness(const json_t *a, const json_t *b);
/* Numbers of which two that are of one thing share one, of those that stand for the one and those
 * that the other is sought by; those that share one may still be of two. Returns how many. */
#define PT_MATCH_KEYS 3
size_t pt_match_keys(const json_t *finding, uint64_t ret[PT_MATCH_KEYS]);
size_t pt_match_sought(const json_t *finding, uint64_t ret[PT_MATCH_KEYS]);
/* before: an alarm or not; after NULL: it is not there any more. One of the two is an alarm. */
enum pt_status pt_match_status(const json_t *before, const json_t *after);
/* Whether it ended, where it is not there any more: seconds that were recorded then and since. */
bool pt_match_ended(const json_t *before, double then, double now);

#endif
