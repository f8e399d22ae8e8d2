/* SPDX-License-Identifier: MIT
 * A directory of its own for a test. */
#ifndef PT_TESTS_SUPPORT_SCRATCH_H
#define PT_TESTS_SUPPORT_SCRATCH_H

#include <stdbool.h>

/* Makes it; its name in ret. in_memory: where there is such a place, for a test that makes
 * everything fail thousands of times. < 0: it cannot. */
int scratch_make(const char *name, bool in_memory, char ret[256]);
/* Calls fn with the path of every entry, but for hidden ones. */
void scratch_each(const char *dir, void (*fn)(const char *path));
/* Deletes all files in it. */
void scratch_clear(const char *dir);

#endif
