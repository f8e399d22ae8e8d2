/* SPDX-License-Identifier: MIT
 * pagetrail swap: whether swap does harm, when it did, to whom and by whom. */
#include "analyze/print/json.h"
#include "analyze/swap/swap.h"

static int print(const struct pt_session *s, int64_t from, int64_t to, struct pt_err *err)
{
    struct pt_swap w;
    int rc = pt_swap_make(s, from, to, &w, err);
    if (rc < 0)
        return rc;
    rc = s->args->json ? pt_json_print(pt_swap_json(&w, s->args->top), s->args->out)
                       : pt_swap_text(&w, s);
    if (rc < 0) /* a failed write is told at the end of the program */
        rc = ferror(s->args->out) ? 0 : pt_err_nomem(err);
    pt_swap_release(&w);
    return rc;
}

static int run(const struct pt_args *args)
{
    struct pt_session s;
    struct pt_err err = {0};
    int64_t from = 0, to = 0;
    int status = pt_session_open(args, args->positional[0], &s);
    if (status)
        return status;
    from = s.span.first;
    int rc = pt_session_find(&s, args->to, false, &to, &err);
    if (rc >= 0 && args->from)
        rc = pt_session_find(&s, args->from, true, &from, &err);
    if (rc >= 0 && from > to)
        rc = pt_err_set(&err, PT_EUSAGE, 0, NULL, -1, "--from lies after --to");
    if (rc < 0 || print(&s, from, to, &err) < 0)
        status = pt_fail(&err);
    return pt_session_close(&s, status);
}

const struct pt_command pt_cmd_swap = {
    .name = "swap",
    .usage = "DB [--from T] [--to T]",
    .summary = "whether swap does harm, and to whom",
    .detail = "Episodes of churn and thrash, with whom they hurt and who grew meanwhile; what\n"
              "each process had in swap; swap areas. -v shows every episode.\n",
    .options = PT_OPT_FROM_TO | PT_OPT_TOP | PT_OPT_UTC,
    .min = 1,
    .max = 1,
    .run = run,
};
