/* SPDX-License-Identifier: MIT
 * Kernel texts for tests: those of a fixture tree, and those of the running machine, each with its
 * source name. */
#ifndef PT_TESTS_SUPPORT_TEXTS_H
#define PT_TESTS_SUPPORT_TEXTS_H

#include <stddef.h>

#include "schema/source.h"

typedef void text_fn(void *ctx, const char *source, const char *text, size_t len);

/* Reads until end of file; NULL when it cannot be opened or read (processes end). The caller frees.
 */
char *text_read(const char *path, size_t *ret_len);
/* Every file below root/{proc,sys,cgroup}, in a fixed order, as "proc:path" and so on. Returns
 * their count. */
size_t texts_of_tree(const char *root, text_fn *fn, void *ctx);
/* What /proc/..., /sys/... and the cgroup mounts have of the files Pagetrail knows; processes
 * included. */
size_t texts_of_machine(text_fn *fn, void *ctx);

/* For fuzz targets: the file by the name in the first line, else by the first byte of data (size >
 * 0); *ret_at is where its text begins. */
const struct pt_file *text_file(const void *data, size_t size, size_t *ret_at);

#endif
