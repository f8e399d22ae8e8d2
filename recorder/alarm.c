/* SPDX-License-Identifier: MIT
 * Triggers, and the bursts they begin. */
#include "recorder/alarm.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "recorder/burst.h"
#include "recorder/clock.h"
#include "recorder/exits.h"
#include "recorder/kmsg.h"
#include "recorder/log.h"

/* Outside of bursts (there are none, or the day's are spent) one kind of trigger takes no more
 * snapshots than one in this time. */
#define QUIET_US (60 * PT_SECOND)

/* A kill is dozens of records in a moment: they are read together. */
#define LOG_PAUSE_US 20000

struct pt_alarm {
    struct pt_alarm_config config;
    struct pt_burst burst;
    struct pt_low low;
    int psi_fd;
    bool busy; /* a snapshot of ours is being taken */
    int64_t last_us[PT_TRIGGER_BURST];
    struct pt_untold left_out;
    int64_t burst_n;  /* the snapshot a burst began with */
    int64_t before_n; /* the snapshot before the one being taken or just taken; 0: none */
    int64_t psi_us, psi_at_us;
    bool psi_told;          /* by the kernel's trigger, since the last snapshot */
    struct pt_exits *exits; /* or NULL */
    int kmsg_fd;
    uint64_t kmsg_seq;
    struct pt_oom oom;
    bool foreign_pids;           /* the log's are not those of our procfs */
    int64_t kills;               /* that the log told, so far */
    int64_t fresh;               /* of these, without a trigger yet */
    int64_t base_kills;          /* vmstat's count at the first snapshot, or PT_UNKNOWN */
    int64_t silent, told_silent; /* kills that vmstat counts and the log did not tell; told */
};

/* ---- events ---- */

static void event(struct pt_alarm *a, enum pt_event kind, const char *text)
{
    const struct pt_snap *last = pt_sampler_last(a->config.sampler);
    pt_writer_event(a->config.writer, pt_clock_us(CLOCK_REALTIME), kind,
                    last->n ? last->n : PT_UNKNOWN, "", text);
    pt_log(PT_LOG_INFO, "%s: %s", pt_event_name((int)kind), text);
}

static void tell_begin(struct pt_alarm *a)
{
    const struct pt_burst *b = &a->burst;
    char text[96];
    snprintf(text, sizeof(text), "begins: a snapshot every %g s for %g s",
             (double)a->config.options->burst_interval_us / (double)PT_SECOND,
             (double)(b->until_us - b->begun_us) / (double)PT_SECOND);
    event(a, PT_EVENT_BURST, text);
    a->burst_n = pt_sampler_last(a->config.sampler)->n;
}

static void tell_end(struct pt_alarm *a, int64_t now)
{
    char text[96];
    snprintf(text, sizeof(text),
             "ends: %" PRId64 " snapshots in %.1f s, called for by %" PRIu32 " triggers",
             pt_sampler_last(a->config.sampler)->n - a->burst_n + 1,
             (double)(now - a->burst.begun_us) / (double)PT_SECOND, a->burst.triggers);
    event(a, PT_EVENT_BURST, text);
}

static void tell_refused(struct pt_alarm *a, int64_t now)
{
    char text[96];
    snprintf(text, sizeof(text),
             "no dense snapshots: those of the day are used up, for another %.1f h",
             (double)(a->burst.day_us + 86400 * PT_SECOND - now) / (3600.0 * (double)PT_SECOND));
    event(a, PT_EVENT_SKIP, text);
}

static void tell_left_out(struct pt_alarm *a, int64_t now, bool end)
{
    char text[112], minutes[24] = "";
    int64_t in_us;
    const uint32_t n = pt_untold_take(&a->left_out, now, end, &in_us);
    if (!n)
        return;
    if (in_us >= 2 * QUIET_US)
        snprintf(minutes, sizeof(minutes), " in %" PRId64 " min", in_us / (60 * PT_SECOND));
    snprintf(text, sizeof(text),
             "%" PRIu32 " trigger%s took no snapshot%s: outside of bursts there is one a minute", n,
             n == 1 ? "" : "s", minutes);
    event(a, PT_EVENT_SKIP, text);
}

/* ---- raising ---- */

/* Not within a burst, which takes snapshots anyway, but for people who ask. */
static bool wants_snapshot(struct pt_alarm *a, enum pt_trigger trigger, enum pt_burst_answer answer,
                           int64_t now)
{
    if (a->busy)
        return false;
    if (trigger == PT_TRIGGER_SIGNAL || answer == PT_BURST_BEGINS)
        return true;
    if (answer == PT_BURST_LASTS)
        return false;
    if (!a->last_us[trigger] || now - a->last_us[trigger] >= QUIET_US)
        return true;
    pt_untold_add(&a->left_out, now);
    return false;
}

void pt_alarm_raise(struct pt_alarm *a, enum pt_trigger trigger, const char *text)
{
    const int64_t now = pt_clock_us(CLOCK_BOOTTIME);
    const enum pt_burst_answer answer = pt_burst_trigger(&a->burst, now);
    const bool wanted = wants_snapshot(a, trigger, answer, now);
    if (wanted) {
        a->last_us[trigger] = now;
        a->busy = true;
        a->config.snapshot(a->config.ctx, trigger);
        a->busy = false;
    }
    if (wanted || (a->busy && trigger != PT_TRIGGER_PSI))
        event(a, PT_EVENT_TRIGGER, text);
    if (answer == PT_BURST_BEGINS)
        tell_begin(a);
    else if (answer == PT_BURST_REFUSED)
        tell_refused(a, now);
    if (wanted || trigger == PT_TRIGGER_OOM)
        pt_writer_sync(a->config.writer);
}

int64_t pt_alarm_dense_us(const struct pt_alarm *a)
{
    return a->burst.on ? a->config.options->burst_interval_us : 0;
}

/* ---- pressure ---- */

static bool on_psi(void *ctx, int revents)
{
    struct pt_alarm *a = ctx;
    if (revents & (POLLERR | POLLNVAL)) {
        close(a->psi_fd);
        a->psi_fd = -1;
        return false;
    }
    a->psi_told = true;
    pt_alarm_raise(a, PT_TRIGGER_PSI, "memory pressure: tasks stalled for 150 ms of 2 s");
    return true;
}

/* Where the kernel takes no trigger (another's procfs, no permission, no PSI) there are the totals
 * of the snapshots. */
static int open_psi(const struct pt_roots *roots)
{
    static const char trigger[] = "some 150000 2000000";
    if (!roots->root[PT_ROOT_PROC].live)
        return -1;
    const int fd =
        openat(roots->root[PT_ROOT_PROC].fd, "pressure/memory", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0 && write(fd, trigger, sizeof(trigger)) >= 0)
        return fd;
    pt_log(PT_LOG_DEBUG, "no pressure trigger: %s; totals are compared", strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

/* The trigger is not enough. Those of the unprivileged are looked at when the running averages are
 * renewed, every two seconds, and whoever reads pressure/memory when that is due renews them
 * without looking: a reader with bad luck, such as this recorder, silences its own trigger
 * (e2e/starved.sh). From headline to headline: a tick that is left out has none of its own, and
 * what the next one tells is of all the time between. */
static void compare_psi(struct pt_alarm *a, const struct pt_headline *h)
{
    char text[96];
    const int64_t elapsed = h->read_us - a->psi_at_us;
    const int64_t was = a->psi_us, is = h->psi_some_us == PT_UNKNOWN ? -1 : h->psi_some_us;
    if (elapsed <= 0)
        return;
    a->psi_us = is;
    a->psi_at_us = h->read_us;
    const bool told = a->psi_told;
    a->psi_told = false;
    if (told || !pt_psi_over(was, is, elapsed))
        return;
    snprintf(text, sizeof(text), "memory pressure: tasks stalled for %" PRId64 " ms of %.1f s",
             (is - was) / 1000, (double)elapsed / (double)PT_SECOND);
    pt_alarm_raise(a, PT_TRIGGER_PSI, text);
}

/* ---- memory ---- */

static void on_record(void *ctx, const struct pt_kmsg *r)
{
    struct pt_alarm *a = ctx;
    struct pt_oom_kill k;
    char subject[PT_OOM_SUBJECT], text[PT_OOM_TEXT];
    if (!pt_oom_line(&a->oom, r->text, r->len, &k))
        return;
    const struct pt_portrait *p =
        a->foreign_pids ? NULL : pt_sampler_portrait(a->config.sampler, k.pid);
    const int64_t n = p ? p->n : pt_sampler_last(a->config.sampler)->n;
    pt_oom_describe(&k, p, a->foreign_pids, subject, text);
    pt_writer_event(a->config.writer, pt_clock_us(CLOCK_REALTIME), PT_EVENT_OOM, n ? n : PT_UNKNOWN,
                    subject, text);
    pt_log(PT_LOG_INFO, "oom: %s: %s", subject, text);
    a->kills++;
    a->fresh++;
}

static void drain_log(struct pt_alarm *a)
{
    if (a->kmsg_fd >= 0)
        pt_kmsg_drain(a->kmsg_fd, &a->kmsg_seq, on_record, a);
}

static void raise_oom(struct pt_alarm *a, int64_t kills)
{
    char text[64];
    snprintf(text, sizeof(text), "out of memory: %" PRId64 " killed", kills);
    pt_alarm_raise(a, PT_TRIGGER_OOM, text);
}

static void raise_logged(struct pt_alarm *a)
{
    const int64_t kills = a->fresh;
    a->fresh = 0;
    if (kills)
        raise_oom(a, kills);
}

static bool on_log(void *ctx, int revents)
{
    struct pt_alarm *a = ctx;
    (void)revents; /* an overwritten record is POLLERR too */
    drain_log(a);
    raise_logged(a);
    return true;
}

/* Without the log: how many, and in which cgroups. */
static void tell_silent(struct pt_alarm *a, int64_t kills)
{
    struct pt_cgroup_kills where[8];
    const uint32_t n = pt_sampler_kills(a->config.sampler, where, 8);
    char text[96];
    for (uint32_t i = 0; i <= n && kills > 0; i++) {
        const int64_t here = i < n && where[i].kills < kills ? where[i].kills : kills;
        snprintf(text, sizeof(text), "%" PRId64 " killed: the kernel log, which says whom, %s",
                 here, a->kmsg_fd < 0 ? "cannot be read" : "does not tell");
        pt_writer_event(a->config.writer, pt_clock_us(CLOCK_REALTIME), PT_EVENT_OOM,
                        a->before_n ? a->before_n : PT_UNKNOWN, i < n ? where[i].path : "", text);
        kills -= here;
    }
}

/* The kernel counts a kill before it logs it: what the log does not tell by the next snapshot, it
 * does not tell at all. */
static void compare_oom(struct pt_alarm *a, const struct pt_headline *h)
{
    if (h->oom_kills == PT_UNKNOWN)
        return;
    if (a->base_kills == PT_UNKNOWN)
        a->base_kills = h->oom_kills - a->kills;
    const int64_t was = a->silent, is = h->oom_kills - a->base_kills - a->kills;
    const int64_t sure = a->kmsg_fd < 0 || is < was ? is : was;
    const int64_t news = sure - a->told_silent;
    a->silent = is;
    if (news <= 0)
        return;
    a->told_silent = sure;
    tell_silent(a, news);
    raise_oom(a, news);
}

/* Numbers in the log are those of the first pid namespace, whose inode is the same on all
 * machines. */
static bool pids_are_foreign(const struct pt_roots *roots)
{
    static const char first[] = "pid:[4026531836]";
    char ns[64];
    const ssize_t n = readlinkat(roots->root[PT_ROOT_PROC].fd, "1/ns/pid", ns, sizeof(ns));
    return n > 0 && ((size_t)n != sizeof(first) - 1 || memcmp(ns, first, (size_t)n) != 0);
}

static void open_log(struct pt_alarm *a)
{
    char text[160];
    a->kmsg_fd = -1;
    if (!a->config.roots->root[PT_ROOT_PROC].live)
        return;
    a->kmsg_fd = pt_kmsg_open();
    if (a->kmsg_fd < 0) {
        snprintf(text, sizeof(text),
                 "the kernel log cannot be read: %s; OOM kills are counted, not named",
                 strerror(-a->kmsg_fd));
        event(a, PT_EVENT_NOTE, text);
    }
    a->foreign_pids = pids_are_foreign(a->config.roots);
    pt_loop_add(a->config.loop, a->kmsg_fd, POLLIN, LOG_PAUSE_US, on_log, a);
}

static void compare_low(struct pt_alarm *a, const struct pt_headline *h)
{
    char text[96];
    const int64_t page_kb = sysconf(_SC_PAGESIZE) / 1024;
    const int64_t high = h->high_pages == PT_UNKNOWN ? 0 : h->high_pages * page_kb;
    const int64_t limit = pt_low_limit_kb(h->mem_total_kb, high);
    if (!pt_low_falls(&a->low, h->mem_available_kb, limit))
        return;
    snprintf(text, sizeof(text), "MemAvailable %" PRId64 " kB is under %" PRId64 " kB",
             h->mem_available_kb, limit);
    pt_alarm_raise(a, PT_TRIGGER_LOW, text);
}

/* ---- around a snapshot ---- */

void pt_alarm_before(struct pt_alarm *a)
{
    a->before_n = pt_sampler_last(a->config.sampler)->n;
    /* who was killed and who ended is looked up as of the snapshot before */
    drain_log(a);
    pt_exits_drain(a->exits);
}

void pt_alarm_after(struct pt_alarm *a, bool end)
{
    /* a copy: a trigger takes a snapshot of its own */
    const struct pt_headline h = *pt_sampler_headline(a->config.sampler);
    const int64_t now = pt_clock_us(CLOCK_BOOTTIME);
    if (pt_burst_ends(&a->burst, now)) {
        tell_end(a, now);
        if (pt_burst_cut(&a->burst, now))
            tell_refused(a, now);
    }
    tell_left_out(a, now, end);
    pt_exits_tell(a->exits, end);
    if (end)
        return;
    raise_logged(a);
    compare_oom(a, &h);
    compare_low(a, &h);
    compare_psi(a, &h);
}

/* ---- life ---- */

int pt_alarm_new(const struct pt_alarm_config *config, struct pt_alarm **ret, struct pt_err *err)
{
    const struct pt_options *o = config->options;
    struct pt_alarm *a = calloc(1, sizeof(*a));
    if (!a)
        return pt_err_nomem(err);
    a->config = *config;
    a->psi_us = -1;
    a->base_kills = PT_UNKNOWN;
    pt_burst_init(&a->burst, o->burst_interval_us < o->interval_us ? o->burst_length_us : 0,
                  o->burst_limit);
    a->psi_fd = open_psi(config->roots);
    pt_loop_add(config->loop, a->psi_fd, POLLPRI, 0, on_psi, a);
    open_log(a);
    a->exits = pt_exits_new(config->roots, config->writer, config->sampler, config->loop);
    *ret = a;
    return 0;
}

void pt_alarm_free(struct pt_alarm *a)
{
    if (!a)
        return;
    if (a->psi_fd >= 0)
        close(a->psi_fd);
    if (a->kmsg_fd >= 0)
        close(a->kmsg_fd);
    pt_exits_free(a->exits);
    free(a);
}
