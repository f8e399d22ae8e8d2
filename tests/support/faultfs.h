/* SPDX-License-Identifier: MIT
 * A file system under SQLite that fails: registered as the default VFS over the real one, it counts
 * the calls that reach the disk and fails the n-th of them, once or from then on. */
#ifndef PT_TESTS_SUPPORT_FAULTFS_H
#define PT_TESTS_SUPPORT_FAULTFS_H

#include <stdbool.h>
#include <stdint.h>

/* What is counted, as bits. */
enum faultfs_op {
    FAULTFS_OPEN = 1,
    FAULTFS_DELETE = 2,
    FAULTFS_ACCESS = 4,
    FAULTFS_READ = 8,
    FAULTFS_WRITE = 16,
    FAULTFS_TRUNCATE = 32,
    FAULTFS_SYNC = 64,
    FAULTFS_SIZE = 128,
    FAULTFS_LOCK = 256, /* of the file, and of the shared memory */
    FAULTFS_SHM = 512,  /* mapping it */
    FAULTFS_ALL = 1023,
};

struct faultfs {
    unsigned ops; /* which are counted */
    int sys;      /* errno of the failure; EBUSY: the lock is somebody else's */
    bool half;    /* a write writes the first half before it fails */
    bool forever; /* from then on, else once */
    int64_t at;   /* the call that fails, from 1; 0: none */
    /* Called before every write, truncation and sync of a file; may be NULL. */
    void (*seen)(enum faultfs_op op, bool database);
    /* told */
    int64_t calls, failed;
};

/* The one there is. Set it to zero for a file system without faults. */
extern struct faultfs faultfs;
/* Before any database is opened. */
int faultfs_register(void);

#endif
