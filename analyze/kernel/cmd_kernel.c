/* SPDX-License-Identifier: MIT
 * pagetrail kernel: what of the kernel's memory grew, and how zones, reclaim, compaction and shared
 * memory fare. */
#include "analyze/kernel/kernel.h"
#include "analyze/print/json.h"

static int tell(struct pt_session *s, struct pt_err *err)
{
    struct pt_kernel k;
    int64_t from, to;
    int rc = pt_session_span(s, true, &from, &to, err);
    if (rc >= 0)
        rc = pt_kernel_make(s, from, to, &k, err);
    if (rc < 0)
        return rc;
    rc = s->args->json ? pt_json_print(pt_kernel_json(&k, s->args->top), s->args->out)
                       : pt_kernel_text(&k, s);
    pt_kernel_release(&k);
    return pt_session_printed(s, rc, err);
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
    .tell = tell,
};
