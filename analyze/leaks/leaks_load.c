/* SPDX-License-Identifier: MIT
 * What findings are made of, read in one pass: by one reader, or of a long recording by two, of
 * which each decodes blocks that the other has no use for. */
#include <malloc.h>
#include <pthread.h>
#include <string.h>

#include "analyze/leaks/leaks_int.h"

/* Snapshots from which on a second reader pays. */
#define WORTH 5000

enum { STAT = PT_HOSTS, STARTS, STATUS, FDS, ALL };
_Static_assert(STARTS - STAT == PT_LIVES_STARTS && STATUS - STAT == PT_LIVES_STATUS, "of lives");

struct pass {
    struct pt_db *db;
    const struct pt_timeline *timeline;
    const struct pt_series_spec *specs;
    struct pt_series *loaded;
    size_t n;
    const struct pt_last_query *lasts;
    size_t nlasts;
    int rc;
    struct pt_err err;
};

static void scan(struct pass *p)
{
    p->rc =
        pt_series_scan(p->db, p->timeline, p->specs, p->loaded, p->n, p->lasts, p->nlasts, &p->err);
}

/* A reader that is done gives back what it took before the others take most. */
static void *scan_apart(void *pass)
{
    scan(pass);
#ifdef __GLIBC__
    malloc_trim(0);
#endif
    return NULL;
}

/* The specs from STARTS on, memory and open files of processes, in a thread of their own. false:
 * nothing was done. */
static bool scan_both(struct pt_session *s, struct pass *all)
{
    struct pt_session again;
    struct pass rest = *all;
    pthread_t thread;
    if (all->timeline->count < WORTH || pt_session_again(s, &again, NULL) < 0)
        return false;
    rest.db = again.db;
    rest.specs += STARTS;
    rest.loaded += STARTS;
    rest.n = ALL - STARTS;
    rest.nlasts = 0;
    const bool apart = pthread_create(&thread, NULL, scan_apart, &rest) == 0;
    if (apart) {
        all->n = STARTS;
        scan(all);
        pthread_join(thread, NULL);
        if (all->rc >= 0 && rest.rc < 0) {
            all->rc = rest.rc;
            all->err = rest.err;
        }
    }
    pt_session_join(s, &again);
    return apart;
}

int pt_leaks_load(struct pt_session *s, struct pt_leaks *l, struct pt_looks *looks,
                  struct pt_err *err)
{
    const int64_t page = pt_db_meta(s->db)->page_size;
    double page_size = page > 0 ? (double)page : 4096;
    struct pt_series_spec specs[ALL];
    struct pt_series loaded[ALL] = {0};
    struct pt_last_query lasts[PT_NAMES];
    struct pt_lives_load lives;
    struct pass all = {.db = s->db,
                       .timeline = &l->timeline,
                       .specs = specs,
                       .loaded = loaded,
                       .n = ALL,
                       .lasts = lasts,
                       .nlasts = PT_NAMES};
    pt_leaks_kernel_specs(&page_size, specs);
    pt_lives_load_begin(&lives, s->db, &l->timeline, &loaded[STAT], &specs[STAT], lasts);
    lives.ended = pt_looks_memory;
    lives.ctx = looks;
    looks->l = l;
    looks->status = &loaded[STATUS];
    pt_leaks_fds_spec(looks, &specs[FDS]);
    specs[FDS].lives = &loaded[STARTS];
    if (!scan_both(s, &all))
        scan(&all);
    if (all.rc < 0)
        pt_err_set(err, all.err.code, all.err.sys, all.err.source, all.err.position, "%s",
                   all.err.text);
    int rc = pt_lives_load_end(&lives, all.rc, &loaded[STAT], &l->lives, err);
    memcpy(l->of_host, loaded, sizeof(l->of_host));
    l->fds = loaded[FDS];
    looks->status = NULL;
    if (rc >= 0 && looks->nomem)
        rc = pt_err_nomem(err);
    return rc;
}
