/* SPDX-License-Identifier: MIT
 * pagetrail swap: whether swap does harm, when it did, to whom and by whom. */
#include "analyze/print/json.h"
#include "analyze/swap/swap.h"

static int tell(struct pt_session *s, struct pt_err *err)
{
    struct pt_swap w;
    int64_t from, to;
    int rc = pt_session_span(s, false, &from, &to, err);
    if (rc >= 0)
        rc = pt_swap_make(s, from, to, &w, err);
    if (rc < 0)
        return rc;
    rc = s->args->json ? pt_json_print(pt_swap_json(&w, s->args->top), s->args->out)
                       : pt_swap_text(&w, s);
    pt_swap_release(&w);
    return pt_session_printed(s, rc, err);
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
    .tell = tell,
};
