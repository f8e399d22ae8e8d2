/* SPDX-License-Identifier: MIT
 * The database, kept open. */
#include "recorder/keep.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "recorder/clock.h"

/* A disk that damages every file is not to be filled with them. */
#define ASIDE_US (60 * PT_SECOND)
/* Where there is less room than this a new database could not be recorded to for long. */
#define ROOM_TO_BEGIN (1 << 20)

/* ---- damage ---- */

/* SQLite itself says so; a frame or block that is damaged costs no more than itself. */
static bool is_damage(const struct pt_err *why)
{
    return (why->code == PT_EDAMAGED || why->code == PT_EFORMAT) &&
           strcmp(why->source, "database") == 0;
}

static void end_of_name(char ret[256], const char *path)
{
    const char *slash = strrchr(path, '/');
    snprintf(ret, 256, "%.255s", slash ? slash + 1 : path);
}

/* Does it pass, with the database as it is? On a full disk there is no room for a new database
 * either: once there is some the copy is made, and recording goes on in the one there is. */
static bool may_be_copied_later(const struct pt_kept_wal *kept, const struct pt_err *why)
{
    return why->code == PT_ENOMEM || why->sys == EMFILE || why->sys == ENFILE ||
           (why->code == PT_EFULL && kept->part < ROOM_TO_BEGIN);
}

/* What SQLite leaves out of a damaged -wal, and writes over, is copied first. A database whose -wal
 * cannot be copied is damaged as a whole: setting it aside takes no room. */
static int keep_wal(struct pt_keep *k, struct pt_err *err)
{
    struct pt_err why = {0};
    struct pt_kept_wal kept;
    if (k->wal_text[0]) /* it was, and the database could not be opened since */
        return 0;
    const int r =
        pt_store_keep_wal(k->path, pt_clock_us(CLOCK_REALTIME), k->max_bytes, &kept, &why);
    if (r < 0 && kept.behind > 0) {
        const bool later = may_be_copied_later(&kept, &why);
        return pt_err_set(err, later ? why.code : PT_EDAMAGED, why.sys, "database", -1,
                          "its -wal is damaged and cannot be copied: %s", why.text);
    }
    if (r < 0)
        return pt_err_set(err, why.code, why.sys, why.source, why.position, "%s", why.text);
    if (r == 0)
        return 0;
    end_of_name(k->wal_as, kept.name);
    if (k->wal_as[0])
        snprintf(k->wal_text, sizeof(k->wal_text),
                 "the -wal was damaged: what was stored behind the place, %" PRId64
                 " transactions, is in this file only",
                 kept.behind);
    else
        snprintf(k->wal_text, sizeof(k->wal_text),
                 "the -wal was damaged: what was stored behind the place, %" PRId64
                 " transactions, is lost: there are %u copies of such files, as many or as large "
                 "as may be",
                 kept.behind, kept.copies);
    k->wals++;
    return 0;
}

static int set_aside(struct pt_keep *k, const struct pt_err *why, struct pt_err *err)
{
    char name[PATH_MAX];
    const int64_t now = pt_clock_us(CLOCK_MONOTONIC);
    if (k->aside_us && now - k->aside_us < ASIDE_US)
        return pt_err_set(err, why->code, why->sys, why->source, why->position, "%s", why->text);
    const int r = pt_store_set_aside(k->path, pt_clock_us(CLOCK_REALTIME), name, err);
    if (r < 0)
        return r;
    end_of_name(k->aside_as, name);
    snprintf(k->aside_why, sizeof(k->aside_why), "%s", why->text);
    k->aside_us = now;
    k->asides++;
    k->follows = 0;
    k->what = PT_MEDDLED_NOT;
    return 0;
}

/* ---- what others do to the files ---- */

static const char *const meddled[] = {
    [PT_MEDDLED_EMPTIED] = "another program emptied the database",
    [PT_MEDDLED_CUT] = "another program cut the -wal short",
    [PT_MEDDLED_SHM] = "another program deleted, replaced or cut the -shm: it is made anew",
    [PT_MEDDLED_WAL] = "another program deleted or replaced the -wal: what was in it is in the "
                       "database now",
};

void pt_keep_attend(struct pt_keep *k)
{
    const enum pt_meddled what = k->store ? pt_store_meddled(k->store) : PT_MEDDLED_NOT;
    const int64_t next = k->store ? pt_store_next(k->store) : 0;
    if (k->store && k->lock) /* it may have been taken for a file left behind */
        pt_lock_take(k->lock, k->path, NULL);
    struct pt_err why = {0};
    if (what == PT_MEDDLED_NOT ||
        (what == PT_MEDDLED_WAL &&
         pt_store_rescue(k->store, pt_clock_us(CLOCK_REALTIME), &why) < 0))
        return;
    pt_store_abandon(k->store);
    k->store = NULL;
    k->what = what;
    k->expected = next;
    if (what != PT_MEDDLED_EMPTIED)
        return;
    pt_err_set(&why, PT_EDAMAGED, 0, "database", -1, "%s", meddled[what]);
    set_aside(k, &why, NULL);
}

/* A -wal that is short of nothing but what is in the database was emptied rightly. */
static int tell_meddled(struct pt_keep *k, struct pt_err *err)
{
    const int64_t lost = k->expected - pt_store_next(k->store);
    const enum pt_meddled what = k->what;
    int r = 0;
    if (lost > 0)
        snprintf(k->meddled, sizeof(k->meddled),
                 "%" PRId64 " snapshots that were stored are lost: %s", lost,
                 what == PT_MEDDLED_CUT ? meddled[what] : "another program deleted their files");
    else
        snprintf(k->meddled, sizeof(k->meddled), "%s", meddled[what]);
    if (lost > 0 || what != PT_MEDDLED_CUT) {
        r = pt_store_event(k->store, pt_clock_us(CLOCK_REALTIME),
                           lost > 0 ? PT_EVENT_LOST : PT_EVENT_NOTE, PT_UNKNOWN, "", k->meddled,
                           err);
        k->meddles += r >= 0;
    }
    if (r >= 0)
        k->what = PT_MEDDLED_NOT;
    return r;
}

int pt_keep_dirs(const char *path, uint64_t dev, struct pt_err *err)
{
    char dir[PATH_MAX];
    struct stat st;
    snprintf(dir, sizeof(dir), "%s", path);
    uint64_t on = stat(*dir == '/' ? "/" : ".", &st) == 0 ? st.st_dev : 0;
    for (char *p = strchr(dir + 1, '/'); p; p = strchr(p + 1, '/')) {
        *p = 0;
        if (stat(dir, &st) == 0)
            on = st.st_dev;
        else if (errno != ENOENT || (dev && on != dev))
            return 0;
        else if (mkdir(dir, 0700) < 0 && errno != EEXIST)
            return pt_err_set(err, PT_EOPEN, errno, "", -1, "cannot create '%s': %s", dir,
                              strerror(errno));
        *p = '/';
    }
    return 0;
}

/* ---- opening and closing ---- */

/* The new file says what became of the one before. */
static int tell_aside(struct pt_keep *k, struct pt_err *err)
{
    char text[400];
    if (!k->aside_why[0])
        return 0;
    snprintf(text, sizeof(text), "the database was damaged and is kept as this file: %s",
             k->aside_why);
    const int r = pt_store_event(k->store, pt_clock_us(CLOCK_REALTIME), PT_EVENT_NOTE, PT_UNKNOWN,
                                 k->aside_as, text, err);
    if (r >= 0)
        k->aside_why[0] = 0;
    return r;
}

/* Closing it empties the -wal: what stands behind the place is not to be found again. */
static int tell_wal(struct pt_keep *k, struct pt_err *err)
{
    if (!k->wal_text[0])
        return 0;
    const enum pt_event kind = k->wal_as[0] ? PT_EVENT_NOTE : PT_EVENT_LOST;
    int r = pt_store_event(k->store, pt_clock_us(CLOCK_REALTIME), kind, PT_UNKNOWN, k->wal_as,
                           k->wal_text, err);
    if (r < 0)
        return r;
    k->wal_text[0] = 0;
    r = pt_store_close(k->store, err);
    k->store = NULL;
    return r < 0 ? r : pt_store_open(k->path, k->meta, &k->store, err);
}

static int open_boot(struct pt_keep *k, struct pt_err *err)
{
    int r = keep_wal(k, err);
    if (r >= 0)
        r = pt_store_open(k->path, k->meta, &k->store, err);
    if (r < 0)
        return r;
    int64_t boot = tell_wal(k, err);
    if (boot >= 0)
        boot = pt_store_boot(k->store, k->boot_id, k->btime_us, err);
    int told = boot < 0 ? (int)boot : tell_aside(k, err);
    if (told >= 0 && k->what != PT_MEDDLED_NOT)
        told = tell_meddled(k, err);
    if (told < 0) {
        pt_store_abandon(k->store);
        k->store = NULL;
        return told;
    }
    struct stat st;
    if (stat(k->path, &st) == 0)
        k->dev = st.st_dev;
    pt_store_rest(k->store);
    k->boot = (uint32_t)boot;
    if (k->follows != pt_store_next(k->store))
        k->follows = 0;
    return 0;
}

int pt_keep_open(struct pt_keep *k, struct pt_err *err)
{
    struct pt_err why = {0};
    if (k->store)
        return 0;
    if (k->dev && pt_keep_dirs(k->path, k->dev, err) < 0)
        return -1;
    if (k->lock && pt_lock_take(k->lock, k->path, err) < 0)
        return -1;
    int r = open_boot(k, &why);
    if (r >= 0)
        return 0;
    if (why.code != PT_EDAMAGED)
        return pt_err_set(err, why.code, why.sys, why.source, why.position, "%s", why.text);
    r = set_aside(k, &why, err);
    return r < 0 ? r : open_boot(k, err);
}

void pt_keep_failed(struct pt_keep *k, const struct pt_err *why)
{
    const bool as_good = why->code == PT_EFULL || why->code == PT_ELOCKED ||
                         why->code == PT_ENOMEM || (why->code == PT_EDAMAGED && !is_damage(why));
    if (!k->store || as_good)
        return;
    if (pt_store_moved(k->store))
        k->follows = 0;
    pt_store_abandon(k->store);
    k->store = NULL;
    if (is_damage(why))
        set_aside(k, why, NULL);
}

int pt_keep_close(struct pt_keep *k, struct pt_err *err)
{
    if (!k->store)
        return 0;
    k->follows = 0;
    if (pt_store_moved(k->store)) {
        const int left = pt_store_leave(k->store, err);
        if (left >= 0)
            k->store = NULL;
        return left;
    }
    /* once it is closed nobody has a -wal without its name any more */
    if (pt_store_meddled(k->store) == PT_MEDDLED_WAL &&
        pt_store_rescue(k->store, pt_clock_us(CLOCK_REALTIME), err) < 0)
        return -1;
    struct pt_err why = {0};
    int rc = pt_store_seal(k->store, true, &why);
    if (rc < 0) {
        pt_err_set(err, why.code, why.sys, why.source, why.position, "%s", why.text);
        pt_keep_failed(k, &why);
    }
    if (pt_store_close(k->store, err) < 0)
        rc = -1;
    k->store = NULL;
    return rc;
}

bool pt_keep_passing(const struct pt_keep *k, const struct pt_err *why)
{
    return (!k->lock || k->lock->fd >= 0) &&
           (why->code == PT_EFULL || why->code == PT_EIO || why->code == PT_ELOCKED);
}
