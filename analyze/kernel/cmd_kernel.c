/* SPDX-License-Identifier: MIT
 * pagetrail kernel: what of the kernel's memory grew, and how zones, reclaim, compaction and shared
 * memory fare. */
#include "analyze/kernel/kernel.h"
#include "analyze/print/json.h"

static int span_of(const struct pt_session *s, int64_t *ret_from, int64_t *ret_to,
                   struct pt_err *err)
{
    const struct pt_args *args = s->args;
    if (args->at && (args->from || args->to))
        return pt_err_set(err, PT_EUSAGE, 0, NULL, -1, "--at goes with neither --from nor --to");
    int rc = pt_session_find(s, args->at ? args->at : args->to, false, ret_to, err);
    if (rc < 0)
        return rc;
    if (args->at)
        *ret_from = *ret_to;
    else if (args->from)
        rc = pt_session_find(s, args->from, true, ret_from, err);
    else
        *ret_from = pt_session_boot_first(s) <= *ret_to ? pt_session_boot_first(s) : s->span.first;
    if (rc >= 0 && *ret_from > *ret_to)
        return pt_err_set(err, PT_EUSAGE, 0, NULL, -1, "--from lies after --to");
    return rc;
}

static int print(const struct pt_session *s, int64_t from, int64_t to, struct pt_err *err)
{
    struct pt_kernel k;
    int rc = pt_kernel_make(s, from, to, &k, err);
    if (rc < 0)
        return rc;
    rc = s->args->json ? pt_json_print(pt_kernel_json(&k, s->args->top), s->args->out)
                       : pt_kernel_text(&k, s);
    if (rc < 0) /* a failed write is told at the end of the program */
        rc = ferror(s->args->out) ? 0 : pt_err_nomem(err);
    pt_kernel_release(&k);
    return rc;
}

static int run(const struct pt_args *args)
{
    struct pt_session s;
    struct pt_err err = {0};
    int64_t from, to;
    int status = pt_session_open(args, args->positional[0], &s);
    if (status)
        return status;
    if (span_of(&s, &from, &to, &err) < 0 || print(&s, from, to, &err) < 0)
        status = pt_fail(&err);
    return pt_session_close(&s, status);
}

const struct pt_command pt_cmd_kernel = {
    .name = "kernel",
    .usage = "DB [--from T] [--to T] | DB --at T",
    .summary = "kernel memory, reclaim and shared memory",
    .detail = "What of the kernel's memory grew, by slab cache, caller and object; free memory\n"
              "against watermarks; what reclaim and compaction did. -v shows all of it.\n",
    .options = PT_OPT_FROM_TO | PT_OPT_AT | PT_OPT_TOP | PT_OPT_UTC,
    .min = 1,
    .max = 1,
    .run = run,
};
