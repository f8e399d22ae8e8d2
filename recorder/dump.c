/* SPDX-License-Identifier: MIT
 * pagetraild dump. It is a process of its own beside the recorder, never a part of it: a second
 * open and close of the database in one process would drop SQLite's locks. */
#include "recorder/dump.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "recorder/daemon.h"
#include "schema/store_copy.h"
#include "schema/store_new.h"
#include "schema/timespec.h"

#define TOLD  10 /* damaged places that are listed */
#define TRIES 3

struct dump {
    const struct pt_dump_options *o;
    char path[PATH_MAX];
    bool tty;
    uint32_t damaged;
    struct pt_copied copied;
    int64_t bytes;
};

static volatile sig_atomic_t stopped; /* by this signal */

static void on_signal(int sig)
{
    stopped = sig;
}

static int progress(void *ctx, int64_t done, int64_t total)
{
    const struct dump *d = ctx;
    if (d->tty)
        fprintf(stderr, "\r%" PRId64 " of %" PRId64 " snapshots\033[K", done, total);
    return stopped ? -1 : 0;
}

static void on_damage(void *ctx, const char *place, int64_t n1, int64_t n2, const char *what)
{
    struct dump *d = ctx;
    if (d->damaged++ >= TOLD)
        return;
    fprintf(stderr, "%spagetraild: damaged: %s: %s", d->tty ? "\r\033[K" : "", place, what);
    if (n1 > 0 && n2 >= n1)
        fprintf(stderr, " (snapshots %" PRId64 " to %" PRId64 ")", n1, n2);
    fputc('\n', stderr);
}

/* ---- what ---- */

static int choose_db(struct dump *d, struct pt_err *err)
{
    static char name[] = "pagetraild", option[] = "--config";
    char *argv[] = {name, option, (char *)(uintptr_t)d->o->config, NULL};
    struct pt_options o;
    if (d->o->db)
        return snprintf(d->path, sizeof(d->path), "%s", d->o->db) < PATH_MAX
                   ? 0
                   : pt_err_set(err, PT_EUSAGE, 0, "", -1, "the name of the database is too long");
    int r = pt_options_parse(&o, d->o->config ? 3 : 1, argv, err);
    if (r < 0)
        return r;
    r = pt_daemon_path(&o, d->path, err);
    pt_options_release(&o);
    return r;
}

/* A time of day was read with the host's offset at the end of the recording; where it was another
 * then (summer time), it is read again with that. */
static int64_t local_time(struct pt_db *db, const struct pt_instant *at, int32_t assumed)
{
    struct pt_snap snap;
    int64_t n;
    if (!at->local || pt_db_find(db, at->value, PT_SEEK_NEAREST, &n, NULL) < 0 ||
        pt_db_snap(db, n, &snap, NULL) < 0)
        return at->value;
    return at->value + ((int64_t)assumed - snap.utc_offset_s) * 1000000;
}

static int bound(struct pt_db *db, const char *text, const struct pt_timespec_base *base,
                 int64_t *ret_us, int64_t *ret_n, const int64_t ends[2], struct pt_err *err)
{
    struct pt_instant at;
    if (!text)
        return 0;
    const int r = pt_timespec_parse(text, base, &at, err);
    if (r < 0)
        return r;
    switch (at.kind) {
    case PT_INSTANT_TIME:
        *ret_us = local_time(db, &at, base->utc_offset_s);
        break;
    case PT_INSTANT_SNAPSHOT:
        *ret_n = at.value;
        break;
    case PT_INSTANT_FIRST:
    case PT_INSTANT_LAST:
        *ret_n = ends[at.kind == PT_INSTANT_LAST];
        break;
    }
    return 0;
}

static int choose_range(const struct dump *d, struct pt_db *db, struct pt_copy *ret,
                        struct pt_err *err)
{
    struct pt_db_span span;
    struct pt_snap last = {0};
    int r = pt_db_span(db, &span, err);
    if (r >= 0 && span.count > 0)
        r = pt_db_snap(db, span.last, &last, err);
    if (r < 0)
        return r;
    const int64_t ends[2] = {span.first, span.last};
    const struct pt_timespec_base base = {.first_us = span.first_us,
                                          .last_us = span.last_us,
                                          .utc_offset_s = last.utc_offset_s,
                                          .bare = true};
    r = bound(db, d->o->since, &base, &ret->since_us, &ret->first, ends, err);
    return r < 0 ? r : bound(db, d->o->until, &base, &ret->until_us, &ret->last, ends, err);
}

/* ---- where to ---- */

static bool to_stdout(const struct dump *d)
{
    return strcmp(d->o->output, "-") == 0;
}

static int create(const struct dump *d, struct pt_new **ret, struct pt_err *err)
{
    const char *tmp = getenv("TMPDIR");
    if (!to_stdout(d))
        return pt_new_create(d->o->output, ret, err);
    if (isatty(STDOUT_FILENO))
        return pt_err_set(err, PT_EUSAGE, 0, "", -1,
                          "standard output is a terminal: name a file with -o");
    return pt_new_anonymous(tmp && *tmp ? tmp : "/var/tmp", ret, err);
}

static int copy(struct dump *d, struct pt_db *db, struct pt_err *err)
{
    struct pt_copy what = {
        .since_us = PT_UNKNOWN, .until_us = PT_UNKNOWN, .progress = progress, .ctx = d};
    struct pt_new *to = NULL;
    int r = choose_range(d, db, &what, err);
    if (r >= 0)
        r = create(d, &to, err);
    if (r >= 0)
        r = pt_db_copy(db, &what, pt_new_store(to), &d->copied, err);
    if (r >= 0)
        r = to_stdout(d) ? pt_new_send(to, STDOUT_FILENO, "standard output", err)
                         : pt_new_finish(to, err);
    if (r >= 0)
        d->bytes = pt_new_bytes(to);
    pt_new_free(to);
    return r;
}

/* A recorder that starts in the middle of it has the file change under a reader that found nobody
 * there: again, beside it. */
static int run(struct dump *d, struct pt_err *err)
{
    int r = choose_db(d, err);
    for (int i = 0; r >= 0 && i < TRIES; i++) {
        struct pt_db *db;
        struct pt_err why = {0};
        d->damaged = 0;
        r = pt_db_open(d->path, &db, err);
        if (r < 0)
            break;
        pt_db_on_damage(db, on_damage, d);
        r = copy(d, db, &why);
        pt_db_close(db);
        if (r >= 0 || why.code != PT_ELOCKED || i == TRIES - 1) {
            if (r < 0)
                *err = why;
            break;
        }
        r = 0;
    }
    return r;
}

static void watch_signals(void)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    const struct sigaction sa = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
        sigaction(signals[i], &sa, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
}

static int status_of(const struct pt_err *err)
{
    switch (err->code) {
    case PT_EUSAGE:
        return PT_EXIT_USAGE;
    case PT_EOPEN:
    case PT_EFORMAT:
    case PT_ENEWER:
    case PT_EDAMAGED:
    case PT_ENOTFOUND:
        return PT_EXIT_OPEN;
    default:
        return PT_EXIT_FAILED;
    }
}

int pt_dump_run(int argc, char **argv)
{
    struct pt_dump_options o;
    struct pt_err err = {0};
    if (pt_dump_options_parse(&o, argc, argv, &err) < 0) {
        fprintf(stderr, "pagetraild dump: %s\nTry 'pagetraild dump --help'.\n", err.text);
        return PT_EXIT_USAGE;
    }
    if (o.help) {
        fputs(pt_dump_help(), stdout);
        return PT_EXIT_OK;
    }
    struct dump d = {.o = &o, .tty = !o.quiet && isatty(STDERR_FILENO)};
    watch_signals();
    const int r = run(&d, &err);
    if (d.tty)
        fputs("\r\033[K", stderr);
    if (stopped)
        raise(stopped); /* its handler is the default again, and nothing is left behind */
    if (r < 0) {
        fprintf(stderr, "pagetraild: %s\n", err.text);
        if (err.code == PT_EOPEN && err.sys == EACCES)
            fputs("recordings are readable by root and the user that records: try sudo\n", stderr);
        return status_of(&err);
    }
    if (d.damaged > TOLD)
        fprintf(stderr, "pagetraild: damaged: %u more places\n", d.damaged - TOLD);
    if (d.tty)
        fprintf(stderr,
                "%" PRId64 " snapshots, @%" PRId64 " to @%" PRId64 ", %" PRId64 " events, %" PRId64
                " KiB\n",
                d.copied.snapshots, d.copied.first, d.copied.last, d.copied.events,
                (d.bytes + 1023) / 1024);
    return d.damaged ? PT_EXIT_DAMAGED : PT_EXIT_OK;
}
