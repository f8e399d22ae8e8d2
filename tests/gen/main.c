/* SPDX-License-Identifier: MIT
 * ptgen: a long synthetic recording.
 *
 *   ptgen -o FILE [-n SNAPSHOTS] [-i SECONDS] [-p PROCESSES] [-c PERCENT CHANGING] [-s SEED]
 *         [--chain N] [--gap-every N] [--gap-hours N] [--reboot-every GAPS] [--coarse N]
 * [--clock-at N]
 *         [--deep-every N] [--churn-every N] [--unsealed] [--history]
 *
 * With --history, given first, all processes run all the time and are of families that leak or not
 * (history.c); FILE.labels.json says which. Two weeks of 1,000 series are -n 20160 -i 60 -p 1000 -c
 * 10, a week at 10 s is -n 60480 -i 10. */
#include "tests/gen/gen.h"

#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/support/number.h"

enum {
    OPT_CHAIN = 256,
    OPT_GAP,
    OPT_HOURS,
    OPT_REBOOT,
    OPT_COARSE,
    OPT_CLOCK,
    OPT_DEEP,
    OPT_CHURN,
    OPT_UNSEALED,
    OPT_HISTORY
};

static const struct option options[] = {
    {"output", required_argument, NULL, 'o'},
    {"snapshots", required_argument, NULL, 'n'},
    {"interval", required_argument, NULL, 'i'},
    {"processes", required_argument, NULL, 'p'},
    {"changing", required_argument, NULL, 'c'},
    {"seed", required_argument, NULL, 's'},
    {"chain", required_argument, NULL, OPT_CHAIN},
    {"gap-every", required_argument, NULL, OPT_GAP},
    {"gap-hours", required_argument, NULL, OPT_HOURS},
    {"reboot-every", required_argument, NULL, OPT_REBOOT},
    {"history", no_argument, NULL, OPT_HISTORY},
    {"coarse", required_argument, NULL, OPT_COARSE},
    {"clock-at", required_argument, NULL, OPT_CLOCK},
    {"deep-every", required_argument, NULL, OPT_DEEP},
    {"churn-every", required_argument, NULL, OPT_CHURN},
    {"unsealed", no_argument, NULL, OPT_UNSEALED},
    {0},
};

static bool set(struct pt_gen_options *o, int opt, int64_t v)
{
    if (v > UINT32_MAX)
        return false;
    switch (opt) {
    case 'n':
        o->snapshots = (uint32_t)v;
        return true;
    case 'i':
        o->interval_us = v * 1000000;
        return v > 0;
    case 'p':
        o->processes = (uint32_t)v;
        return v <= 1000000;
    case 'c':
        o->changing = (double)v / 100;
        return v <= 100;
    case 's':
        o->seed = (uint64_t)v;
        return true;
    case OPT_CHAIN:
        o->chain = (uint32_t)v;
        return v > 0;
    case OPT_GAP:
        o->gap_every = (uint32_t)v;
        return true;
    case OPT_HOURS:
        o->gap_us = v * 3600 * 1000000;
        return v <= 1000;
    case OPT_REBOOT:
        o->reboot_every = (uint32_t)v;
        return true;
    case OPT_COARSE:
        o->coarse = (uint32_t)v;
        return true;
    case OPT_CLOCK:
        o->clock_at = (uint32_t)v;
        return true;
    case OPT_DEEP:
        o->deep_every = (uint32_t)v;
        return true;
    case OPT_CHURN:
        o->churn_every = (uint32_t)v;
        return true;
    default:
        return false;
    }
}

static int progress(void *ctx, uint32_t done, uint32_t total)
{
    (void)ctx;
    if (done % 100 == 0 || done == total)
        fprintf(stderr, "\r%u of %u snapshots%s", done, total, done == total ? "\n" : "");
    return 0;
}

int main(int argc, char **argv)
{
    struct pt_gen_options o;
    const char *path = NULL;
    struct pt_err err = {0};
    int opt;
    pt_gen_defaults(&o);
    while ((opt = getopt_long(argc, argv, "o:n:i:p:c:s:", options, NULL)) != -1) {
        int64_t v;
        if (opt == 'o') {
            path = optarg;
        } else if (opt == OPT_UNSEALED) {
            o.unsealed = true;
        } else if (opt == OPT_HISTORY) {
            o.history = true;
            o.changing = 1;
            o.reboot_every = 0;
        } else if (opt == '?' || !number_of(optarg, &v) || !set(&o, opt, v)) {
            fprintf(stderr, "ptgen: wrong value or option\n");
            return 2;
        }
    }
    if (!path || optind != argc) {
        fprintf(stderr, "usage: ptgen -o FILE [-n SNAPSHOTS] [-i SECONDS] [-p PROCESSES] [-c "
                        "PERCENT] [-s SEED]\n");
        return 2;
    }
    if (pt_gen_write(path, &o, isatty(2) ? progress : NULL, NULL, &err) < 0) {
        fprintf(stderr, "ptgen: %s\n", err.text);
        return 1;
    }
    return 0;
}
