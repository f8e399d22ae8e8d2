/* SPDX-License-Identifier: MIT
 * The table of commands, and the program around them. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "analyze/session.h"

const struct pt_command *const pt_commands[] = {
    &pt_cmd_info,   &pt_cmd_diff,    &pt_cmd_show,    &pt_cmd_leaks,  &pt_cmd_growth,
    &pt_cmd_swap,   &pt_cmd_balance, &pt_cmd_oom,     &pt_cmd_kernel, &pt_cmd_events,
    &pt_cmd_report, &pt_cmd_check,   &pt_cmd_explain, NULL,
};

static void print_help(FILE *out)
{
    fputs("usage: pagetrail COMMAND DATABASE [ARGUMENT...]\nreads what pagetraild "
          "recorded\n\ncommands:\n",
          out);
    for (unsigned i = 0; pt_commands[i]; i++) {
        char usage[80];
        snprintf(usage, sizeof(usage), "pagetrail %s %s", pt_commands[i]->name,
                 pt_commands[i]->usage);
        usage[strcspn(usage, "|")] = '\0';
        char *options = strstr(usage, " [--");
        if (options)
            *options = '\0';
        fprintf(out, "  %-34s %s\n", usage, pt_commands[i]->summary);
    }
    fputs("\nDB is a recording: /var/lib/pagetrail/pagetrail.db on the machine it is of\n"
          "'pagetrail COMMAND --help' tells the options of a command, 'pagetrail --version'\n"
          "this program's version\n"
          "exit status: 0 done, 1 findings (with --exit-code), 2 wrong usage,\n"
          "3 cannot read, 4 damaged in part\n",
          out);
}

/* Of what is no command: what may have been meant. */
static void tell_unknown(const char *name)
{
    if (access(name, F_OK) == 0)
        fprintf(stderr, "pagetrail: the command comes first: pagetrail info '%s'\n", name);
    else
        fprintf(stderr, "pagetrail: '%s' is not a command\n", name);
}

static int finish(int status)
{
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("pagetrail: cannot write");
        return PT_EXIT_READ;
    }
    return status;
}

int pt_command_run(const struct pt_command *command, const struct pt_args *args)
{
    return command->tell ? pt_session_run(args, command->tell) : command->run(args);
}

static int run(const struct pt_command *command, int argc, char **argv)
{
    struct pt_args args;
    const int status = pt_args_parse(command, argc, argv, &args);
    return finish(status >= 0 ? status : pt_command_run(command, &args));
}

int pt_program(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "help") == 0 && argc == 3) {
        char help[] = "--help";
        char *asked[] = {argv[0], argv[2], help, NULL};
        return pt_program(3, asked);
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        print_help(stdout);
        return finish(PT_EXIT_OK);
    }
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
        printf("pagetrail " PT_VERSION "\n");
        return finish(PT_EXIT_OK);
    }
    for (unsigned i = 0; pt_commands[i]; i++) {
        if (strcmp(name, pt_commands[i]->name) == 0)
            return run(pt_commands[i], argc - 1, argv + 1);
    }
    if (*name)
        tell_unknown(name);
    print_help(stderr);
    return PT_EXIT_USAGE;
}
