/* SPDX-License-Identifier: MIT
 * A disk under SQLite that remembers what is not synced yet, and what it would hold if the power
 * failed now: registered as the default VFS over the real one, for the files of one directory. */
#ifndef PT_TESTS_SUPPORT_POWERFS_H
#define PT_TESTS_SUPPORT_POWERFS_H

/* What becomes of writes that were not synced. */
enum powerfs_fate {
    POWERFS_NONE = 0, /* none of them is on the disk */
    POWERFS_ALL,      /* all */
    POWERFS_SOME,     /* any, in any order, and of each any sectors of 512 bytes */
};

/* Before any database is opened. */
int powerfs_register(const char *dir);
/* Called before every write, truncation, sync and deletion; NULL: nobody. */
extern void (*powerfs_before)(void);
/* Writes the files as they would be found into a directory, for fate SOME by this seed. From
 * powerfs_before, or any other thread. */
int powerfs_fail(const char *dir, enum powerfs_fate fate, unsigned seed);
/* Forgets all files. */
void powerfs_reset(void);

#endif
