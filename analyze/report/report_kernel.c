/* SPDX-License-Identifier: MIT
 * Kernel memory of a report's span, as `kernel` has it. */
#include "analyze/report/report_kernel.h"

#include "analyze/kernel/kernel.h"

json_t *pt_report_kernel(const struct pt_session *s, int64_t from, int64_t to, size_t top,
                         struct pt_err *err)
{
    struct pt_kernel k;
    if (pt_kernel_make(s, from, to, &k, err) < 0)
        return NULL;
    json_t *j = pt_kernel_json(&k, (int64_t)top);
    if (!j)
        pt_err_nomem(err);
    pt_kernel_release(&k);
    return j;
}
