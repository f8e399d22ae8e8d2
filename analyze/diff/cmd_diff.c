/* SPDX-License-Identifier: MIT
 * pagetrail diff: two instants of a recording, or the ends of two recordings. */
#include <sys/stat.h>
#include <unistd.h>

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
        if (rc < 0) /* a failed write is told at the end of the program */
            rc = ferror(b->args->out) ? 0 : pt_err_nomem(err);
        pt_diff_release(&diff);
    }
    if (before.view)
        pt_picture_release(&before);
    if (after.view)
        pt_picture_release(&after);
    return rc;
}

/* The instants asked for: options or positional arguments from `first` on. */
static int instants(const struct pt_session *s, int64_t *ret_from, int64_t *ret_to,
                    struct pt_err *err)
{
    const struct pt_args *args = s->args;
    const char *from = args->from ? args->from : args->npositional > 1 ? args->positional[1] : NULL;
    const char *to = args->to ? args->to : args->npositional > 2 ? args->positional[2] : NULL;
    if ((args->from && args->npositional > 1) || (args->to && args->npositional > 2))
        return pt_err_set(err, PT_EUSAGE, 0, NULL, -1, "an instant is given twice");
    int rc = pt_session_find(s, to, false, ret_to, err);
    if (rc < 0)
        return rc;
    if (from)
        rc = pt_session_find(s, from, true, ret_from, err);
    else
        *ret_from = pt_session_boot_first(s);
    if (rc == 0 && !from && *ret_from > *ret_to)
        *ret_from = s->span.first; /* `to` lies before the newest boot */
    if (rc == 0 && *ret_from > *ret_to)
        return pt_err_set(err, PT_EUSAGE, 0, NULL, -1, "FROM lies after TO");
    return rc;
}

static int diff_one(const struct pt_args *args)
{
    struct pt_session s;
    struct pt_err err = {0};
    int64_t from, to;
    int status = pt_session_open(args, args->positional[0], &s);
    if (status)
        return status;
    if (instants(&s, &from, &to, &err) < 0 || print(&s, &s, from, to, &err) < 0)
        status = pt_fail(&err);
    if (status == PT_EXIT_USAGE && args->npositional == 2)
        fputs("pagetrail: nor is it a file, for a diff of two recordings\n", stderr);
    return pt_session_close(&s, status);
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
