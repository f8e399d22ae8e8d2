/* SPDX-License-Identifier: MIT
 * pagetrail oom: an OOM kill looked into; without one, whom the kernel would choose. */
#include <inttypes.h>
#include <string.h>

#include "analyze/oom/oom.h"
#include "analyze/print/json.h"
#include "analyze/print/table.h"
#include "analyze/print/text.h"
#include "analyze/print/units.h"

#define TOP_DEFAULT 5

static int32_t offset_of(const struct pt_session *s, const struct pt_oom_case *c)
{
    return s->args->utc || !c->found ? 0 : c->before.view->snap.utc_offset_s;
}

static int print_head(const struct pt_session *s, const struct pt_oom_case *c)
{
    FILE *out = s->args->out;
    char when[PT_UNITS_BUF];
    struct pt_buf lines, told;
    pt_units_time(when, sizeof(when), c->real_us, offset_of(s, c));
    if (!c->killed) {
        fprintf(out, "no OOM kill was recorded%s\n\n%s  @%" PRId64 ": if memory ran out then\n",
                c->kills ? " by then" : "", when, c->before.view->snap.n);
        return 0;
    }
    fprintf(out, "%s  OOM kill %" PRId64 " of %" PRId64 "\n", when, c->rank, c->kills);
    pt_buf_init(&lines, SIZE_MAX / 2);
    pt_buf_init(&told, SIZE_MAX / 2);
    pt_text_amounts(c->text, strlen(c->text), &told);
    pt_text_wrap(c->subject, strlen(c->subject), 0, PT_TEXT_WIDTH, &lines);
    if (*c->subject && *c->text)
        pt_buf_put(&lines, ":\n    ", 6);
    pt_text_wrap((const char *)told.data, told.len, 4, PT_TEXT_WIDTH, &lines);
    fprintf(out, "%.*s\n", (int)lines.len, (const char *)lines.data);
    const int rc = lines.failed || told.failed ? -1 : 0;
    pt_buf_release(&lines);
    pt_buf_release(&told);
    return rc;
}

static int print_text(const struct pt_session *s, const struct pt_oom_case *c)
{
    const size_t top = s->args->top == PT_UNKNOWN ? TOP_DEFAULT : (size_t)s->args->top;
    const int rc = print_head(s, c);
    return rc < 0 ? rc : pt_oom_text(c, s, top);
}

static int tell(struct pt_session *s, struct pt_err *err)
{
    const struct pt_args *args = s->args;
    const char *at = args->at ? args->at : args->npositional > 1 ? args->positional[1] : NULL;
    struct pt_oom_case c;
    int64_t moment = INT64_MAX;
    if (args->at && args->npositional > 1)
        return pt_err_set(err, PT_EUSAGE, 0, NULL, -1, "an instant is given twice");
    int rc = at ? pt_session_moment(s, at, &moment, err) : 0;
    if (rc >= 0 && !at && s->span.count == 0)
        return pt_err_set(err, PT_ENOTFOUND, 0, NULL, -1, "'%s' holds no snapshots",
                          pt_db_path(s->db));
    if (rc >= 0)
        rc = pt_oom_find(s, moment, &c, err);
    if (rc < 0)
        return rc;
    rc = args->json ? pt_json_print(pt_oom_json(&c, args->top), args->out) : print_text(s, &c);
    pt_oom_release(&c);
    return pt_session_printed(s, rc, err);
}

const struct pt_command pt_cmd_oom = {
    .name = "oom",
    .usage = "DB [--at T]",
    .summary = "an OOM kill, and whom it would hit next",
    .detail = "The last kill at or before T: whose limit it was, the minutes before, who had\n"
              "grown, whom the kernel would choose next, and the zones. Where none was\n"
              "recorded: whom it would choose at T. 'events --kind oom' lists all kills.\n",
    .options = PT_OPT_AT | PT_OPT_TOP | PT_OPT_UTC,
    .min = 1,
    .max = 2,
    .tell = tell,
};
