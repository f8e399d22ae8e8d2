/* SPDX-License-Identifier: MIT
 * pagetrail report: all findings in one document, over time. */
#include "analyze/report/cmd_report.h"

#include <string.h>

#include "analyze/report/against.h"
#include "analyze/report/output.h"
#include "analyze/report/progress.h"
#include "analyze/report/tree.h"

static const struct pt_report_format formats[] = {
    {"text", "txt", pt_report_text},
    {"markdown", "md", pt_report_markdown},
    {"html", "html", pt_report_html},
    {"json", "json", pt_report_json},
};

const struct pt_report_format *pt_report_format_of(const char *name, struct pt_err *err)
{
    for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++)
        if (strcmp(formats[i].name, name) == 0)
            return &formats[i];
    pt_err_set(err, PT_EUSAGE, 0, NULL, -1,
               "'%s' is not a format of a report: text, markdown, html or json", name);
    return NULL;
}

/* The one that was asked for; else the one that the file's name ends as. */
static const struct pt_report_format *format_for(const struct pt_args *args, struct pt_err *err)
{
    const char *dot = args->output && !args->every ? strrchr(args->output, '.') : NULL;
    if (args->format)
        return pt_report_format_of(args->format, err);
    for (size_t i = 0; dot && i < sizeof(formats) / sizeof(*formats); i++)
        if (strcmp(formats[i].suffix, dot + 1) == 0)
            return &formats[i];
    return &formats[0];
}

int pt_report_write(const json_t *doc, const struct pt_report_format *format, const char *path,
                    struct pt_output *ret, struct pt_err *err)
{
    int rc = pt_output_begin(ret, path, err);
    if (rc < 0)
        return rc;
    if (format->print(doc, ret->file) >= 0 || ferror(ret->file))
        return pt_output_sync(ret, err); /* which tells why it could not be written */
    pt_output_end(ret, 0, NULL);
    return pt_err_nomem(err);
}

int pt_report_put(const json_t *doc, const struct pt_report_format *format, const char *path,
                  FILE *out, struct pt_err *err)
{
    struct pt_output o;
    sigset_t was;
    if (!path) { /* a failed write is told at the end of the program */
        const int rc = format->print(doc, out);
        return rc < 0 && !ferror(out) ? pt_err_nomem(err) : 0;
    }
    pt_output_hold(&was);
    int rc = pt_report_write(doc, format, path, &o, err);
    if (rc >= 0)
        rc = pt_output_end(&o, 1, err);
    pt_output_let(&was);
    return rc;
}

json_t *pt_report_of(struct pt_session *s, int64_t from, int64_t to, struct pt_err *err)
{
    const struct pt_report_options o = {
        .from = from, .to = to, .top = s->args->top, .charts = true, .progress = pt_progress_tell};
    return pt_report_make(s, &o, err);
}

void pt_report_judge(const json_t *doc, struct pt_report_outcome *outcome)
{
    const json_t *sentence;
    size_t i;
    outcome->alarms |= pt_tree_int(pt_tree_at(doc, "leaks"), "alarms") > 0;
    json_array_foreach(pt_tree_at(doc, "verdict"), i, sentence)
    {
        outcome->alarms |= pt_tree_is(sentence, "severity", "alarm");
    }
    outcome->partial |= pt_tree_count(doc, "left_out") > 0;
}

/* One document of the whole span. */
static int one(struct pt_session *s, const struct pt_report_span *span,
               struct pt_report_outcome *ret, struct pt_err *err)
{
    const struct pt_args *args = s->args;
    const char *kind = NULL, *slash = args->against ? strrchr(args->against, '/') : NULL;
    json_t *old = NULL;
    if (args->against && !(old = pt_against_load(args, args->against, &kind, err)))
        return -1;
    json_t *doc = pt_report_of(s, span->from, span->to, err);
    int rc = doc ? 0 : -1;
    if (rc >= 0 && old)
        rc = pt_against_apply(doc, old, kind, slash ? slash + 1 : args->against, err);
    if (rc >= 0)
        rc = pt_report_put(doc, span->format, args->output, args->out, err);
    if (rc >= 0)
        pt_report_judge(doc, ret);
    ret->partial |= kind && strcmp(kind, "database") == 0 && pt_tree_int(old, "damaged") > 0;
    json_decref(old);
    json_decref(doc);
    return rc;
}

static int choose(struct pt_session *s, struct pt_report_outcome *ret, struct pt_err *err)
{
    const struct pt_args *args = s->args;
    struct pt_report_span span = {.format = format_for(args, err)};
    const int ways = !!args->against + !!args->every + !!args->split_at + args->compare_boots;
    if (!span.format)
        return -1;
    if (ways > 1)
        return pt_err_set(err, PT_EUSAGE, 0, NULL, -1,
                          "--against, --every, --split-at and --compare-boots: one of them");
    /* of an empty recording too there is something to say */
    span.from = s->span.first;
    span.to = s->span.last;
    if ((s->span.count > 0 || args->from || args->to) &&
        pt_session_span(s, false, &span.from, &span.to, err) < 0)
        return -1;
    if (args->every)
        return pt_report_every(s, &span, ret, err);
    if (args->split_at)
        return pt_report_split(s, &span, ret, err);
    if (args->compare_boots)
        return pt_report_boots(s, &span, ret, err);
    return one(s, &span, ret, err);
}

static int tell(struct pt_session *s, struct pt_err *err)
{
    struct pt_report_outcome outcome = {.alarms = false};
    pt_progress_begin();
    const int rc = choose(s, &outcome, err);
    pt_progress_end();
    if (rc < 0)
        return rc;
    if (outcome.alarms && s->args->exit_code)
        return PT_EXIT_FINDINGS;
    return outcome.partial ? PT_EXIT_DAMAGED : PT_EXIT_OK;
}

const struct pt_command pt_cmd_report = {
    .name = "report",
    .usage = "DB [--format FORMAT] [-o FILE] [--against OLD]",
    .summary = "all findings in one document, over time",
    .detail = "The verdict first, worst first; then the machine, leaks with their evidence,\n"
              "who grew, memory over time, OOM kills, events, processes and what recording\n"
              "cost.\n",
    .options = PT_OPT_FROM_TO | PT_OPT_REPORT | PT_OPT_TOP | PT_OPT_UTC,
    .min = 1,
    .max = 1,
    .tell = tell,
};
