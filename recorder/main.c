/* SPDX-License-Identifier: MIT
 * pagetraild: records the memory of this machine. */
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "recorder/daemon.h"
#include "recorder/dump.h"
#include "recorder/estimate.h"

int main(int argc, char **argv)
{
    struct pt_options options;
    struct pt_err err = {0};
    /* one arena, and large buffers go back at once: the recorder is to stay small */
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_MMAP_THRESHOLD, 64 << 10);
    mallopt(M_TRIM_THRESHOLD, 128 << 10);
    if (argc > 1 && strcmp(argv[1], "dump") == 0)
        return pt_dump_run(argc - 1, argv + 1);
    if (pt_options_parse(&options, argc, argv, &err) < 0) {
        fprintf(stderr, "pagetraild: %s\nTry 'pagetraild --help'.\n", err.text);
        return PT_EXIT_USAGE;
    }
    if (options.help) {
        fputs(pt_options_help(), stdout);
        pt_options_release(&options);
        return PT_EXIT_OK;
    }
    if (options.version) {
        puts("pagetraild " PT_VERSION);
        pt_options_release(&options);
        return PT_EXIT_OK;
    }
    const int status = options.estimate_us ? pt_estimate_run(&options) : pt_daemon_run(&options);
    pt_options_release(&options);
    return status;
}
