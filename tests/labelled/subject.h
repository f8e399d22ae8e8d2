/* SPDX-License-Identifier: MIT
 * What the files of labelled_subject share. Units: bytes, seconds. */
#ifndef PT_TESTS_LABELLED_SUBJECT_H
#define PT_TESTS_LABELLED_SUBJECT_H

#include <stddef.h>
#include <stdint.h>

#define PAGE  4096u
#define CHUNK 2048u

extern struct me {
    double seconds, rate, level;
    uint64_t seed;
    const char *name;
    double leaked; /* so far */
    double debt;   /* due, not yet taken */
} me;

double uniform(void);           /* 0 to 1 */
void *hold(size_t n);           /* touched, for good */
void *map(size_t n, int flags); /* anonymous */

/* Each takes so many bytes for good and says how many it took. */
size_t leak_malloc(size_t bytes);
size_t leak_brk(size_t bytes);
size_t leak_mmap(size_t bytes);
size_t leak_threads(size_t bytes);
size_t leak_fds(size_t bytes);
size_t leak_sockets(size_t bytes);
size_t leak_memfd(size_t bytes);
size_t leak_shmfile(size_t bytes);
size_t leak_sysv(size_t bytes);
size_t leak_sparse(size_t bytes);

#endif
