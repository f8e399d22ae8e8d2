/* SPDX-License-Identifier: MIT
 * pagetrail leaks: who leaks, since when, how fast; and why all else that grew is not called so. */
#include <string.h>

#include "analyze/leaks/leaks_print.h"
#include "analyze/print/json.h"
#include "schema/source.h"

static bool names(const char *name, const char *wanted)
{
    return name && strcmp(name, wanted) == 0;
}

static bool of_subject(const struct pt_finding *f, const char *wanted)
{
    int64_t pid, scale;
    if (f->life && pt_number(wanted, strlen(wanted), &pid, &scale) && scale == 1)
        return f->life->pid == pid;
    const struct pt_life *l = f->life;
    return names(f->name, wanted) || (f->group && names(f->group->name, wanted)) ||
           (l && (names(l->comm, wanted) || names(l->service, wanted) || names(l->exe, wanted)));
}

bool pt_finding_shown(const struct pt_finding *f, const struct pt_args *args)
{
    if (args->subject && !of_subject(f, args->subject))
        return false;
    return args->all || args->subject ||
           (f->ruling.verdict != PT_STABLE && f->ruling.verdict != PT_INSUFFICIENT);
}

/* A name that nobody had is a wrong one, and no reason to be at ease. */
static bool is_known(const struct pt_leaks *l, const char *wanted)
{
    for (size_t i = 0; i < l->n; i++)
        if (of_subject(&l->v[i], wanted))
            return true;
    for (size_t i = 0; i < l->nquiet; i++) {
        const struct pt_finding quiet = pt_quiet_finding(&l->quiet[i]);
        if (of_subject(&quiet, wanted))
            return true;
    }
    return false;
}

static int tell(struct pt_session *s, struct pt_err *err)
{
    const struct pt_args *args = s->args;
    struct pt_leaks leaks;
    int64_t from, to;
    bool found = false;
    int rc = pt_session_span(s, false, &from, &to, err);
    if (rc >= 0)
        rc = pt_leaks_find(s, from, to, &leaks, err);
    if (rc < 0)
        return rc;
    if (args->subject && !is_known(&leaks, args->subject)) {
        pt_leaks_release(&leaks);
        return pt_err_set(
            err, PT_ENOTFOUND, 0, NULL, -1,
            "nothing that is ruled on in this span is called '%s': --all lists what is",
            args->subject);
    }
    rc = args->json ? pt_json_print(pt_leaks_json(&leaks, s), args->out) : pt_leaks_text(&leaks, s);
    for (size_t i = 0; i < leaks.n; i++)
        found |=
            pt_verdict_alarms(leaks.v[i].ruling.verdict) && pt_finding_shown(&leaks.v[i], args);
    pt_leaks_release(&leaks);
    rc = pt_session_printed(s, rc, err);
    return rc == 0 && found && args->exit_code ? PT_EXIT_FINDINGS : rc;
}

const struct pt_command pt_cmd_leaks = {
    .name = "leaks",
    .usage = "DB [--since T] [--until T] [--subject WHO] [--all]",
    .summary = "who leaks memory, since when and how fast",
    .detail = "Rules on every process, service, slab cache, tmpfs and kernel counter: a leak,\n"
              "or why its growth is not called one. -v shows the evidence.\n",
    .options = PT_OPT_FINDINGS | PT_OPT_TOP | PT_OPT_UTC,
    .min = 1,
    .max = 1,
    .tell = tell,
};
