/* SPDX-License-Identifier: MIT
 * A directory for a test. */
#include "tests/support/scratch.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int scratch_make(const char *name, bool in_memory, char ret[256])
{
    const bool memory = in_memory && access("/dev/shm", W_OK) == 0;
    const char *tmp = memory ? "/dev/shm" : getenv("PT_TMP");
    const int n = snprintf(ret, 256, "%s/%s-XXXXXX", tmp ? tmp : "/tmp", name);
    return n < 256 && mkdtemp(ret) ? 0 : -1;
}

void scratch_each(const char *dir, void (*fn)(const char *path))
{
    char path[600];
    DIR *d = opendir(dir);
    if (!d)
        return;
    for (const struct dirent *e; (e = readdir(d));) {
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        if (e->d_name[0] != '.')
            fn(path);
    }
    closedir(d);
}

static void remove_file(const char *path)
{
    unlink(path);
}

void scratch_clear(const char *dir)
{
    scratch_each(dir, remove_file);
}
