/* SPDX-License-Identifier: MIT
 * pagetrail info: what a recording holds. */
#include "analyze/info/info.h"
#include "analyze/print/json.h"

static int tell(struct pt_session *s, struct pt_err *err)
{
    struct pt_info info;
    int rc = pt_info_make(s, &info, err);
    if (rc < 0)
        return rc;
    if (s->args->json)
        rc = pt_json_print(pt_info_json(s, &info), s->args->out);
    else
        pt_info_text(s, &info);
    return pt_session_printed(s, rc, err);
}

const struct pt_command pt_cmd_info = {
    .name = "info",
    .usage = "DB",
    .summary = "host, span, gaps, events, cost, size",
    .detail = "",
    .options = PT_OPT_UTC,
    .min = 1,
    .max = 1,
    .tell = tell,
};
