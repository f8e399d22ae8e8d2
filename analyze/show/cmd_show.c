/* SPDX-License-Identifier: MIT
 * pagetrail show: what the machine looked like at an instant. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "analyze/print/json.h"
#include "analyze/show/show.h"
#include "analyze/print/units.h"

static const struct view {
    const char *name;
    int extra; /* arguments after it */
    pt_show_fn *show;
} views[] = {
    {"text", 1, pt_show_text},
    {"meminfo", 0, pt_show_meminfo},
    {"ps", 0, pt_show_ps},
};

void pt_show_head(const struct pt_session *s, const char *view, const struct pt_snap *snap)
{
    char when[PT_UNITS_BUF];
    fprintf(s->args->out, "%s at %s  @%" PRId64 "\n\n", view,
            pt_session_time(s, snap, when, sizeof(when)), snap->n);
}

const char *pt_show_why_not(enum pt_presence presence, int why)
{
    switch (presence) {
    case PT_UNREADABLE:
        return why == ETIMEDOUT ? "could not be read: the read hung" : strerror(why);
    case PT_ABSENT:
        return "was not there, or is not recorded";
    case PT_LOST:
        return "is damaged in the recording";
    case PT_READ:
    case PT_CARRIED:
        break;
    }
    return "has no text";
}

static void tell_carried(const struct pt_session *s, const struct pt_source_at *at,
                         const struct pt_snap *snap)
{
    char age[PT_UNITS_BUF];
    if (at->presence == PT_CARRIED && at->read_us != PT_UNKNOWN && s->args->verbose)
        fprintf(stderr, "pagetrail: '%s' was read %s before\n", at->name,
                pt_units_duration(age, sizeof(age), pt_units_minus(snap->real_us, at->read_us)));
}

static const char *presence_name(enum pt_presence presence)
{
    static const char *const names[] = {[PT_READ] = "read",
                                        [PT_CARRIED] = "carried",
                                        [PT_UNREADABLE] = "unreadable",
                                        [PT_ABSENT] = "absent",
                                        [PT_LOST] = "lost"};
    return names[presence];
}

static int text_json(const struct pt_session *s, const char *name, const struct pt_snap *snap,
                     const struct pt_source_at *at, const struct pt_buf *text, bool has_text)
{
    json_t *o =
        json_pack("{s:o, s:I, s:o, s:s, s:o, s:o}", "source", pt_json_str(name), "snapshot",
                  (json_int_t)snap->n, "time", pt_json_time(snap->real_us), "presence",
                  presence_name(at->presence), "read", pt_json_time(at->read_us), "text",
                  has_text ? pt_json_name((const char *)text->data, text->len) : json_null());
    return pt_json_print(o, s->args->out);
}

int pt_show_text(const struct pt_session *s, int64_t n)
{
    const char *name = s->args->positional[2];
    struct pt_source_at at = {.presence = PT_ABSENT, .read_us = PT_UNKNOWN};
    struct pt_snap snap;
    struct pt_err err = {0};
    struct pt_buf text;
    int status = PT_EXIT_OK;
    pt_buf_init(&text, SIZE_MAX / 2);
    if (pt_db_snap(s->db, n, &snap, &err) < 0 || pt_db_text(s->db, n, name, &at, &text, &err) < 0) {
        pt_buf_release(&text);
        return pt_fail(&err);
    }
    const bool has_text = at.presence == PT_READ || at.presence == PT_CARRIED;
    if (s->args->json && text_json(s, name, &snap, &at, &text, has_text) < 0)
        status = PT_EXIT_READ;
    if (!has_text) {
        fprintf(stderr, "pagetrail: '%s' at @%" PRId64 ": %s\n", name, n,
                pt_show_why_not(at.presence, at.why));
        status = PT_EXIT_READ;
    } else if (!s->args->json) {
        fwrite(text.data, 1, text.len, s->args->out);
        at.name = name;
        tell_carried(s, &at, &snap);
    }
    pt_buf_release(&text);
    return status;
}

static const struct view *view_of(const char *name)
{
    for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
        if (strcmp(name, views[i].name) == 0)
            return &views[i];
    }
    return NULL;
}

static int run(const struct pt_args *args)
{
    const struct view *view = view_of(args->positional[1]);
    struct pt_session s;
    struct pt_err err = {0};
    int64_t n;
    if (!view || args->npositional != 2 + view->extra) {
        if (!view)
            fprintf(stderr, "pagetrail show: '%s' is not a view\n", args->positional[1]);
        fprintf(stderr, "usage: pagetrail show DB text SOURCE | meminfo | ps [--at TIME]\n"
                        "'pagetrail show --help' says more\n");
        return PT_EXIT_USAGE;
    }
    int status = pt_session_open(args, args->positional[0], &s);
    if (status)
        return status;
    status = pt_session_find(&s, args->at, false, &n, &err) < 0 ? pt_fail(&err) : view->show(&s, n);
    return pt_session_close(&s, status);
}

const struct pt_command pt_cmd_show = {
    .name = "show",
    .usage = "DB VIEW [SOURCE] [--at TIME]",
    .summary = "what an instant looked like",
    .detail = "views:\n"
              "  text SOURCE  the exact bytes of a recorded file, such as proc:meminfo or\n"
              "               proc:1/status\n"
              "  meminfo      memory and swap as free(1) puts it, then every line of meminfo\n"
              "  ps           the processes\n",
    .options = PT_OPT_AT | PT_OPT_TOP | PT_OPT_UTC,
    .min = 2,
    .max = 3,
    .run = run,
};
