/* SPDX-License-Identifier: MIT
 * Opening, finding, closing. */
#include "analyze/session.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/print/text.h"
#include "analyze/print/units.h"
#include "schema/array.h"

#define DAMAGE_MAX  100000u
#define TIME_MAX_US INT64_C(253402300800000000) /* the year 10000 */

int pt_fail(const struct pt_err *err)
{
    struct pt_buf text;
    pt_buf_init(&text, 4096);
    pt_text_escape(err->text, strlen(err->text), &text);
    fprintf(stderr, "pagetrail: %.*s\n", (int)text.len, (const char *)text.data);
    pt_buf_release(&text);
    if (err->code == PT_EOPEN && err->sys == EACCES)
        fputs("recordings are readable by root and the user that records: try sudo\n", stderr);
    return err->code == PT_EUSAGE ? PT_EXIT_USAGE : PT_EXIT_READ;
}

static void note_damage(void *ctx, const char *place, int64_t n1, int64_t n2, const char *what)
{
    struct pt_session *s = ctx;
    if (s->ndamage == DAMAGE_MAX)
        return;
    struct pt_damage *grown = pt_array_room(s->damage, s->ndamage, &s->damage_cap, sizeof(*grown));
    if (!grown)
        return;
    s->damage = grown;
    s->damage[s->ndamage++] =
        (struct pt_damage){.place = strdup(place), .what = strdup(what), .first = n1, .last = n2};
}

static int open_reader(const struct pt_args *args, const char *path, struct pt_session *ret,
                       struct pt_err *err)
{
    *ret = (struct pt_session){.args = args};
    int rc = pt_db_open(path, &ret->db, err);
    if (rc >= 0) {
        pt_db_on_damage(ret->db, note_damage, ret);
        rc = pt_db_span(ret->db, &ret->span, err);
    }
    if (rc >= 0) {
        ret->smaps = pt_smaps_new(pt_db_shapes(ret->db));
        rc = ret->smaps ? 0 : pt_err_nomem(err);
    }
    return rc;
}

int pt_session_open(const struct pt_args *args, const char *path, struct pt_session *ret)
{
    struct pt_err err = {0};
    if (open_reader(args, path, ret, &err) >= 0)
        return 0;
    const int status = pt_fail(&err);
    pt_session_close(ret, status);
    return status;
}

void pt_session_rest(struct pt_session *s)
{
    pt_smaps_free(s->smaps);
    pt_db_close(s->db);
    s->smaps = NULL;
    s->db = NULL;
}

static void close_reader(struct pt_session *s)
{
    pt_session_rest(s);
    for (size_t i = 0; i < s->ndamage; i++) {
        free(s->damage[i].place);
        free(s->damage[i].what);
    }
    free(s->damage);
    *s = (struct pt_session){.args = s->args};
}

int pt_session_again(const struct pt_session *s, struct pt_session *ret, struct pt_err *err)
{
    const int rc = open_reader(s->args, pt_db_path(s->db), ret, err);
    if (rc < 0)
        close_reader(ret);
    return rc;
}

/* Each place is told once. */
static bool has_damage(const struct pt_session *s, const struct pt_damage *d)
{
    for (size_t i = 0; i < s->ndamage; i++) {
        const struct pt_damage *k = &s->damage[i];
        if (k->first == d->first && k->place && d->place && strcmp(k->place, d->place) == 0)
            return true;
    }
    return false;
}

void pt_session_join(struct pt_session *s, struct pt_session *again)
{
    for (size_t i = 0; i < again->ndamage; i++) {
        const struct pt_damage *d = &again->damage[i];
        if (!has_damage(s, d))
            note_damage(s, d->place ? d->place : "?", d->first, d->last, d->what ? d->what : "?");
    }
    close_reader(again);
}

void pt_tell_damage(const char *kind, const struct pt_damage *d)
{
    struct pt_buf text;
    pt_buf_init(&text, 8192);
    if (d->place)
        pt_text_escape(d->place, strlen(d->place), &text);
    pt_buf_put(&text, ": ", 2);
    if (d->what)
        pt_text_escape(d->what, strlen(d->what), &text);
    fprintf(stderr, "pagetrail: %s: %.*s", kind, (int)text.len, (const char *)text.data);
    if (d->first > 0)
        fprintf(stderr, " (snapshots %" PRId64 " to %" PRId64 ")", d->first, d->last);
    fputc('\n', stderr);
    pt_buf_release(&text);
}

int pt_session_close(struct pt_session *s, int status)
{
    enum { TOLD = 10 };
    const bool tell = s->db && s->args->verbose;
    for (size_t i = 0; i < s->ndamage; i++) {
        if (i < TOLD || tell)
            pt_tell_damage("damaged", &s->damage[i]);
    }
    if (s->ndamage > TOLD && !tell)
        fprintf(stderr, "pagetrail: damaged: %zu more places (-v lists them)\n", s->ndamage - TOLD);
    if (s->ndamage > 0 && status == PT_EXIT_OK)
        status = PT_EXIT_DAMAGED;
    close_reader(s);
    return status;
}

int pt_session_run(const struct pt_args *args,
                   int (*tell)(struct pt_session *s, struct pt_err *err))
{
    struct pt_session s;
    struct pt_err err = {0};
    int status = pt_session_open(args, args->positional[0], &s);
    if (status)
        return status;
    status = tell(&s, &err);
    if (status < 0)
        status = pt_fail(&err);
    return pt_session_close(&s, status);
}

int pt_session_printed(const struct pt_session *s, int rc, struct pt_err *err)
{
    return rc >= 0 || (!err->code && ferror(s->args->out)) ? 0 : pt_err_nomem(err);
}

int64_t pt_session_boot_first(const struct pt_session *s)
{
    for (uint32_t n = pt_db_boots(s->db); n > 0; n--) {
        const int64_t first = pt_db_boot(s->db, n - 1)->first;
        if (first > 0) /* a recorder that was killed may leave a boot without snapshots */
            return first;
    }
    return s->span.first;
}

int64_t pt_session_interval(const struct pt_session *s)
{
    const int64_t us = pt_db_meta(s->db)->interval_us;
    return us > 0 && us < TIME_MAX_US ? us : 10 * INT64_C(1000000);
}

char *pt_session_time(const struct pt_session *s, const struct pt_snap *snap, char *buf,
                      size_t size)
{
    return pt_units_time(buf, size, snap->real_us, s->args->utc ? 0 : snap->utc_offset_s);
}

void pt_session_print_end(const struct pt_session *s, const char *label, const struct pt_snap *snap)
{
    char when[PT_UNITS_BUF];
    struct pt_buf host;
    const char *name = pt_db_meta(s->db)->host;
    pt_buf_init(&host, 4096);
    pt_text_escape(name, strlen(name), &host);
    fprintf(s->args->out, "%s%s  @%" PRId64 "%s%.*s\n", label,
            pt_session_time(s, snap, when, sizeof(when)), snap->n, host.len ? "  " : "",
            (int)host.len, (const char *)host.data);
    pt_buf_release(&host);
}

/* A wall-clock time was read with the host's offset at the end of the recording; where it was
 * another then (summer time), it is read again with that. */
static int find_time(const struct pt_session *s, const struct pt_instant *instant, int32_t assumed,
                     bool clamp, int64_t *ret_n, int64_t *ret_us, struct pt_err *err)
{
    struct pt_snap snap;
    int64_t us = instant->value;
    const enum pt_seek seek =
        clamp && us < s->span.first_us ? PT_SEEK_FIRST_AFTER : PT_SEEK_LAST_BEFORE;
    int rc = pt_db_find(s->db, us, seek, ret_n, err);
    if (rc >= 0 && instant->local && !s->args->utc && pt_db_snap(s->db, *ret_n, &snap, NULL) >= 0 &&
        snap.utc_offset_s != assumed) {
        us += ((int64_t)assumed - snap.utc_offset_s) * 1000000;
        rc =
            pt_db_find(s->db, us, us < s->span.first_us ? PT_SEEK_FIRST_AFTER : PT_SEEK_LAST_BEFORE,
                       ret_n, err);
    }
    *ret_us = us;
    return rc;
}

static void tell_distance(const struct pt_session *s, const char *asked, int64_t asked_us,
                          int64_t n)
{
    struct pt_snap snap;
    char age[PT_UNITS_BUF], when[PT_UNITS_BUF];
    if (pt_db_snap(s->db, n, &snap, NULL) < 0)
        return;
    pt_session_time(s, &snap, when, sizeof(when));
    const int64_t late = pt_units_minus(snap.real_us, asked_us);
    if (late >= 1000) /* snapshots are found by milliseconds */
        fprintf(stderr, "pagetrail: nothing was recorded before '%s': taking @%" PRId64 " of %s\n",
                asked, n, when);
    else if (late != PT_UNKNOWN && -late > 5 * pt_session_interval(s))
        fprintf(stderr,
                "pagetrail: the last snapshot before '%s' is @%" PRId64 " of %s, %s earlier\n",
                asked, n, when, pt_units_duration(age, sizeof(age), -late));
}

/* time NULL: the last. ret_assumed: the offset from UTC a time of day was read with. */
static int parse_time(const struct pt_session *s, const char *time, struct pt_instant *ret,
                      int32_t *ret_assumed, struct pt_err *err)
{
    struct pt_snap last;
    if (s->span.count == 0)
        return pt_err_set(err, PT_ENOTFOUND, 0, NULL, -1, "'%s' holds no snapshots",
                          pt_db_path(s->db));
    const int rc = pt_db_snap(s->db, s->span.last, &last, err);
    if (rc < 0)
        return rc;
    const struct pt_timespec_base base = {.first_us = s->span.first_us,
                                          .last_us = s->span.last_us,
                                          .utc_offset_s = s->args->utc ? 0 : last.utc_offset_s};
    *ret = (struct pt_instant){.kind = PT_INSTANT_LAST};
    *ret_assumed = base.utc_offset_s;
    return time ? pt_timespec_parse(time, &base, ret, err) : 0;
}

static int find_snapshot(const struct pt_session *s, int64_t n, struct pt_snap *ret,
                         struct pt_err *err)
{
    return pt_db_snap(s->db, n, ret, NULL) < 0
               ? pt_err_set(err, PT_ENOTFOUND, 0, NULL, -1,
                            "there is no snapshot @%" PRId64 ": the recording has @%" PRId64
                            " to @%" PRId64,
                            n, s->span.first, s->span.last)
               : 0;
}

int pt_session_find(const struct pt_session *s, const char *time, bool clamp, int64_t *ret_n,
                    struct pt_err *err)
{
    struct pt_snap last;
    struct pt_instant instant;
    int32_t assumed = 0;
    int64_t us;
    int rc = parse_time(s, time, &instant, &assumed, err);
    if (rc < 0)
        return rc;
    switch (instant.kind) {
    case PT_INSTANT_FIRST:
        *ret_n = s->span.first;
        return 0;
    case PT_INSTANT_LAST:
        *ret_n = s->span.last;
        return 0;
    case PT_INSTANT_SNAPSHOT:
        *ret_n = instant.value;
        return find_snapshot(s, instant.value, &last, err);
    case PT_INSTANT_TIME:
        break;
    }
    struct pt_err why = {0};
    rc = find_time(s, &instant, assumed, clamp, ret_n, &us, &why);
    if (rc < 0 && why.code != PT_ENOTFOUND)
        return pt_err_set(err, why.code, why.sys, why.source, why.position, "%s", why.text);
    if (rc < 0 && pt_db_snap(s->db, s->span.first, &last, NULL) >= 0) {
        char begin[PT_UNITS_BUF], taken[PT_UNITS_BUF]; /* a time of day may be yesterday's */
        return pt_err_set(err, PT_ENOTFOUND, 0, NULL, -1,
                          "nothing was recorded at or before '%s', %s: the recording begins at %s",
                          time,
                          pt_units_time(taken, sizeof(taken), instant.value,
                                        s->args->utc ? 0 : last.utc_offset_s),
                          pt_session_time(s, &last, begin, sizeof(begin)));
    }
    if (rc < 0)
        return pt_err_set(err, PT_ENOTFOUND, 0, NULL, -1, "nothing was recorded at or before '%s'",
                          time);
    tell_distance(s, time, us, *ret_n);
    return 0;
}

int pt_session_moment(const struct pt_session *s, const char *time, int64_t *ret_us,
                      struct pt_err *err)
{
    struct pt_instant instant;
    struct pt_snap snap;
    int32_t assumed = 0;
    int64_t n;
    const int rc = parse_time(s, time, &instant, &assumed, err);
    if (rc < 0)
        return rc;
    switch (instant.kind) {
    case PT_INSTANT_FIRST:
        *ret_us = s->span.first_us;
        return 0;
    case PT_INSTANT_LAST:
        *ret_us = s->span.last_us;
        return 0;
    case PT_INSTANT_SNAPSHOT:
        if (find_snapshot(s, instant.value, &snap, err) < 0)
            return -PT_ENOTFOUND;
        *ret_us = snap.real_us;
        return 0;
    case PT_INSTANT_TIME:
        break;
    }
    struct pt_err why = {0};
    if (find_time(s, &instant, assumed, true, &n, ret_us, &why) < 0 && why.code != PT_ENOTFOUND)
        return pt_err_set(err, why.code, why.sys, why.source, why.position, "%s", why.text);
    return 0;
}

int pt_session_asked(const struct pt_session *s, struct pt_asked *ret, struct pt_err *err)
{
    const struct pt_args *args = s->args;
    const char *first = args->npositional > 1 ? args->positional[1] : NULL;
    const char *second = args->npositional > 2 ? args->positional[2] : NULL;
    if ((args->from && first) || (args->to && second))
        return pt_err_set(err, PT_EUSAGE, 0, NULL, -1, "an instant is given twice");
    *ret = (struct pt_asked){.at = args->at,
                             .from = args->from ? args->from : first,
                             .to = args->to ? args->to : second};
    if (ret->at && (ret->from || ret->to))
        return pt_err_set(err, PT_EUSAGE, 0, NULL, -1, "--at is one instant, not a span");
    return 0;
}

int pt_session_span(const struct pt_session *s, bool of_boot, int64_t *ret_from, int64_t *ret_to,
                    struct pt_err *err)
{
    struct pt_asked asked;
    int64_t from, to;
    int rc = pt_session_asked(s, &asked, err);
    if (rc >= 0)
        rc = pt_session_find(s, asked.at ? asked.at : asked.to, false, &to, err);
    if (rc < 0)
        return rc;
    from = asked.at ? to : s->span.first;
    if (asked.from)
        rc = pt_session_find(s, asked.from, true, &from, err);
    else if (!asked.at && of_boot && pt_session_boot_first(s) <= to)
        from = pt_session_boot_first(s);
    if (rc >= 0 && from > to)
        rc = pt_err_set(err, PT_EUSAGE, 0, NULL, -1, "'%s' lies after '%s'",
                        asked.from ? asked.from : "first", asked.to ? asked.to : "last");
    if (rc < 0)
        return rc;
    *ret_from = from;
    *ret_to = to;
    return 0;
}
