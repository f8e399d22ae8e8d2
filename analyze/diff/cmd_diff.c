/* SPDX-License-Identifier: MIT
 * pagetrail diff: two instants of a recording, or the ends of two recordings. */
#include <sys/stat.h>

#include "analyze/diff/diff_print.h"

static int print(const struct pt_session *a, const struct pt_session *b, int64_t from, int64_t to,
                 struct pt_err *err)
{
    struct pt_picture before = {0}, after = {0};
    struct pt_diff diff = {0};
    int rc = pt_picture_load(a->db, from, a->smaps, &before, err);
    if (rc >= 0)
        rc = pt_picture_load(b->db, to, b->smaps, &after, err);
    if (rc >= 0)
        rc = pt_diff_make(&before, &after, b->args->by, &diff, err);
    if (rc >= 0) {
        rc = b->args->json ? pt_diff_json(&diff, a, b) : pt_diff_text(&diff, a, b);
        rc = pt_session_printed(b, rc, err);
    }
    pt_diff_release(&diff);
    pt_picture_release(&before);
    pt_picture_release(&after);
    return rc;
}

static int tell_one(struct pt_session *s, struct pt_err *err)
{
    int64_t from, to;
    const int rc = pt_session_span(s, true, &from, &to, err);
    return rc < 0 ? rc : print(s, s, from, to, err);
}

static int diff_one(const struct pt_args *args)
{
    const int status = pt_session_run(args, tell_one);
    if (status == PT_EXIT_USAGE && args->npositional == 2)
        fputs("pagetrail: nor is it a file, for a diff of two recordings\n", stderr);
    return status;
}

static int diff_two(const struct pt_args *args)
{
    struct pt_session a, b;
    struct pt_err err = {0};
    int64_t from, to;
    int status = pt_session_open(args, args->positional[0], &a);
    if (status)
        return status;
    status = pt_session_open(args, args->positional[1], &b);
    if (status)
        return pt_session_close(&a, status);
    if (pt_session_find(&a, args->from, true, &from, &err) < 0 ||
        pt_session_find(&b, args->to, false, &to, &err) < 0 || print(&a, &b, from, to, &err) < 0)
        status = pt_fail(&err);
    status = pt_session_close(&b, status);
    return pt_session_close(&a, status);
}

static bool is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static int run(const struct pt_args *args)
{
    return args->npositional == 2 && is_file(args->positional[1]) ? diff_two(args) : diff_one(args);
}

const struct pt_command pt_cmd_diff = {
    .name = "diff",
    .usage = "DB [FROM [TO]] | DB1 DB2 [--from T --to T] [--by WHAT]",
    .summary = "what changed between two instants",
    .detail =
        "Between the first and the last snapshot of the newest boot, or between FROM\nand TO. "
        "A second argument that is a file is another recording: the last\nsnapshots of the two "
        "are compared.\n",
    .options = PT_OPT_FROM_TO | PT_OPT_BY | PT_OPT_TOP | PT_OPT_UTC,
    .min = 1,
    .max = 3,
    .run = run,
};
