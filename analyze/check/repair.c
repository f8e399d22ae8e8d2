/* SPDX-License-Identifier: MIT
 * pagetrail check --repair: what can be saved of a recording, in a new one. */
#include "analyze/check/repair.h"

#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <unistd.h>

#include "analyze/print/json.h"
#include "analyze/session.h"
#include "analyze/print/units.h"
#include "schema/store_new.h"
#include "schema/store_salvage.h"

#define TOLD 10

struct repair {
    const struct pt_args *args;
    bool tty;
    json_t *lost; /* with --format json */
    int64_t told;
};

static volatile sig_atomic_t stopped; /* by this signal */

static void on_signal(int sig)
{
    stopped = sig;
}

static int progress(void *ctx, int64_t done, int64_t total)
{
    const struct repair *r = ctx;
    if (r->tty)
        fprintf(stderr, "\rlooked at %" PRId64 " of %" PRId64 " pages\033[K", done, total);
    return stopped ? -1 : 0;
}

static void on_lost(void *ctx, const char *place, int64_t n1, int64_t n2, const char *what)
{
    struct repair *r = ctx;
    const struct pt_damage d = {.place = (char *)(uintptr_t)place,
                                .what = (char *)(uintptr_t)what,
                                .first = n1,
                                .last = n2};
    if (r->lost)
        json_array_append_new(r->lost, pt_damage_json(&d));
    if (r->told++ >= TOLD && !r->args->verbose)
        return;
    if (r->tty)
        fputs("\r\033[K", stderr);
    pt_tell_damage("lost", &d);
}

static int print(const struct repair *r, const struct pt_salvaged *s, const char *name,
                 int64_t bytes)
{
    char size[PT_UNITS_BUF];
    if (r->lost)
        return pt_json_print(json_pack("{s:b, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:O}", "ok",
                                       s->lost == 0, "output", pt_json_str(name), "bytes",
                                       (json_int_t)bytes, "snapshots", (json_int_t)s->snapshots,
                                       "segments", (json_int_t)s->segments, "frames",
                                       (json_int_t)s->frames, "events", (json_int_t)s->events,
                                       "lost_snapshots", (json_int_t)s->lost_snapshots,
                                       "lost_blocks", (json_int_t)s->lost_blocks, "lost", r->lost),
                             r->args->out);
    fprintf(r->args->out,
            "%" PRId64 " snapshots, %" PRId64 " segments, %" PRId64 " frames, %" PRId64
            " events, %s: ",
            s->snapshots, s->segments, s->frames, s->events,
            pt_units_bytes(size, sizeof(size), bytes, false));
    if (s->lost == 0)
        fputs("nothing is known to be missing\n", r->args->out);
    else
        fprintf(r->args->out, "%" PRId64 " snapshots and %" PRId64 " blocks are missing\n",
                s->lost_snapshots, s->lost_blocks);
    return 0;
}

static int salvage(struct repair *r, const char *name, struct pt_salvaged *ret, int64_t *ret_bytes,
                   struct pt_err *err)
{
    const struct pt_salvage_ops ops = {.progress = progress, .lost = on_lost, .ctx = r};
    const char *path = r->args->positional[0];
    struct pt_new *to;
    int rc = pt_new_create(name, &to, err);
    if (rc < 0)
        return rc;
    rc = pt_salvage(path, pt_new_store(to), &ops, ret, err);
    if (rc >= 0 && ret->snapshots == 0)
        rc = pt_err_set(err, PT_ENOTFOUND, 0, "", -1, "nothing of a recording is found in '%s'",
                        path);
    if (rc >= 0)
        rc = pt_new_finish(to, err);
    if (rc >= 0)
        *ret_bytes = pt_new_bytes(to);
    pt_new_free(to);
    return rc;
}

int pt_repair(const struct pt_args *args)
{
    struct repair r = {.args = args, .tty = isatty(STDERR_FILENO)};
    struct pt_err err = {0};
    struct pt_salvaged s = {0};
    char name[PATH_MAX];
    int64_t bytes = 0;
    if (snprintf(name, sizeof(name), "%s%s", args->output ? args->output : args->positional[0],
                 args->output ? "" : ".repaired") >= PATH_MAX) {
        fputs("pagetrail: the name is too long\n", stderr);
        return PT_EXIT_USAGE;
    }
    if (args->json)
        r.lost = json_array();
    const struct sigaction sa = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
    const int rc = salvage(&r, name, &s, &bytes, &err);
    if (r.tty)
        fputs("\r\033[K", stderr);
    if (stopped)
        raise(stopped); /* its handler is the default again, and nothing is left behind */
    if (r.told > TOLD && !args->verbose)
        fprintf(stderr, "pagetrail: lost: %" PRId64 " more things (-v lists them)\n",
                r.told - TOLD);
    int status = rc < 0 ? pt_fail(&err) : s.lost ? PT_EXIT_DAMAGED : PT_EXIT_OK;
    if (rc >= 0 && print(&r, &s, name, bytes) < 0)
        status = PT_EXIT_READ;
    json_decref(r.lost);
    return status;
}
