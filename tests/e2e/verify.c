/* SPDX-License-Identifier: MIT
 * e2e_verify [--cut] [--every N] [--sample DIR] DATABASE RAWLOG
 *
 * Holds a database against the raw log of one run of the recorder: at every snapshot of the log,
 * every source must be in the state the log tells, byte for byte: read now, carried from an earlier
 * snapshot, unreadable for the same reason, or absent; and no source may be there that the log does
 * not know.
 *
 * Snapshots that the recorder took and could not store (it says so) are in the log too: their
 * numbers come again.
 *
 * --cut: the recorder still runs or was killed: the log may end anywhere, its last snapshot is left
 * out, and snapshots after the database's last one are not expected.
 * --every N: renders carried texts at each Nth snapshot only (texts read now always).
 * --sample DIR: writes a sample of texts to DIR/I.text, with DIR/I.source and DIR/I.at, for the
 * command line's test. */
#include <errno.h>
#include <inttypes.h>
#include <search.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/source.h"
#include "schema/store.h"
#include "tests/support/rawlog.h"

#define SAMPLES    25
#define COMPLAINTS 20
#define TEXT_MAX   (256u << 20)

struct expect {
    char *name;
    enum rawlog_outcome outcome;
    int why;
    int64_t attempt; /* which told it last; -1: none yet */
    char *text;
    size_t len;
};

struct verify {
    struct pt_db *db;
    struct pt_buf text;
    void *tree; /* struct expect by name */
    struct expect **all;
    size_t count, cap;
    bool cut;
    int64_t every;
    const char *sample;
    int64_t last; /* snapshot of the database */
    /* Runs of records of one snapshot, in the order of the log. */
    int64_t *attempts; /* their snapshots; 0: a later one has its number, this one was not stored */
    int64_t nattempts, attempts_cap;
    int64_t attempt; /* the current one, -1 before the first */
    int64_t n;       /* its snapshot */
    int64_t snapshots, texts, carried, unreadable, absent, bytes, failures, samples, lost;
};

static void complain(struct verify *v, int64_t n, const char *name, const char *what)
{
    if (v->failures++ < COMPLAINTS)
        fprintf(stderr, "snapshot %" PRId64 " %s: %s\n", n, name, what);
}

static void *must(void *p)
{
    if (p)
        return p;
    fputs("no memory\n", stderr);
    exit(2);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct expect *)a)->name, ((const struct expect *)b)->name);
}

static struct expect *expect_of(struct verify *v, char *name)
{
    struct expect key = {.name = name};
    struct expect **found = tfind(&key, &v->tree, by_name);
    if (found)
        return *found;
    if (v->count == v->cap) {
        v->cap = v->cap * 2 + 64;
        v->all = must(realloc(v->all, v->cap * sizeof(struct expect *)));
    }
    struct expect *e = must(calloc(1, sizeof(*e)));
    e->name = must(strdup(name));
    e->attempt = -1;
    must(tsearch(e, &v->tree, by_name));
    v->all[v->count++] = e;
    return e;
}

/* Does this record begin another snapshot, or the same number once more? In one snapshot a source
 * is told once, unless it goes and comes again, or is a deep read (those may be two in a snapshot
 * that waits for them). */
static bool begins(const struct verify *v, const struct rawlog *l, const struct expect *e)
{
    return v->attempt < 0 || l->n != v->n ||
           (e->attempt == v->attempt && e->outcome != RAWLOG_GONE && l->outcome != RAWLOG_GONE &&
            pt_block_kind_of(l->name) != PT_BLOCK_DEEP &&
            pt_block_kind_of(l->name) != PT_BLOCK_NAMES &&
            strncmp(l->name, "statfs:", 7) != 0); /* the deep reader's too */
}

static void note(struct verify *v, const struct rawlog *l, struct expect *e)
{
    e->outcome = l->outcome;
    e->why = l->why;
    e->attempt = v->attempt;
    free(e->text);
    e->text = NULL;
    e->len = l->len;
    if (l->outcome == RAWLOG_READ)
        memcpy(e->text = must(malloc(l->len + 1)), l->text, l->len);
}

static void write_file(const char *dir, int64_t i, const char *suffix, const void *data, size_t len)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%" PRId64 ".%s", dir, i, suffix);
    FILE *f = must(fopen(path, "we"));
    fwrite(data, 1, len, f);
    fclose(f);
}

/* A text of every 97th source read, so that all kinds of files are among them. */
static void maybe_sample(struct verify *v, int64_t n, const struct expect *e)
{
    if (!v->sample || v->samples >= SAMPLES || v->texts % 97 != 0)
        return;
    char at[32];
    const int len = snprintf(at, sizeof(at), "@%" PRId64, n);
    write_file(v->sample, v->samples, "text", e->text, e->len);
    write_file(v->sample, v->samples, "source", e->name, strlen(e->name));
    write_file(v->sample, v->samples++, "at", at, (size_t)len);
}

static void check_text(struct verify *v, int64_t n, const struct expect *e,
                       const struct pt_source_at *at)
{
    struct pt_err err = {0};
    pt_buf_reset(&v->text);
    if (!at->reading)
        complain(v, n, e->name, "no text in the database");
    else if (pt_reading_text(pt_db_shapes(v->db), at->reading, &v->text, &err) < 0)
        complain(v, n, e->name, err.text);
    else if (v->text.len != e->len || (e->len && memcmp(v->text.data, e->text, e->len) != 0))
        complain(v, n, e->name, "the text is not the one that was read");
    v->bytes += (int64_t)e->len;
}

static void check_read(struct verify *v, int64_t n, const struct expect *e,
                       const struct pt_source_at *at)
{
    const bool now = e->attempt == v->attempt;
    if (!at || at->presence != (now ? PT_READ : PT_CARRIED)) {
        char what[80];
        snprintf(what, sizeof(what), "%s, but its presence is %d", now ? "was read" : "is carried",
                 at ? (int)at->presence : -1);
        complain(v, n, e->name, what);
        return;
    }
    if (now)
        v->texts++;
    else
        v->carried++;
    if (now || n % v->every == 0)
        check_text(v, n, e, at);
    if (now)
        maybe_sample(v, n, e);
}

static void check_expect(struct verify *v, int64_t n, const struct expect *e,
                         const struct pt_source_at *at)
{
    if (e->attempt < 0)
        return; /* comes later */
    switch (e->outcome) {
    case RAWLOG_READ:
        check_read(v, n, e, at);
        break;
    case RAWLOG_UNREADABLE:
        v->unreadable++;
        if (!at || at->presence != PT_UNREADABLE || at->why != e->why)
            complain(v, n, e->name, "was unreadable, the database says otherwise");
        break;
    case RAWLOG_GONE:
        v->absent++;
        if (at && at->presence != PT_ABSENT)
            complain(v, n, e->name, "was gone, the database has it");
        break;
    }
}

static void check_unknown(struct verify *v, int64_t n, const struct pt_view *view)
{
    for (uint32_t i = 0; i < view->count; i++) {
        struct expect key = {.name = (char *)view->sources[i].name};
        struct expect **found = tfind(&key, &v->tree, by_name);
        if (view->sources[i].presence != PT_ABSENT && (!found || (*found)->attempt < 0))
            complain(v, n, key.name, "is in the database, not in the raw log");
    }
}

static void check_snapshot(struct verify *v, int64_t n)
{
    struct pt_err err = {0};
    struct pt_view *view = NULL;
    if (pt_view_load(v->db, n, PT_GROUP_ALL, &view, &err) < 0) {
        complain(v, n, "(all)", err.text);
        return;
    }
    v->snapshots++;
    if (view->lost)
        complain(v, n, "(all)", "blocks are lost");
    for (size_t i = 0; i < v->count; i++)
        check_expect(v, n, v->all[i], pt_view_find(view, v->all[i]->name));
    check_unknown(v, n, view);
    pt_view_free(view);
}

static void add_attempt(struct verify *v, int64_t n)
{
    if (v->nattempts == v->attempts_cap) {
        v->attempts_cap = v->attempts_cap * 2 + 64;
        v->attempts = must(realloc(v->attempts, (size_t)v->attempts_cap * sizeof(int64_t)));
    }
    for (int64_t i = v->nattempts - 1; i >= 0 && (v->attempts[i] >= n || !v->attempts[i]); i--) {
        v->lost += v->attempts[i] != 0;
        v->attempts[i] = 0;
    }
    v->attempts[v->nattempts++] = n;
}

/* Which attempts there are, and which of them were stored. */
static int scan(struct verify *v, struct rawlog *l)
{
    int rc;
    while ((rc = rawlog_next(l)) > 0) {
        struct expect *e = expect_of(v, l->name);
        if (begins(v, l, e)) {
            v->attempt++;
            v->n = l->n;
            add_attempt(v, l->n);
        }
        e->attempt = v->attempt;
        e->outcome = l->outcome;
    }
    for (size_t i = 0; i < v->count; i++)
        v->all[i]->attempt = -1;
    v->attempt = -1;
    return rc;
}

static void check_attempt(struct verify *v)
{
    if (v->attempt >= 0 && v->attempts[v->attempt] && (!v->cut || v->n <= v->last))
        check_snapshot(v, v->n);
}

static int hold(struct verify *v, struct rawlog *l)
{
    int rc;
    while ((rc = rawlog_next(l)) > 0) {
        struct expect *e = expect_of(v, l->name);
        if (begins(v, l, e)) {
            check_attempt(v);
            if (v->attempt + 1 == v->nattempts)
                return 0; /* the log has grown since the scan */
            v->attempt++;
            v->n = l->n;
        }
        note(v, l, e);
    }
    if (!v->cut)
        check_attempt(v);
    return rc;
}

static int walk(struct verify *v, const char *path, int (*pass)(struct verify *v, struct rawlog *l))
{
    struct rawlog l;
    if (rawlog_open(&l, path) < 0) {
        fprintf(stderr, "cannot open '%s': %s\n", path, strerror(errno));
        return -1;
    }
    const int rc = pass(v, &l);
    if (rc < 0)
        fprintf(stderr, "'%s' is not a raw log\n", path);
    rawlog_close(&l);
    return rc;
}

static const char *options(struct verify *v, int argc, char **argv, const char **ret_log)
{
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        int64_t scale;
        if (strcmp(argv[i], "--cut") == 0)
            v->cut = true;
        else if (strcmp(argv[i], "--sample") == 0 && i + 1 < argc)
            v->sample = argv[++i];
        else if (strcmp(argv[i], "--every") == 0 && i + 1 < argc &&
                 pt_number(argv[i + 1], strlen(argv[i + 1]), &v->every, &scale))
            i++;
        else
            return NULL;
    }
    if (i + 2 != argc || v->every < 1)
        return NULL;
    *ret_log = argv[i + 1];
    return argv[i];
}

static void on_damage(void *ctx, const char *place, int64_t n1, int64_t n2, const char *what)
{
    (void)n2;
    complain(ctx, n1, place, what);
}

static void free_expect(void *e)
{
    free(((struct expect *)e)->name);
    free(((struct expect *)e)->text);
    free(e);
}

int main(int argc, char **argv)
{
    struct verify v = {.every = 1, .attempt = -1};
    struct pt_err err = {0};
    struct pt_db_span span;
    const char *log = NULL;
    const char *const path = options(&v, argc, argv, &log);
    if (!path) {
        fputs("usage: e2e_verify [--cut] [--every N] [--sample DIR] DATABASE RAWLOG\n", stderr);
        return 2;
    }
    pt_buf_init(&v.text, TEXT_MAX);
    if (pt_db_open(path, &v.db, &err) < 0 || pt_db_span(v.db, &span, &err) < 0) {
        fprintf(stderr, "%s: %s\n", path, err.text);
        return 1;
    }
    v.last = span.last;
    pt_db_on_damage(v.db, on_damage, &v);
    const int rc = walk(&v, log, scan) < 0 || walk(&v, log, hold) < 0 ? -1 : 0;
    printf("%" PRId64 " snapshots: %" PRId64 " texts read, %" PRId64 " carried, %" PRId64
           " unreadable, %" PRId64 " absent, %" PRId64 " bytes; database: %" PRId64
           " segments, %" PRId64 " frames; %" PRId64 " not stored; %" PRId64 " wrong\n",
           v.snapshots, v.texts, v.carried, v.unreadable, v.absent, v.bytes, span.segments,
           span.frames, v.lost, v.failures);
    pt_db_close(v.db);
    tdestroy(v.tree, free_expect);
    free(v.all);
    free(v.attempts);
    pt_buf_release(&v.text);
    return rc < 0 || v.failures || (v.snapshots == 0 && !v.cut) ? 1 : 0;
}
