/* SPDX-License-Identifier: MIT
 * pagetrail info: what a recording holds. */
#include "analyze/info/info.h"
#include "analyze/print/json.h"

static int run(const struct pt_args *args)
{
    struct pt_session s;
    struct pt_info info;
    struct pt_err err = {0};
    int status = pt_session_open(args, args->positional[0], &s);
    if (status)
        return status;
    if (pt_info_make(&s, &info, &err) < 0) {
        status = pt_fail(&err);
    } else if (args->json) {
        status = pt_json_print(pt_info_json(&s, &info), args->out) < 0 ? PT_EXIT_READ : PT_EXIT_OK;
    } else {
        pt_info_text(&s, &info);
    }
    return pt_session_close(&s, status);
}

const struct pt_command pt_cmd_info = {
    .name = "info",
    .usage = "DB",
    .summary = "host, span, gaps, events, cost, size",
    .detail = "",
    .options = PT_OPT_UTC,
    .min = 1,
    .max = 1,
    .run = run,
};
