/* SPDX-License-Identifier: MIT
 * The daemon's loop: timer and signals in, snapshots out. */
#include "recorder/daemon.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "recorder/alarm.h"
#include "recorder/clock.h"
#include "recorder/fds.h"
#include "recorder/endure.h"
#include "recorder/host.h"
#include "recorder/lock.h"
#include "recorder/log.h"
#include "recorder/notify.h"
#include "recorder/past.h"
#include "recorder/sampler.h"

#define TELL_GAPS_US (60 * PT_SECOND) /* an interval that is too short is told so often */

struct daemon {
    const struct pt_options *options;
    char path[PATH_MAX];
    struct pt_lock lock;
    int timer_fd, signal_fd;
    struct pt_roots roots;
    struct pt_rawlog *raw;
    struct pt_writer *writer;
    struct pt_sampler *sampler;
    struct pt_notify notify;
    struct pt_alarm *alarm;
    struct pt_loop loop;
    int64_t start_us, next_us; /* CLOCK_BOOTTIME: of the schedule, and of its next tick */
    int64_t every_us;          /* time between snapshots now */
    uint64_t skipped;          /* ticks that could not be kept */
    uint64_t untold;           /* of these, the ones not told yet */
    int64_t told_gap_us;       /* CLOCK_BOOTTIME */
    uint64_t ticks;            /* of the timer */
    uint64_t fds;              /* descriptors that are allowed */
    uint64_t told_lost, told_moved, told_asides, told_wals, told_meddles, told_stuck, told_refused;
    bool told_failing, told_paused, stop;
};

/* ---- where to ---- */

int pt_daemon_path(const struct pt_options *o, char path[PATH_MAX], struct pt_err *err)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    const char *service = getenv("STATE_DIRECTORY"); /* systemd's, of the unit */
    int n;
    if (o->output)
        n = snprintf(path, PATH_MAX, "%s", o->output);
    else if (service && *service == '/' && !strchr(service, ':'))
        n = snprintf(path, PATH_MAX, "%s/pagetrail.db", service);
    else if (geteuid() == 0)
        n = snprintf(path, PATH_MAX, "/var/lib/pagetrail/pagetrail.db");
    else if (state && *state == '/')
        n = snprintf(path, PATH_MAX, "%s/pagetrail/pagetrail.db", state);
    else if (home && *home == '/')
        n = snprintf(path, PATH_MAX, "%s/.local/state/pagetrail/pagetrail.db", home);
    else
        return pt_err_set(err, PT_EUSAGE, 0, "", -1,
                          "neither --output nor HOME says where to record to");
    if (n >= PATH_MAX)
        return pt_err_set(err, PT_EUSAGE, ENAMETOOLONG, "", -1,
                          "the name of the database is too long");
    return 0;
}

/* ---- messages ---- */

static void event(struct daemon *d, enum pt_event kind, const char *text)
{
    pt_writer_event(d->writer, pt_clock_us(CLOCK_REALTIME), kind, PT_UNKNOWN, "", text);
}

static void tell_asides(struct daemon *d, const struct pt_writer_stats *w)
{
    if (w->asides != d->told_asides)
        pt_log(PT_LOG_ERROR,
               "'%s' was damaged and is now '%s', beside it: 'pagetrail check --repair' recovers "
               "what is in it%s",
               d->path, w->aside_as, d->stop ? "" : "; recording goes on in a new file");
    d->told_asides = w->asides;
    if (w->wals != d->told_wals && w->wal_as[0])
        pt_log(
            PT_LOG_ERROR,
            "the -wal of '%s' was damaged: what was stored behind the place is kept as '%s-wal', "
            "beside it: 'pagetrail check --repair %s' recovers it",
            d->path, w->wal_as, w->wal_as);
    else if (w->wals != d->told_wals)
        pt_log(PT_LOG_ERROR,
               "the -wal of '%s' was damaged: what was stored behind the place is lost, for there "
               "are as many copies of such files beside it, or as large ones, as may be",
               d->path);
    d->told_wals = w->wals;
    if (w->meddles != d->told_meddles)
        pt_log(PT_LOG_ERROR, "'%s': %s", d->path, w->meddled);
    d->told_meddles = w->meddles;
}

static void tell_lost(uint64_t n)
{
    pt_log(PT_LOG_ERROR, "%" PRIu64 " snapshot%s could not be stored", n, n == 1 ? "" : "s");
}

static void tell_writer(struct daemon *d)
{
    struct pt_writer_stats w;
    pt_writer_stats(d->writer, &w);
    if (w.failing && !d->told_failing)
        pt_log(PT_LOG_ERROR, "cannot store: %s; trying again with every snapshot", w.err.text);
    else if (!w.failing && d->told_failing)
        pt_log(PT_LOG_NOTICE, "storing again");
    d->told_failing = w.failing;
    tell_asides(d, &w);
    if (w.moved != d->told_moved && !w.failing) {
        pt_log(PT_LOG_WARNING, "'%s' was moved or deleted: a new file is begun", d->path);
        event(d, PT_EVENT_START, "the file before was moved or deleted");
        d->told_moved = w.moved;
    }
    if (w.lost != d->told_lost && !w.failing && pt_writer_pace(d->writer) == 1) {
        tell_lost(w.lost - d->told_lost);
        d->told_lost = w.lost;
    }
}

static void tell_deep(struct daemon *d, const struct pt_sampler_stats *s)
{
    char text[128];
    if (s->stuck != d->told_stuck) {
        snprintf(text, sizeof(text), "process %" PRIu32 " hangs: a deep read of it was given up",
                 s->last_stuck_pid);
        pt_log(PT_LOG_WARNING, "%s", text);
        event(d, PT_EVENT_NOTE, text);
        d->told_stuck = s->stuck;
    }
    if (s->deep_paused != d->told_paused) {
        snprintf(text, sizeof(text),
                 s->deep_paused ? "deep reading pauses: %" PRIu32 " reads hang"
                                : "deep reading goes on",
                 s->stuck_now);
        pt_log(PT_LOG_WARNING, "%s", text);
        event(d, PT_EVENT_NOTE, text);
        d->told_paused = s->deep_paused;
    }
    if (s->refused > d->told_refused)
        pt_log(PT_LOG_WARNING, "%" PRIu64 " texts could not be taken in",
               s->refused - d->told_refused);
    d->told_refused = s->refused;
}

static void tell(struct daemon *d)
{
    struct pt_sampler_stats s;
    struct pt_writer_stats w;
    tell_writer(d);
    pt_sampler_stats(d->sampler, &s);
    tell_deep(d, &s);
    pt_log(PT_LOG_DEBUG,
           "%" PRIu32 " processes, %" PRIu32 " cgroups, %" PRIu32 " descriptors kept, %" PRIu64
           " deep reads, %" PRId64 " us of CPU",
           s.processes, s.cgroups, s.kept_fds, s.deep_reads, s.last_cost_us);
    if (!pt_log_tty())
        return;
    pt_writer_stats(d->writer, &w);
    const double wall = (double)(pt_clock_us(CLOCK_BOOTTIME) - d->start_us);
    const double cpu = (double)pt_clock_us(CLOCK_PROCESS_CPUTIME_ID);
    pt_log_progress("%" PRIu64 " snapshots, %" PRIu32
                    " processes, %.1f KiB, own CPU %.2f%%, %.1f MiB",
                    s.snapshots, s.processes, (double)w.file_bytes / 1024,
                    wall > 0 ? 100 * cpu / wall : 0.0, (double)s.rss_kb / 1024);
}

/* Returns how soon it is to be called again; < 0: never. */
static int64_t tell_manager(struct daemon *d)
{
    struct pt_writer_stats w;
    struct pt_sampler_stats s;
    char status[256];
    const int64_t limit = d->notify.watchdog_us;
    if (d->notify.fd < 0)
        return -1;
    pt_writer_stats(d->writer, &w);
    pt_sampler_stats(d->sampler, &s);
    if (w.failing)
        snprintf(status, sizeof(status), "cannot store: %.200s", w.err.text);
    else
        snprintf(status, sizeof(status),
                 "recording every %g s: %" PRIu64 " snapshots, %" PRIu32 " processes, %.1f MiB",
                 (double)d->options->interval_us / (double)PT_SECOND, w.frames, s.processes,
                 (double)w.file_bytes / (1 << 20));
    const struct pt_notify_state now = {
        .ready = w.frames || w.failing,
        .alive = !pt_writer_stalled(d->writer, limit) && !pt_sampler_stalled(d->sampler, limit),
        .failing = w.failing,
        .status = status,
    };
    return pt_notify_tick(&d->notify, &now);
}

/* ---- the schedule ---- */

static int64_t now_us(void)
{
    return pt_clock_us(CLOCK_BOOTTIME);
}

static void arm(const struct daemon *d)
{
    const int64_t end = d->options->duration_us ? d->start_us + d->options->duration_us : INT64_MAX;
    const struct itimerspec at = {.it_value = pt_timespec(d->next_us < end ? d->next_us : end)};
    timerfd_settime(d->timer_fd, TFD_TIMER_ABSTIME, &at, NULL);
}

static void tell_skipped(struct daemon *d, int64_t now)
{
    char text[96];
    if (!d->untold || now < d->told_gap_us + TELL_GAPS_US)
        return;
    snprintf(text, sizeof(text),
             "%" PRIu64 " ticks were skipped: this machine was too slow or asleep", d->untold);
    event(d, PT_EVENT_GAP, text);
    pt_log(PT_LOG_DEBUG, "%s", text);
    d->untold = 0;
    d->told_gap_us = now;
}

/* Multiples of the interval since the start; in a burst, of its interval since it began. */
static void change_pace(struct daemon *d, int64_t every, int64_t now)
{
    const int64_t base = every == d->options->interval_us ? d->start_us : now;
    d->every_us = every;
    pt_sampler_account(d->sampler)->value[PT_ACCOUNT_INTERVAL_US] = every;
    d->next_us = base + ((now - base) / every + 1) * every;
}

/* The next tick; those whose time is over already are skipped and counted. */
static void schedule(struct daemon *d)
{
    const int64_t now = now_us(), dense = pt_alarm_dense_us(d->alarm);
    const int64_t every = dense ? dense : pt_sampler_interval_us(d->sampler);
    if (every != d->every_us)
        change_pace(d, every, now);
    else
        d->next_us += every;
    if (d->next_us <= now) {
        const int64_t missed = (now - d->next_us) / every + 1;
        d->next_us += missed * every;
        d->skipped += (uint64_t)missed;
        d->untold += (uint64_t)missed;
    }
    tell_skipped(d, now);
    arm(d);
}

/* After the first snapshot: once, not with every failing read. */
static void tell_access(struct daemon *d)
{
    char denied[PT_ACCESS_TEXT];
    const char *texts[] = {
        pt_access_denied(pt_sampler_access(d->sampler), denied) ? denied : NULL,
        pt_access_empty(&d->roots),
        pt_access_hidden(&d->roots),
        pt_access_cgroups(&d->roots),
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        if (!texts[i])
            continue;
        pt_log(PT_LOG_NOTICE, "%s", texts[i]);
        event(d, PT_EVENT_SKIP, texts[i]);
    }
}

static void snapshot(struct daemon *d, enum pt_trigger trigger)
{
    struct pt_err err = {0};
    const bool timed = trigger == PT_TRIGGER_TIMER || trigger == PT_TRIGGER_BURST;
    const unsigned pace = timed ? pt_writer_pace(d->writer) : 1;
    const bool skip = pace == 0 || d->ticks % pace != 0;
    d->skipped += skip;
    pt_sampler_account(d->sampler)->value[PT_ACCOUNT_TICKS_SKIPPED] = (int64_t)d->skipped;
    if (d->alarm)
        pt_alarm_before(d->alarm);
    if (skip)
        pt_writer_skip(d->writer, pt_clock_us(CLOCK_REALTIME));
    else if (pt_sampler_tick(d->sampler, trigger, &err) < 0)
        pt_log(PT_LOG_ERROR, "no snapshot: %s", err.text);
    if (d->alarm)
        pt_alarm_after(d->alarm, trigger == PT_TRIGGER_STOP);
    if (trigger == PT_TRIGGER_START || trigger == PT_TRIGGER_ONCE)
        tell_access(d);
    tell(d);
}

/* A burst that begins with it has a pace of its own. */
static void alarm_snapshot(void *ctx, enum pt_trigger trigger)
{
    struct daemon *d = ctx;
    snapshot(d, trigger);
    const int64_t dense = pt_alarm_dense_us(d->alarm);
    if (dense && d->every_us != dense)
        schedule(d);
}

static bool on_timer(void *ctx, int revents)
{
    struct daemon *d = ctx;
    uint64_t expirations;
    (void)revents;
    if (d->stop || read(d->timer_fd, &expirations, sizeof(expirations)) != sizeof(expirations))
        return true;
    if (d->options->duration_us && now_us() >= d->start_us + d->options->duration_us) {
        d->stop = true;
        return true;
    }
    d->ticks++;
    snapshot(d, pt_alarm_dense_us(d->alarm) ? PT_TRIGGER_BURST : PT_TRIGGER_TIMER);
    schedule(d);
    return true;
}

static void still_alive(void *ctx)
{
    tell_manager(ctx);
}

static void reopen(struct daemon *d)
{
    struct pt_err err = {0};
    pt_notify_reloading(&d->notify);
    event(d, PT_EVENT_STOP, "told to open the database anew");
    const bool done = pt_writer_reopen(d->writer, still_alive, d, &err) >= 0;
    if (done)
        pt_log(PT_LOG_NOTICE, "recording to '%s' anew", d->path);
    else
        pt_log(PT_LOG_ERROR, "cannot open '%s' anew: %s", d->path, err.text);
    pt_sampler_reopened(d->sampler);
    event(d, PT_EVENT_START,
          done ? "the database was opened anew" : "the database could not be opened anew");
    snapshot(d, PT_TRIGGER_START);
    pt_notify_reloaded(&d->notify);
}

static bool on_signal(void *ctx, int revents)
{
    struct daemon *d = ctx;
    (void)revents;
    /* all that wait at once: the kernel gives SIGUSR1 before SIGTERM, time and again */
    struct signalfd_siginfo info[8];
    const ssize_t n = read(d->signal_fd, info, sizeof(info));
    bool hup = false, usr1 = false;
    for (ssize_t i = 0; i < n / (ssize_t)sizeof(*info); i++) {
        hup |= info[i].ssi_signo == SIGHUP;
        usr1 |= info[i].ssi_signo == SIGUSR1;
        d->stop |= info[i].ssi_signo == SIGTERM || info[i].ssi_signo == SIGINT;
    }
    if (hup && !d->stop)
        reopen(d);
    if (usr1 && !d->stop)
        pt_alarm_raise(d->alarm, PT_TRIGGER_SIGNAL, "signal");
    return true;
}

/* ---- start and end ---- */

static int open_signals(struct daemon *d, struct pt_err *err)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a limit to the size of files is a full disk */
    d->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    d->timer_fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    if (d->signal_fd < 0 || d->timer_fd < 0)
        return pt_err_set(err, PT_EIO, errno, "", -1, "cannot set up signals and timer: %s",
                          strerror(errno));
    return 0;
}

static int watch(struct daemon *d, struct pt_err *err)
{
    const struct pt_alarm_config alarm = {
        .options = d->options,
        .roots = &d->roots,
        .writer = d->writer,
        .sampler = d->sampler,
        .loop = &d->loop,
        .snapshot = alarm_snapshot,
        .ctx = d,
    };
    /* signals first: whoever wants to stop does not wait */
    pt_loop_add(&d->loop, d->signal_fd, POLLIN, 0, on_signal, d);
    pt_loop_add(&d->loop, d->timer_fd, POLLIN, 0, on_timer, d);
    return pt_alarm_new(&alarm, &d->alarm, err);
}

static int start(struct daemon *d, struct pt_err *err)
{
    const struct pt_options *o = d->options;
    d->fds = pt_fds_raise();
    pt_endure_begin();
    if (open_signals(d, err) < 0 ||
        pt_roots_init(&d->roots, o->procfs, o->sysfs, o->cgroupfs, err) < 0 ||
        pt_daemon_path(o, d->path, err) < 0 || (!o->output && pt_keep_dirs(d->path, 0, err) < 0))
        return -1;
    if (pt_lock_take(&d->lock, d->path, err) < 0 ||
        (o->raw_log && pt_rawlog_open(o->raw_log, &d->raw, err) < 0))
        return -1;
    struct pt_writer_config writer = {.path = d->path,
                                      .limits = {o->max_bytes, o->max_age_us, o->interval_us},
                                      .sync_us = o->sync_us,
                                      .lock = &d->lock,
                                      .patient = !o->once};
    pt_host_meta(&d->roots, o->interval_us, &writer.meta);
    pt_host_boot_id(&d->roots, writer.boot_id);
    writer.btime_us = pt_host_btime_us(&d->roots);
    if (pt_writer_new(&writer, &d->writer, err) < 0)
        return -1;
    const struct pt_sampler_config sampler = {
        .roots = &d->roots,
        .writer = d->writer,
        .raw = d->raw,
        .plan = {.mode = (enum pt_deep_mode)o->deep,
                 .budget_ppm = o->budget_ppm,
                 .interval_us = o->interval_us,
                 .stall_us = o->stall_us},
        .cmdline = (enum pt_cmdline)o->cmdline,
        .timestamp_us = o->timestamp_us,
    };
    if (pt_sampler_new(&sampler, &d->sampler, err) < 0)
        return -1;
    pt_sampler_account(d->sampler)->value[PT_ACCOUNT_INTERVAL_US] = o->interval_us;
    if (!o->once && watch(d, err) < 0)
        return -1;
    pt_endure_stack();
    pt_endure_lock();
    return 0;
}

static void tell_fds(struct daemon *d)
{
    char text[128];
    if (d->fds >= PT_FDS_POOR)
        return;
    snprintf(text, sizeof(text),
             "only %" PRIu64 " descriptors are allowed: files are opened anew for every reading",
             d->fds);
    pt_log(PT_LOG_WARNING, "%s", text);
    event(d, PT_EVENT_NOTE, text);
}

static void record(struct daemon *d)
{
    char text[96];
    d->start_us = d->next_us = now_us();
    d->every_us = d->options->interval_us;
    d->told_gap_us = d->start_us - TELL_GAPS_US;
    if (d->options->once) {
        snapshot(d, PT_TRIGGER_ONCE);
        return;
    }
    snprintf(text, sizeof(text), "recording every %g s",
             (double)d->options->interval_us / (double)PT_SECOND);
    pt_past_tell(d->writer, pt_host_btime_us(&d->roots), d->options->interval_us,
                 pt_clock_us(CLOCK_REALTIME));
    event(d, PT_EVENT_START, text);
    pt_log(PT_LOG_INFO, "%s to '%s'", text, d->path);
    tell_fds(d);
    snapshot(d, PT_TRIGGER_START);
    schedule(d);
    while (!d->stop) {
        const int64_t deep = pt_sampler_watch(d->sampler), manager = tell_manager(d);
        pt_loop_wait(&d->loop, deep < 0 || (manager >= 0 && manager < deep) ? manager : deep);
    }
    pt_notify_send(&d->notify, "STOPPING=1");
    snapshot(d, PT_TRIGGER_STOP);
    tell_skipped(d, INT64_MAX);
    event(d, PT_EVENT_STOP, "told to stop");
}

static int end(struct daemon *d)
{
    struct pt_err err = {0};
    struct pt_writer_stats w = {0};
    int status = PT_EXIT_OK;
    if (d->writer && pt_writer_free(d->writer, &w, &err) < 0) {
        pt_log(PT_LOG_ERROR, "cannot finish '%s': %s", d->path, err.text);
        status = PT_EXIT_FAILED;
    }
    tell_asides(d, &w);
    if (w.lost != d->told_lost)
        tell_lost(w.lost - d->told_lost);
    pt_alarm_free(d->alarm);
    if (d->sampler)
        pt_sampler_free(d->sampler);
    err = (struct pt_err){0};
    if (pt_rawlog_close(d->raw, &err) < 0) {
        pt_log(PT_LOG_ERROR, "%s", err.text);
        status = PT_EXIT_FAILED;
    }
    pt_lock_drop(&d->lock);
    if (d->sampler)
        pt_log(PT_LOG_INFO, "%" PRIu64 " snapshot%s recorded to '%s'%s", w.frames,
               w.frames == 1 ? "" : "s", d->path, d->skipped ? "; ticks were skipped" : "");
    return w.frames || !d->sampler ? status : PT_EXIT_FAILED;
}

int pt_daemon_run(const struct pt_options *o)
{
    struct daemon d = {.options = o, .lock = {.fd = -1}, .timer_fd = -1, .signal_fd = -1};
    struct pt_err err = {0};
    pt_notify_init(&d.notify);
    pt_log_init(o->quiet ? PT_LOG_WARNING : o->verbose ? PT_LOG_DEBUG : PT_LOG_INFO);
    for (int i = 0; i < PT_ROOTS; i++)
        d.roots.root[i].fd = -1;
    const bool started = start(&d, &err) >= 0;
    if (started)
        record(&d);
    else
        pt_log(PT_LOG_ERROR, "%s", err.text);
    const int status = end(&d);
    pt_notify_release(&d.notify);
    /* the roots stay open: an abandoned deep read may still look at them */
    return !started ? PT_EXIT_OPEN : status;
}
