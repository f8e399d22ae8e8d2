/* SPDX-License-Identifier: MIT
 * pagetrail check: is every byte of a recording good? */
#include <inttypes.h>
#include <unistd.h>

#include "analyze/print/json.h"
#include "analyze/check/repair.h"
#include "analyze/session.h"
#include "analyze/print/units.h"

static void progress(void *ctx, int64_t done, int64_t total)
{
    (void)ctx;
    fprintf(stderr, "\rchecked %" PRId64 " of %" PRId64 "\033[K", done, total);
}

json_t *pt_damage_json(const struct pt_damage *d)
{
    const bool span = d->first > 0;
    return json_pack("{s:o, s:o, s:o, s:o}", "place", pt_json_str(d->place), "what",
                     pt_json_str(d->what), "first", pt_json_int(span ? d->first : PT_UNKNOWN),
                     "last", pt_json_int(span ? d->last : PT_UNKNOWN));
}

static json_t *damage(const struct pt_session *s)
{
    json_t *a = json_array();
    for (size_t i = 0; i < s->ndamage; i++)
        json_array_append_new(a, pt_damage_json(&s->damage[i]));
    return a;
}

static int print(const struct pt_session *s, bool clean)
{
    char size[PT_UNITS_BUF];
    if (s->args->json)
        return pt_json_print(json_pack("{s:b, s:I, s:I, s:o}", "ok", clean, "snapshots",
                                       (json_int_t)s->span.count, "bytes",
                                       (json_int_t)s->span.bytes, "damaged", damage(s)),
                             s->args->out);
    fprintf(s->args->out,
            "%" PRId64 " snapshots, %" PRId64 " segments, %" PRId64 " frames, %s: ", s->span.count,
            s->span.segments, s->span.frames,
            pt_units_bytes(size, sizeof(size), s->span.bytes, false));
    if (clean)
        fputs("good\n", s->args->out);
    else
        fprintf(s->args->out, "damaged in %zu place%s\n", s->ndamage, s->ndamage == 1 ? "" : "s");
    return 0;
}

static int run(const struct pt_args *args)
{
    if (args->repair)
        return pt_repair(args);
    if (args->output) {
        fputs("pagetrail: '--output' needs '--repair'\n", stderr);
        return PT_EXIT_USAGE;
    }
    struct pt_session s;
    struct pt_err err = {0};
    int status = pt_session_open(args, args->positional[0], &s);
    if (status)
        return status;
    const bool tty = isatty(STDERR_FILENO);
    const int rc = pt_db_check(s.db, tty ? progress : NULL, NULL, &err);
    if (tty)
        fputs("\r\033[K", stderr);
    if (rc < 0)
        status = pt_fail(&err);
    else if (print(&s, rc == 0 && s.ndamage == 0) < 0)
        status = PT_EXIT_READ;
    else if (rc > 0)
        status = PT_EXIT_DAMAGED;
    return pt_session_close(&s, status);
}

const struct pt_command pt_cmd_check = {
    .name = "check",
    .usage = "DB [--repair [-o NEW]]",
    .summary = "verify every byte, or save what is good",
    .detail = "Decodes every frame and block, and lists the damaged places on standard error.\n"
              "A repair looks for snapshots in every page of DB, and of the -wal beside it,\n"
              "whatever their condition, writes them into a new recording, and says what is\n"
              "missing. DB stays as it is.\n",
    .options = PT_OPT_REPAIR,
    .min = 1,
    .max = 1,
    .run = run,
};
