/* SPDX-License-Identifier: MIT
 * Reading an earlier report. It may be any file: a large one is not read, and neither is one whose
 * tree would take much more memory than a report's. */
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

/* The largest of the recordings in tests makes a report of 0.7 MB and 48,000 values, seven deep;
 * the worst that is let in takes some 45 MB of memory. A report made with a large --top may be
 * refused: then its recording serves. */
#define REPORT_MAX (4 << 20)
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

static json_t *from_text(const char *text, size_t n, const char *path, struct pt_err *err)
{
    json_error_t why;
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
    } else if (st.st_size > REPORT_MAX) {
        pt_err_set(err, PT_EFORMAT, 0, NULL, -1,
                   "'%s' is too large for a report: compare with the database it was made of",
                   path);
    } else {
        *ret_kind = "report";
        doc = from_file(fd, (size_t)st.st_size, path, err);
    }
    if (fd >= 0)
        close(fd);
    return doc;
}
