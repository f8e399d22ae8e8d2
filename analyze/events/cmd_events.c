/* SPDX-License-Identifier: MIT
 * pagetrail events: what happened, in the order it was told. Events are fetched a page at a time:
 * nothing holds a read transaction while somebody reads what was printed. */
#include <inttypes.h>
#include <string.h>

#include "analyze/oom/oom.h"
#include "analyze/print/json.h"
#include "analyze/print/table.h"
#include "analyze/print/text.h"
#include "analyze/print/units.h"

#define PAGE     256
#define WHAT_AT  30 /* the column where the text begins */
#define TOP_TEXT 5  /* processes of a picture */
#define TOP_LONG 20 /* of one in JSON, and with -v */

struct walk {
    const struct pt_session *s;
    int64_t from_us, to_us;
    int64_t skip;  /* so many are left out */
    int64_t count; /* told so far */
    int64_t after; /* id of the last one seen */
    struct pt_db_event page[PAGE];
    size_t n;
    struct pt_arena texts; /* of the page */
    int32_t offset_s;      /* told in the title above */
};

static bool wanted(const struct walk *w, const struct pt_db_event *e)
{
    const uint32_t kinds = w->s->args->kinds;
    const unsigned bit = e->kind >= 0 && e->kind < 31 ? (unsigned)e->kind : 31; /* 31: unknown */
    return kinds == 0 || (kinds & UINT32_C(1) << bit);
}

static int count(void *ctx, const struct pt_db_event *e)
{
    struct walk *w = ctx;
    w->count += wanted(w, e);
    return 0;
}

static int gather(void *ctx, const struct pt_db_event *e)
{
    struct walk *w = ctx;
    w->after = e->id;
    if (!wanted(w, e) || w->skip-- > 0)
        return 0;
    struct pt_db_event *kept = &w->page[w->n++];
    *kept = *e;
    kept->subject = pt_arena_copy(&w->texts, e->subject, strlen(e->subject));
    kept->text = pt_arena_copy(&w->texts, e->text, strlen(e->text));
    return !kept->subject || !kept->text ? -PT_ENOMEM : w->n == PAGE;
}

static const char *kind_of(const struct pt_db_event *e, char *buf, size_t size)
{
    const char *name = pt_event_name(e->kind);
    if (name)
        return name;
    snprintf(buf, size, "kind %d", e->kind);
    return buf;
}

/* ---- text ---- */

/* The zone of the host when it happened. */
static int32_t offset_of(const struct walk *w, const struct pt_db_event *e)
{
    struct pt_snap snap;
    int64_t n = e->n;
    if (w->s->args->utc)
        return 0;
    if (n != PT_UNKNOWN && pt_db_snap(w->s->db, n, &snap, NULL) >= 0)
        return snap.utc_offset_s;
    if (pt_db_find(w->s->db, e->real_us, PT_SEEK_NEAREST, &n, NULL) >= 0 &&
        pt_db_snap(w->s->db, n, &snap, NULL) >= 0)
        return snap.utc_offset_s;
    return 0;
}

static void print_title(struct walk *w, const char *zone)
{
    const struct pt_args *args = w->s->args;
    char time[PT_UNITS_BUF];
    snprintf(time, sizeof(time), "TIME %s", zone);
    fprintf(args->out, args->colour ? "\033[1m%-19s  %-7s  %s\033[0m\n" : "%-19s  %-7s  %s\n", time,
            "EVENT", "WHAT");
}

static int print_text(struct walk *w, const struct pt_db_event *e)
{
    enum { DATE_AND_TIME = 19 };
    char when[PT_UNITS_BUF], kind[32];
    struct pt_buf what, lines;
    const int32_t offset = offset_of(w, e);
    pt_units_time(when, sizeof(when), e->real_us, offset);
    const bool whole = strlen(when) > DATE_AND_TIME;
    if (w->count == 0 || offset != w->offset_s)
        print_title(w, whole ? when + DATE_AND_TIME + 1 : "");
    w->offset_s = offset;
    pt_buf_init(&what, SIZE_MAX / 2);
    pt_buf_init(&lines, SIZE_MAX / 2);
    pt_buf_put(&what, e->subject, strlen(e->subject));
    if (*e->subject && *e->text)
        pt_buf_put(&what, ": ", 2);
    pt_text_amounts(e->text, strlen(e->text), &what);
    pt_text_wrap((const char *)what.data, what.len, WHAT_AT, PT_TEXT_WIDTH, &lines);
    const int rc = what.failed || lines.failed ? -1 : 0;
    if (rc == 0)
        fprintf(w->s->args->out, "%-19.19s  %-7s  %.*s\n", when, kind_of(e, kind, sizeof(kind)),
                (int)lines.len, (const char *)lines.data);
    pt_buf_release(&what);
    pt_buf_release(&lines);
    return rc;
}

/* ---- csv: RFC 4180, text made fit for a terminal ---- */

static int put_csv(FILE *out, const char *s, char end)
{
    struct pt_buf text;
    pt_buf_init(&text, SIZE_MAX / 2);
    pt_text_escape(s, strlen(s), &text);
    const bool quoted = memchr(text.data ? (const char *)text.data : "", ',', text.len) ||
                        memchr(text.data ? (const char *)text.data : "", '"', text.len);
    if (quoted)
        fputc('"', out);
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '"')
            fputc('"', out);
        fputc(text.data[i], out);
    }
    if (quoted)
        fputc('"', out);
    fputc(end, out);
    const int rc = text.failed ? -1 : 0;
    pt_buf_release(&text);
    return rc;
}

static int print_csv(struct walk *w, const struct pt_db_event *e)
{
    FILE *out = w->s->args->out;
    char time[PT_UNITS_BUF], kind[32];
    fprintf(out, "%s,%s,", pt_units_rfc3339(time, sizeof(time), e->real_us),
            kind_of(e, kind, sizeof(kind)));
    if (put_csv(out, e->subject, ',') < 0 || put_csv(out, e->text, ',') < 0)
        return -1;
    if (e->n != PT_UNKNOWN)
        fprintf(out, "%" PRId64, e->n);
    fputc('\n', out);
    return 0;
}

/* ---- JSON ---- */

static int print_json(struct walk *w, const struct pt_db_event *e, const struct pt_before *before)
{
    FILE *out = w->s->args->out;
    char kind[32];
    json_t *o = json_pack("{s:o, s:s, s:o, s:o, s:o}", "time", pt_json_time(e->real_us), "kind",
                          kind_of(e, kind, sizeof(kind)), "subject", pt_json_str(e->subject),
                          "detail", pt_json_str(e->text), "snapshot", pt_json_int(e->n));
    if (o && e->kind == PT_EVENT_OOM &&
        json_object_set_new(o, "before", before ? pt_before_json(before, TOP_LONG) : json_null()) <
            0) {
        json_decref(o);
        return -1;
    }
    fputs(w->count ? ",\n" : "\n", out);
    const int rc = o ? json_dumpf(o, out, JSON_INDENT(2)) : -1;
    json_decref(o);
    return rc;
}

/* ---- all of them ---- */

/* With -v an OOM kill is looked into. */
static int look_into(struct walk *w, const struct pt_db_event *e, struct pt_err *err)
{
    struct pt_oom_case c;
    int rc = pt_oom_of(w->s, e, &c, err);
    if (rc < 0)
        return rc;
    rc = print_text(w, e);
    if (rc == 0)
        rc = pt_oom_text(&c, w->s, TOP_LONG);
    pt_oom_release(&c);
    w->count++;
    return rc == 0 || ferror(w->s->args->out) ? rc : pt_err_nomem(err);
}

static int tell(struct walk *w, const struct pt_db_event *e, struct pt_err *err)
{
    const struct pt_args *args = w->s->args;
    struct pt_before before = {0};
    struct pt_err why = {0};
    int rc;
    if (e->kind == PT_EVENT_OOM && args->verbose && !args->csv && !args->json)
        return look_into(w, e, err);
    if (e->kind == PT_EVENT_OOM && !args->csv && pt_before_load(w->s, e, &before, &why) < 0 &&
        why.code != PT_ENOTFOUND && why.code != PT_EDAMAGED)
        return pt_err_set(err, why.code, why.sys, why.source, why.position, "%s", why.text);
    if (args->json)
        rc = print_json(w, e, before.view ? &before : NULL);
    else
        rc = args->csv ? print_csv(w, e) : print_text(w, e);
    if (rc == 0 && before.view && !args->json)
        rc = pt_before_print(w->s, &before, TOP_TEXT);
    if (rc == 0 && why.code == PT_EDAMAGED && !args->json)
        fputs("    what stood before it cannot be read: the recording is damaged there\n",
              args->out);
    pt_before_release(&before);
    w->count++;
    /* a failed write is told at the end of the program */
    return rc == 0 || ferror(args->out) ? rc : pt_err_nomem(err);
}

/* 1: there may be more. */
static int tell_page(struct walk *w, struct pt_err *err)
{
    w->n = 0;
    int rc = pt_db_events(w->s->db, w->from_us, w->to_us, w->after, gather, w, err);
    if (rc == -PT_ENOMEM)
        pt_err_nomem(err);
    for (size_t i = 0; rc >= 0 && i < w->n; i++) {
        const int told = tell(w, &w->page[i], err);
        rc = told < 0 ? told : rc;
    }
    pt_arena_release(&w->texts);
    return rc;
}

static int tell_all(struct walk *w, struct pt_err *err)
{
    const struct pt_args *args = w->s->args;
    int rc = 0;
    if (args->top != PT_UNKNOWN) { /* the newest: the others are counted first */
        rc = pt_db_events(w->s->db, w->from_us, w->to_us, INT64_MIN, count, w, err);
        w->skip = w->count - args->top;
        w->count = 0;
    }
    if (args->json)
        fputc('[', args->out);
    else if (args->csv)
        fputs("time,kind,subject,detail,snapshot\n", args->out);
    if (rc >= 0)
        do
            rc = tell_page(w, err);
        while (rc > 0);
    if (args->json)
        fputs(w->count ? "\n]\n" : "]\n", args->out);
    if (rc == 0 && w->count == 0 && !args->json && !args->csv)
        fprintf(stderr, "pagetrail: %s\n",
                args->kinds || w->from_us > INT64_MIN || w->to_us < INT64_MAX
                    ? "no such events"
                    : "no events were recorded");
    return rc;
}

static int span(struct walk *w, struct pt_err *err)
{
    struct pt_asked asked;
    if (pt_session_asked(w->s, &asked, err) < 0 ||
        (asked.from && pt_session_moment(w->s, asked.from, &w->from_us, err) < 0) ||
        (asked.to && pt_session_moment(w->s, asked.to, &w->to_us, err) < 0))
        return -1;
    if (w->from_us > w->to_us)
        return pt_err_set(err, PT_EUSAGE, 0, NULL, -1, "'%s' lies after '%s'",
                          asked.from ? asked.from : "first", asked.to ? asked.to : "last");
    return 0;
}

static int tell_span(struct pt_session *s, struct pt_err *err)
{
    struct walk w = {.s = s, .from_us = INT64_MIN, .to_us = INT64_MAX, .after = INT64_MIN};
    const int rc = span(&w, err);
    return rc < 0 ? rc : pt_session_printed(s, tell_all(&w, err), err);
}

const struct pt_command pt_cmd_events = {
    .name = "events",
    .usage = "DB [FROM [TO]] [--kind KIND,...] [--top N]",
    .summary = "OOM kills, exits, triggers, gaps, ...",
    .detail = "OOM kills come with the picture before them: memory, pressure and the largest\n"
              "processes at the last snapshot that has the victim; -v looks into them as\n"
              "'pagetrail oom' does.\n\n"
              "kinds: start, stop, crash (of the recorder), gap, clock, suspend, reboot, oom,\n"
              "exit, trigger, burst, skip (not read), lost, retain (thinned, dropped), note\n",
    .options = PT_OPT_FROM_TO | PT_OPT_KIND | PT_OPT_TOP | PT_OPT_UTC | PT_OPT_CSV,
    .min = 1,
    .max = 3,
    .tell = tell_span,
};
