/* SPDX-License-Identifier: MIT
 * A procfs of plain files in $PT_TMP for the recorder's tests. */
#ifndef PT_TESTS_UNIT_RECORDER_TREE_H
#define PT_TESTS_UNIT_RECORDER_TREE_H

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char tree[512]; /* root of the tree under test */

static void tree_path(char path[1024], const char *name)
{
    snprintf(path, 1024, "%s/%s", tree, name);
}

static void tree_begin(const char *name)
{
    const char *tmp = getenv("PT_TMP");
    snprintf(tree, sizeof(tree), "%s/%s.%ld", tmp ? tmp : "/tmp", name, (long)getpid());
    assert_int_equal(mkdir(tree, 0700), 0);
}

/* Writes a file, its directories too. */
static void tree_write(const char *name, const char *text, size_t len)
{
    char path[1024];
    tree_path(path, name);
    for (char *p = strchr(path + strlen(tree) + 1, '/'); p; p = strchr(p + 1, '/')) {
        *p = 0;
        assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
        *p = '/';
    }
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), (ssize_t)len);
    close(fd);
}

static inline void tree_print(const char *name, const char *text)
{
    tree_write(name, text, strlen(text));
}

static inline void tree_remove(const char *name)
{
    char path[1024], command[1100];
    tree_path(path, name);
    snprintf(command, sizeof(command), "rm -rf '%s'", path);
    assert_int_equal(system(command), 0);
}

static inline void tree_fifo(const char *name)
{
    char path[1024];
    tree_path(path, name);
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
}

/* A process: cheap files only. */
static inline void tree_process(unsigned pid, const char *comm, unsigned start, unsigned rss,
                                unsigned flags)
{
    char name[64], text[512];
    snprintf(name, sizeof(name), "%u/stat", pid);
    snprintf(text, sizeof(text),
             "%u (%s) S 1 1 1 0 -1 %u 10 0 0 0 1 1 0 0 20 0 1 0 %u 4096000 %u 18446744073709551615 "
             "1 1 0 0 0 0 0 0 0 0 0 0 17 "
             "0 0 0 0 0 0\n",
             pid, comm, flags, start, rss);
    tree_print(name, text);
    snprintf(name, sizeof(name), "%u/statm", pid);
    snprintf(text, sizeof(text), "1000 %u 50 10 0 90 0\n", rss);
    tree_print(name, text);
    snprintf(name, sizeof(name), "%u/status", pid);
    snprintf(text, sizeof(text), "Name:\t%s\nVmRSS:\t%8u kB\n", comm, rss * 4);
    tree_print(name, text);
}

#endif
