/* SPDX-License-Identifier: MIT
 * Reading an earlier report. It may be any file: what is not compared is left out of its tree, and
 * one that is too large all the same, or would take much more memory than a report's, is not made a
 * tree of. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyze/report/against.h"
#include "analyze/report/report.h"
#include "analyze/report/tree.h"

/* A report of 10,000 processes and all that is known of each is of 26 MB, of which a tenth is
 * compared; the worst that is let in takes some 60 MB of memory beside its text. One that is
 * refused has a recording that serves. */
#define FILE_MAX   (64 << 20)
#define KEPT_MAX   (16 << 20)
#define VALUES_MAX 400000
#define DEPTH_MAX  32

static json_t *from_database(const struct pt_args *args, const char *path, struct pt_err *err)
{
    struct pt_session s;
    const struct pt_args quiet = {.utc = args->utc, .top = PT_UNKNOWN, .out = args->out};
    if (pt_session_open(&quiet, path, &s)) { /* told already */
        pt_err_set(err, PT_EOPEN, 0, NULL, -1, "cannot compare with '%s'", path);
        return NULL;
    }
    const struct pt_report_options o = {.from = s.span.first, .to = s.span.last, .top = PT_UNKNOWN};
    json_t *doc = pt_report_make(&s, &o, err);
    pt_session_close(&s, 0); /* what was damaged is in the document */
    return doc;
}

/* ---- a report in JSON ---- */

/* Members, of whatever object, that nobody asks of an earlier report where they are lists or
 * objects; words, such as which kernel it was, are kept. */
static bool is_asked(const char *name, size_t len)
{
    static const char *const others[] = {"charts",    "growth",   "kernel",   "events",
                                         "processes", "marks",    "glossary", "episodes",
                                         "picture",   "evidence", "mappings"};
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        if (strlen(others[i]) == len && memcmp(others[i], name, len) == 0)
            return false;
    return true;
}

/* The quotation mark that ends the string which begins at i; n: none does. */
static size_t string_end(const char *text, size_t n, size_t i)
{
    for (i++; i < n && text[i] != '"'; i++)
        i += text[i] == '\\';
    return i < n ? i : n;
}

/* What stands behind a value. */
static size_t value_end(const char *text, size_t n, size_t i)
{
    int64_t depth = 0;
    for (; i < n; i++) {
        const char c = text[i];
        if (depth == 0 && (c == ',' || c == '}' || c == ']'))
            return i;
        if (c == '"')
            i = string_end(text, n, i);
        depth += (c == '{' || c == '[') - (c == '}' || c == ']');
    }
    return n;
}

/* Puts null in the place of what is not asked for. Returns how many bytes of it that took. */
static size_t forget(char *text, size_t n)
{
    static const char null[] = "null";
    size_t all = 0;
    for (size_t i = 0; i < n; i++) {
        if (text[i] != '"')
            continue;
        const size_t begin = i + 1, end = string_end(text, n, i);
        for (i = end; i + 1 < n && memchr(" \t\r\n", text[i + 1], 4); i++)
            continue;
        if (i + 1 >= n || text[i + 1] != ':' || is_asked(text + begin, end - begin))
            continue;
        size_t from = i + 2;
        while (from < n && memchr(" \t\r\n", text[from], 4))
            from++;
        if (from >= n || !memchr("{[", text[from], 2))
            continue;
        const size_t to = value_end(text, n, from);
        i = to - 1;
        if (to - from < sizeof(null))
            continue;
        memset(text + from, ' ', to - from);
        memcpy(text + from, null, sizeof(null) - 1);
        all += to - from;
    }
    return all;
}

/* Whether it is small enough to be made a tree of: every value of one is begun by one of these
 * characters, and an empty object takes a hundred times its text. */
static bool bounded(const char *text, size_t n)
{
    size_t values = 0;
    int depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < n; i++) {
        const char c = text[i];
        if (quoted) {
            i += c == '\\';
            quoted = c != '"';
            continue;
        }
        quoted = c == '"';
        depth += (c == '{' || c == '[') - (c == '}' || c == ']');
        values += c == '{' || c == '[' || c == ',' || c == ':';
        if (values > VALUES_MAX || depth > DEPTH_MAX)
            return false;
    }
    return true;
}

/* The whole of it, n bytes. NULL: err says why. */
static char *read_all(int fd, size_t n, const char *path, struct pt_err *err)
{
    char *text = malloc(n + 1);
    size_t have = 0;
    ssize_t k = text ? 1 : 0;
    while (k > 0 && have < n) {
        k = pread(fd, text + have, n - have, (off_t)have);
        have += k > 0 ? (size_t)k : 0;
    }
    if (text && k >= 0 && have == n)
        return text;
    if (!text)
        pt_err_nomem(err);
    else
        pt_err_set(err, PT_EIO, k < 0 ? errno : 0, NULL, -1, "cannot read '%s': %s", path,
                   k < 0 ? strerror(errno) : "it became shorter");
    free(text);
    return NULL;
}

static int refuse_size(const char *path, struct pt_err *err)
{
    return pt_err_set(err, PT_EFORMAT, 0, NULL, -1,
                      "'%s' is too large for a report: compare with the database it was made of",
                      path);
}

static json_t *from_text(char *text, size_t n, const char *path, struct pt_err *err)
{
    json_error_t why;
    if (n - forget(text, n) > KEPT_MAX) {
        refuse_size(path, err);
        return NULL;
    }
    if (!bounded(text, n)) {
        pt_err_set(err, PT_EFORMAT, 0, NULL, -1,
                   "'%s' holds too much for a report: compare with the database it was made of",
                   path);
        return NULL;
    }
    json_t *doc = json_loadb(text, n, JSON_REJECT_DUPLICATES, &why);
    if (!doc) {
        pt_err_set(err, PT_EFORMAT, 0, NULL, why.position,
                   "'%s' is neither a recording nor a report in JSON: line %d: %s", path, why.line,
                   why.text);
        return NULL;
    }
    const int64_t version = pt_tree_int(doc, "report");
    if (version == PT_UNKNOWN || !pt_tree_is(doc, "kind", "report"))
        pt_err_set(err, PT_EFORMAT, 0, NULL, -1,
                   "'%s' is not a report: make one with 'report DB --format json'", path);
    else if (version != PT_REPORT_VERSION)
        pt_err_set(err, version > PT_REPORT_VERSION ? PT_ENEWER : PT_EFORMAT, 0, NULL, -1,
                   "'%s' is a report of version %" PRId64 ", this program reads version %d: "
                   "compare with the database it was made of",
                   path, version, PT_REPORT_VERSION);
    else
        return doc;
    json_decref(doc);
    return NULL;
}

static json_t *from_file(int fd, size_t n, const char *path, struct pt_err *err)
{
    char *text = read_all(fd, n, path, err);
    json_t *doc = text ? from_text(text, n, path, err) : NULL;
    free(text);
    return doc;
}

json_t *pt_against_load(const struct pt_args *args, const char *path, const char **ret_kind,
                        struct pt_err *err)
{
    char magic[16] = "";
    struct stat st;
    json_t *doc = NULL;
    /* a pipe that nobody writes to must not be waited for */
    const int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 || fstat(fd, &st) < 0) {
        pt_err_set(err, PT_EOPEN, errno, NULL, -1, "cannot open '%s': %s", path, strerror(errno));
    } else if (!S_ISREG(st.st_mode)) {
        pt_err_set(err, PT_EFORMAT, 0, NULL, -1, "'%s' is not a regular file", path);
    } else if (pread(fd, magic, sizeof(magic), 0) == (ssize_t)sizeof(magic) &&
               memcmp(magic, "SQLite format 3", sizeof(magic)) == 0) {
        *ret_kind = "database";
        doc = from_database(args, path, err);
    } else if (st.st_size > FILE_MAX) {
        refuse_size(path, err);
    } else {
        *ret_kind = "report";
        doc = from_file(fd, (size_t)st.st_size, path, err);
    }
    if (fd >= 0)
        close(fd);
    return doc;
}
