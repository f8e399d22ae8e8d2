/* SPDX-License-Identifier: MIT
 * Writes the generator's machine as the recorder would: through the encoder and the store. */
#include "tests/gen/history.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/source.h"

#define NO_FILE (-1)

struct gen {
    const struct pt_gen_options *o;
    struct machine m;
    struct pt_store *store;
    struct pt_shapes *shapes;
    struct pt_enc *enc;
    struct pt_buf frame;
    struct text *text;
    int64_t system[F_SYSTEM_COUNT];
    int64_t (*handles)[P_COUNT]; /* by process index; NO_FILE: not open */
    int64_t now_us, step_us;
    uint32_t boot, tick, gaps;
    bool new_chain, restart;
};

void pt_gen_defaults(struct pt_gen_options *o)
{
    *o = (struct pt_gen_options){
        .snapshots = 8640,
        .interval_us = 10000000,
        .processes = 300,
        .changing = 0.33,
        .seed = 1,
        .start_us = 1795000000000000,
        .chain = 360,
        .gap_every = 5000,
        .gap_us = 2 * 3600 * 1000000ll,
        .reboot_every = 3,
        .deep_every = 2,
    };
}

/* ---- texts ---- */

static int tell(struct gen *g, int64_t handle, struct pt_err *err)
{
    return pt_enc_text(g->enc, (uint32_t)handle, g->text->buf, text_len(g->text), PT_UNKNOWN, err);
}

static int tell_system(struct gen *g, struct pt_err *err)
{
    for (unsigned i = 0; i < F_SYSTEM_COUNT; i++) {
        const struct system_def *def = &system_files[i];
        if (g->tick % def->every && !g->restart)
            continue;
        if (g->system[i] == NO_FILE)
            g->system[i] = pt_enc_open(g->enc, def->name, &pt_file_of(def->name)->grammar, err);
        if (g->system[i] < 0)
            return (int)g->system[i];
        g->text->p = g->text->buf;
        def->print(g->text, &g->m);
        const int r = tell(g, g->system[i], err);
        if (r < 0)
            return r;
    }
    return 0;
}

static int tell_file(struct gen *g, const struct process *p, enum process_file file,
                     struct pt_err *err)
{
    int64_t *handle = &g->handles[p->index][file];
    if (*handle == NO_FILE) {
        char name[64];
        snprintf(name, sizeof name, "proc:%u/%s", p->pid, process_files[file].name);
        *handle = pt_enc_open(g->enc, name, &pt_file_of(name)->grammar, err);
        if (*handle < 0)
            return (int)*handle;
    }
    g->text->p = g->text->buf;
    process_files[file].print(g->text, p);
    return tell(g, *handle, err);
}

static int close_process(struct gen *g, const struct process *p, struct pt_err *err)
{
    int r = 0;
    for (unsigned f = 0; f < P_COUNT && r >= 0; f++) {
        int64_t *handle = &g->handles[p->index][f];
        if (*handle != NO_FILE)
            r = pt_enc_gone(g->enc, (uint32_t)*handle, err);
        *handle = NO_FILE;
    }
    return r;
}

static int tell_born(struct gen *g, struct process *p, struct pt_err *err)
{
    int r = 0;
    for (unsigned f = P_EXE; f <= P_CGROUP && r >= 0; f++)
        r = tell_file(g, p, (enum process_file)f, err);
    p->born = false;
    return r;
}

/* As the recorder does it: statm always, stat and status when it says something new. */
static int tell_process(struct gen *g, struct process *p, bool ran, struct pt_err *err)
{
    const int64_t statm = g->handles[p->index][P_STATM];
    int r = 0;
    if (p->born)
        r = tell_born(g, p, err);
    if (r >= 0 && !ran && statm != NO_FILE)
        return pt_enc_put(g->enc, (uint32_t)statm,
                          pt_reading_ref((struct pt_reading *)pt_enc_last(g->enc, (uint32_t)statm)),
                          PT_UNKNOWN, err);
    for (unsigned f = P_STATM; f <= P_FD && r >= 0; f++)
        r = tell_file(g, p, (enum process_file)f, err);
    return r;
}

static int step_process(struct gen *g, struct process *p, struct pt_err *err)
{
    bool ran = p->born;
    int r = 0;
    if (process_ends(&g->m, p)) {
        r = close_process(g, p, err);
        process_end(&g->m, p);
        if (process_start(&g->m, p) < 0)
            return pt_err_nomem(err);
        ran = true;
    }
    const bool busy = (double)(p->index * 7919u % 1000) < g->o->changing * 1000;
    if (busy || p->runs_in-- == 0) {
        process_run(&g->m, p, g->step_us);
        p->runs_in = 20 + (uint32_t)rng_below(&g->m.rng, 200);
        ran = true;
    }
    return r < 0 ? r : tell_process(g, p, ran, err);
}

static int tell_deep(struct gen *g, struct pt_err *err)
{
    if (!g->o->deep_every || g->tick % g->o->deep_every || !g->o->processes)
        return 0;
    return tell_file(g, &g->m.processes[g->tick / g->o->deep_every % g->o->processes], P_SMAPS,
                     err);
}

/* ---- snapshots ---- */

/* The recorder of the next boot is another process: it knows no file. */
static int start_encoder(struct gen *g, struct pt_err *err)
{
    for (unsigned i = 0; i < F_SYSTEM_COUNT; i++)
        g->system[i] = NO_FILE;
    for (uint32_t i = 0; i < g->o->processes; i++)
        for (unsigned f = 0; f < P_COUNT; f++)
            g->handles[i][f] = NO_FILE;
    pt_enc_free(g->enc);
    g->enc = pt_enc_new(g->shapes);
    return g->enc ? 0 : pt_err_nomem(err);
}

static int gap(struct gen *g, struct pt_err *err)
{
    const bool reboot = g->tick && g->o->reboot_every && ++g->gaps % g->o->reboot_every == 0;
    char boot_id[40];
    int r = 0;
    g->now_us += g->o->gap_us;
    g->m.now_us = g->now_us;
    if (reboot || g->tick == 0) {
        r = start_encoder(g, err);
        if (r < 0)
            return r;
        if (g->tick && machine_boot(&g->m, g->o) < 0)
            return pt_err_nomem(err);
        snprintf(boot_id, sizeof boot_id, "00000000-0000-4000-8000-%012u", g->gaps);
        const int64_t boot = pt_store_boot(g->store, boot_id, g->now_us - g->m.uptime_us, err);
        if (boot < 0)
            return (int)boot;
        g->boot = (uint32_t)boot;
    } else {
        g->m.uptime_us += g->o->gap_us;
    }
    if (r >= 0 && g->tick)
        r = pt_store_event(g->store, g->now_us, PT_EVENT_GAP, pt_store_next(g->store), "",
                           reboot ? "reboot" : "recorder was down", err);
    g->restart = g->new_chain = true;
    return r;
}

static struct pt_snap snap_of(const struct gen *g)
{
    return (struct pt_snap){
        .n = pt_store_next(g->store),
        .real_us = g->now_us,
        .boot_us = g->m.uptime_us,
        .mono_us = g->m.uptime_us,
        .span_us = 9000 + (int64_t)(g->tick % 977),
        .boot = g->boot,
        .trigger = g->restart ? PT_TRIGGER_START : PT_TRIGGER_TIMER,
        .cost_us = 11000 + (int64_t)(g->tick % 509),
        .deep_us = 1500,
        .rss_kb = 6100,
        .mem_available_kb = g->m.available,
        .swap_used_kb = g->m.swap_used,
        .psi_some_us = (int64_t)g->m.psi_some,
        .psi_full_us = (int64_t)g->m.psi_full,
        .processes = g->m.count,
    };
}

static int write_snapshot(struct gen *g, struct pt_err *err)
{
    if (g->new_chain || pt_enc_chain_frames(g->enc) >= g->o->chain) {
        pt_enc_new_chain(g->enc);
        g->new_chain = false;
    }
    const struct pt_snap snap = snap_of(g);
    int r = pt_enc_begin(g->enc, &snap, err);
    if (r >= 0)
        r = tell_system(g, err);
    for (uint32_t i = 0; i < g->o->processes && r >= 0; i++)
        r = step_process(g, &g->m.processes[i], err);
    if (r >= 0)
        r = tell_deep(g, err);
    pt_buf_reset(&g->frame);
    if (r >= 0)
        r = pt_enc_end(g->enc, &snap, &g->frame, err);
    const bool key = pt_enc_chain_frames(g->enc) == 1;
    if (r >= 0)
        r = pt_store_append(g->store, &snap, key, g->frame.data, g->frame.len, err);
    if (r >= 0 && key)
        r = pt_store_seal(g->store, false, err);
    g->restart = false;
    return r;
}

static int write_all(struct gen *g, pt_gen_progress *progress, void *ctx, struct pt_err *err)
{
    int r = gap(g, err);
    for (g->tick = 0; g->tick < g->o->snapshots && r >= 0; g->tick++) {
        if (g->tick && g->o->gap_every && g->tick % g->o->gap_every == 0)
            r = gap(g, err);
        g->step_us = g->tick < g->o->coarse ? 60 * g->o->interval_us : g->o->interval_us;
        if (g->o->clock_at && g->tick == g->o->clock_at)
            g->now_us += 3600 * 1000000ll;
        machine_tick(&g->m, g->step_us);
        g->now_us += g->step_us + rng_walk(&g->m.rng, 300);
        g->m.now_us = g->now_us;
        if (r >= 0)
            r = write_snapshot(g, err);
        if (r >= 0 && progress)
            r = progress(ctx, g->tick + 1, g->o->snapshots);
    }
    if (r >= 0)
        r = pt_store_seal(g->store, !g->o->unsealed, err);
    return r;
}

/* ---- set up ---- */

static int open_all(struct gen *g, const char *path, struct pt_err *err)
{
    const struct pt_meta meta = {
        .host = "generated",
        .machine_id = "00000000000000000000000000000000",
        .kernel = "6.18.0-generated",
        .arch = "x86_64",
        .zone = "UTC",
        .program = "ptgen",
        .page_size = 4096,
        .clk_tck = 100,
        .cpus = 2,
        .mem_total_kb = g->m.total,
        .interval_us = g->o->interval_us,
    };
    g->handles = malloc((g->o->processes + 1) * sizeof *g->handles);
    g->text = malloc(sizeof *g->text);
    g->shapes = pt_shapes_new();
    if (!g->handles || !g->text || !g->shapes)
        return pt_err_nomem(err);
    return pt_store_open(path, &meta, &g->store, err);
}

static int write_labels(const struct gen *g, const char *path, struct pt_err *err)
{
    char beside[4096];
    const size_t n = strlen(path), cut = n > 3 && !strcmp(path + n - 3, ".db") ? n - 3 : n;
    snprintf(beside, sizeof beside, "%.*s.labels.json", (int)cut, path);
    if (history_labels(&g->m, g->o, beside, (g->now_us - g->o->start_us) / 1000000) < 0)
        return pt_err_set(err, PT_EIO, errno, beside, 0, "cannot write '%s'", beside);
    return 0;
}

int pt_gen_write(const char *path, const struct pt_gen_options *o, pt_gen_progress *progress,
                 void *ctx, struct pt_err *err)
{
    struct gen g = {.o = o, .now_us = o->start_us - o->gap_us};
    pt_buf_init(&g.frame, 1u << 30);
    int r = machine_init(&g.m, o) < 0 ? pt_err_nomem(err) : open_all(&g, path, err);
    if (r >= 0)
        r = write_all(&g, progress, ctx, err);
    if (r >= 0 && o->history)
        r = write_labels(&g, path, err);
    const int closed = pt_store_close(g.store, err);
    pt_enc_free(g.enc);
    pt_shapes_free(g.shapes);
    pt_buf_release(&g.frame);
    machine_release(&g.m);
    free(g.handles);
    free(g.text);
    return r < 0 ? r : closed;
}
