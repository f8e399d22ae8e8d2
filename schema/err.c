/* SPDX-License-Identifier: MIT
 * Errors: see err.h. */
#include "schema/err.h"

#include <errno.h>
#include <stdio.h>

int pt_err_set(struct pt_err *err, enum pt_code code, int sys, const char *source, int64_t position,
               const char *fmt, ...)
{
    if (err && err->code == PT_OK) {
        va_list ap;
        err->code = code;
        err->sys = sys;
        err->position = position;
        snprintf(err->source, sizeof err->source, "%s", source ? source : "");
        va_start(ap, fmt);
        vsnprintf(err->text, sizeof err->text, fmt, ap);
        va_end(ap);
    }
    return -(int)code;
}

int pt_err_nomem(struct pt_err *err)
{
    return pt_err_set(err, PT_ENOMEM, ENOMEM, NULL, -1, "out of memory");
}
