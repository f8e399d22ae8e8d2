/* SPDX-License-Identifier: MIT
 * For LD_PRELOAD: a file system without files that have no name (O_TMPFILE), and a program that is
 * told to end (SIGTERM) at a bad moment: PT_END_AT "mkdir 1", "mkostemp 3", "rename 2" is within
 * the so-many-th of these calls, when what it makes is there, or what it takes away still is. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void end_at(const char *name, int nth)
{
    const char *at = getenv("PT_END_AT");
    const size_t n = strlen(name);
    if (at && strncmp(at, name, n) == 0 && at[n] == ' ' && at[n + 1] - '0' == nth)
        kill(getpid(), SIGTERM);
}

int mkdir(const char *path, mode_t mode)
{
    static int calls;
    int (*real)(const char *, mode_t);
    *(void **)&real = dlsym(RTLD_NEXT, "mkdir");
    const int r = real(path, mode), why = errno;
    end_at("mkdir", ++calls);
    errno = why;
    return r;
}

static int make(const char *which, char *name, int flags)
{
    static int calls;
    int (*real)(char *, int);
    *(void **)&real = dlsym(RTLD_NEXT, which);
    const int r = real(name, flags), why = errno;
    end_at("mkostemp", ++calls);
    errno = why;
    return r;
}

int mkostemp(char *name, int flags)
{
    return make("mkostemp", name, flags);
}

int mkostemp64(char *name, int flags)
{
    return make("mkostemp64", name, flags);
}

int rename(const char *from, const char *to)
{
    static int calls;
    int (*real)(const char *, const char *);
    *(void **)&real = dlsym(RTLD_NEXT, "rename");
    end_at("rename", ++calls);
    return real(from, to);
}

static int open_with(const char *which, const char *path, int flags, mode_t mode)
{
    int (*real)(const char *, int, ...);
    if ((flags & O_TMPFILE) == O_TMPFILE) {
        errno = EOPNOTSUPP;
        return -1;
    }
    *(void **)&real = dlsym(RTLD_NEXT, which);
    return real(path, flags, mode);
}

#define OPEN(name)                                                                                 \
    int name(const char *path, int flags, ...)                                                     \
    {                                                                                              \
        mode_t mode = 0;                                                                           \
        if (flags & O_CREAT) {                                                                     \
            va_list ap;                                                                            \
            va_start(ap, flags);                                                                   \
            mode = va_arg(ap, mode_t);                                                             \
            va_end(ap);                                                                            \
        }                                                                                          \
        return open_with(#name, path, flags, mode);                                                \
    }
OPEN(open)
OPEN(open64)
