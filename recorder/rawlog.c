/* SPDX-License-Identifier: MIT
 * The raw log. */
#include "recorder/rawlog.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct pt_rawlog {
    FILE *file;
    char **names; /* by source handle */
    size_t cap;
    off_t begun; /* up to here its way to the disk has begun */
};

int pt_rawlog_open(const char *path, struct pt_rawlog **ret, struct pt_err *err)
{
    struct pt_rawlog *l = calloc(1, sizeof(*l));
    if (!l)
        return pt_err_nomem(err);
    /* a FIFO that nobody reads would be waited for without end */
    const int fd =
        open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);
    struct stat st;
    const bool regular = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    l->file = regular ? fdopen(fd, "a") : NULL;
    if (!l->file) {
        const int why = fd < 0 || regular ? errno : EINVAL;
        if (fd >= 0)
            close(fd);
        free(l);
        return pt_err_set(err, PT_EOPEN, why, "", -1, "cannot open '%s': %s", path, strerror(why));
    }
    *ret = l;
    return 0;
}

int pt_rawlog_close(struct pt_rawlog *l, struct pt_err *err)
{
    if (!l)
        return 0;
    const bool bad = ferror(l->file) != 0;
    const bool unflushed = fclose(l->file) != 0;
    for (size_t i = 0; i < l->cap; i++)
        free(l->names[i]);
    free(l->names);
    free(l);
    if (bad || unflushed)
        return pt_err_set(err, PT_EIO, 0, "", -1, "the raw log is not complete: a write failed");
    return 0;
}

static char *escaped(const char *name)
{
    char *out = malloc(strlen(name) * 4 + 1);
    if (!out)
        return NULL;
    char *p = out;
    for (const char *s = name; *s; s++) {
        const unsigned char c = (unsigned char)*s;
        if (c <= 0x20 || c == 0x7f || c == '\\') {
            *p++ = '\\';
            *p++ = (char)('0' + (c >> 6));
            *p++ = (char)('0' + (c >> 3 & 7));
            *p++ = (char)('0' + (c & 7));
        } else {
            *p++ = (char)c;
        }
    }
    *p = 0;
    return out;
}

void pt_rawlog_name(struct pt_rawlog *l, uint32_t source, const char *name)
{
    if (!l)
        return;
    if (source >= l->cap) {
        const size_t cap = (size_t)source * 2 + 64;
        char **names = realloc(l->names, cap * sizeof(*names));
        if (!names)
            return;
        memset(names + l->cap, 0, (cap - l->cap) * sizeof(*names));
        l->names = names;
        l->cap = cap;
    }
    free(l->names[source]);
    l->names[source] = escaped(name);
}

void pt_rawlog_put(struct pt_rawlog *l, int64_t n, uint32_t source, int64_t read_us,
                   enum pt_outcome outcome, int why, const void *text, size_t len)
{
    if (!l)
        return;
    const char *name = source < l->cap && l->names[source] ? l->names[source] : "?";
    fprintf(l->file, "snapshot %" PRId64 " source %s length %zu read_us %" PRId64 " outcome ", n,
            name, len, read_us);
    if (outcome == PT_OUTCOME_UNREADABLE)
        fprintf(l->file, "unreadable:%d\n", why);
    else
        fputs(outcome == PT_OUTCOME_READ ? "read\n" : "gone\n", l->file);
    if (len)
        fwrite(text, 1, len, l->file);
    fputc('\n', l->file);
}

/* Sends what is new to the disk without waiting for it, and drops from the page cache what has got
 * there since the flush before. */
static void drop_cache(struct pt_rawlog *l)
{
    const int fd = fileno(l->file);
    const off_t end = ftello(l->file);
    if (end <= l->begun)
        return;
    sync_file_range(fd, l->begun, end - l->begun, SYNC_FILE_RANGE_WRITE);
    posix_fadvise(fd, 0, l->begun, POSIX_FADV_DONTNEED);
    l->begun = end;
}

void pt_rawlog_flush(struct pt_rawlog *l)
{
    if (l && fflush(l->file) == 0)
        drop_cache(l);
}
