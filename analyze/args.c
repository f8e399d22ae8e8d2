/* SPDX-License-Identifier: MIT
 * getopt_long behind one table. Relative times begin with a dash and a digit, which no option does:
 * they are taken out before getopt sees them. */
#include "analyze/args.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "schema/source.h"

static const struct entry {
    const char *name;
    int key;
    unsigned option; /* 0: every command has it */
    unsigned unless; /* not those that have this one */
    const char *argument;
    const char *help; /* NULL: another name of an option, not told */
} entries[] = {
    {"from", 'f', PT_OPT_FROM_TO, PT_OPT_KIND | PT_OPT_REPORT, "TIME",
     "from this instant (default: the first of the newest boot)"},
    {"from", 'f', PT_OPT_FROM_TO | PT_OPT_KIND, 0, "TIME", "from this instant (default: all)"},
    {"from", 'f', PT_OPT_FROM_TO | PT_OPT_REPORT, 0, "TIME", "from this instant (default: all)"},
    {"to", 't', PT_OPT_FROM_TO, PT_OPT_KIND, "TIME", "to this instant (default: the last)"},
    {"to", 't', PT_OPT_FROM_TO | PT_OPT_KIND, 0, "TIME", "to this instant (default: all)"},
    {"at", 'a', PT_OPT_AT, 0, "TIME", "at this instant (default: the last)"},
    {"by", 'b', PT_OPT_BY, 0, "WHAT", "sum by process, exe, service, cgroup or user"},
    {"kind", 'k', PT_OPT_KIND, 0, "KIND,...", "of these kinds only; -KIND: of all others"},
    {"top", 'n', PT_OPT_TOP, PT_OPT_KIND, "N", "at most N lines a table"},
    {"top", 'n', PT_OPT_TOP | PT_OPT_KIND, 0, "N", "the newest N only"},
    {"over", 'O', PT_OPT_OVER, 0, "N", "at N instants of the span, in a table"},
    {"since", 'f', PT_OPT_FINDINGS, 0, "TIME", "from this instant (default: all)"},
    {"until", 't', PT_OPT_FINDINGS, 0, "TIME", "to this instant (default: all)"},
    {"from", 'f', PT_OPT_FINDINGS, 0, "TIME", NULL},
    {"to", 't', PT_OPT_FINDINGS, 0, "TIME", NULL},
    {"since", 'f', PT_OPT_FROM_TO, 0, "TIME", NULL},
    {"until", 't', PT_OPT_FROM_TO, 0, "TIME", NULL},
    {"subject", 's', PT_OPT_FINDINGS, 0, "WHO", "only this pid, command, service or other name"},
    {"all", 'A', PT_OPT_FINDINGS, 0, NULL, "every verdict, those of what did not grow too"},
    {"exit-code", 'x', PT_OPT_FINDINGS, 0, NULL, "exit with 1 when there is a leak"},
    {"against", 'g', PT_OPT_REPORT, 0, "OLD",
     "compare with an earlier report in JSON, or database"},
    {"every", 'e', PT_OPT_REPORT, 0, "PERIOD",
     "one every 1d, 1w, ..., and an index, into directory -o"},
    {"split-at", 'S', PT_OPT_REPORT, 0, "WHEN", "before and after a TIME or an event side by side"},
    {"compare-boots", 'B', PT_OPT_REPORT, 0, NULL, "the boots of the recording side by side"},
    {"exit-code", 'x', PT_OPT_REPORT, 0, NULL,
     "exit with 1 on a leak, an OOM kill or harm done by swap"},
    {"output", 'o', PT_OPT_REPORT, 0, "FILE", "write it there, whole or not at all"},
    {"format", 'F', PT_OPT_REPORT, 0, "FORMAT", "text (default), markdown, html or json"},
    {"utc", 'u', PT_OPT_UTC, 0, NULL, "read and print times in UTC, not in the host's zone"},
    {"repair", 'r', PT_OPT_REPAIR, 0, NULL, "write what can be saved into a new recording"},
    {"output", 'o', PT_OPT_REPAIR, 0, "NEW", "with --repair: its name (default: DB.repaired)"},
    {"format", 'j', 0, PT_OPT_CSV | PT_OPT_REPORT, "FORMAT", "text (default) or json"},
    {"format", 'c', PT_OPT_CSV, 0, "FORMAT", "text (default), json or csv"},
    {"verbose", 'v', 0, PT_OPT_FINDINGS, NULL, "say more"},
    {"verbose", 'v', PT_OPT_FINDINGS, 0, NULL, "the evidence of every verdict"},
    {"help", 'h', 0, 0, NULL, "print this help"},
};
#define ENTRIES (sizeof(entries) / sizeof(entries[0]))

static bool takes(const struct pt_command *command, const struct entry *e)
{
    return (command->options & e->option) == e->option && !(command->options & e->unless);
}

static void print_help(const struct pt_command *command, FILE *out)
{
    fprintf(out, "usage: pagetrail %s %s\n%s\n", command->name, command->usage, command->summary);
    if (*command->detail)
        fprintf(out, "\n%s", command->detail);
    fputs("\noptions:\n", out);
    for (size_t i = 0; i < ENTRIES; i++) {
        const struct entry *e = &entries[i];
        char option[32];
        if (!takes(command, e) || !e->help)
            continue;
        snprintf(option, sizeof(option), "%s--%s%s%s",
                 e->key == 'v'   ? "-v, "
                 : e->key == 'h' ? "-h, "
                 : e->key == 'o' ? "-o, "
                                 : "    ",
                 e->name, e->argument ? " " : "", e->argument ? e->argument : "");
        fprintf(out, "  %-20s %s\n", option, e->help);
    }
    if (command->options & (PT_OPT_FROM_TO | PT_OPT_AT | PT_OPT_FINDINGS))
        fputs("\ntimes: '2026-11-23 14:05', 14:05, yesterday, -30m, '2h ago', @SNAPSHOT, first,\n"
              "last, seconds since the epoch; in the zone of the recorded host\n",
              out);
}

static int usage_error(const struct pt_command *command)
{
    fprintf(stderr, "usage: pagetrail %s %s\n'pagetrail %s --help' says more\n", command->name,
            command->usage, command->name);
    return PT_EXIT_USAGE;
}

static void tell_wrong(const struct pt_command *command, int key, const char *value)
{
    for (size_t i = 0; i < ENTRIES; i++) {
        if (entries[i].key == key && entries[i].help && entries[i].argument &&
            takes(command, &entries[i]))
            fprintf(stderr, "pagetrail %s: '--%s %s' is not understood; --%s %s: %s\n",
                    command->name, entries[i].name, value, entries[i].name, entries[i].argument,
                    entries[i].help);
    }
    for (int kind = 0; key == 'k' && pt_event_name(kind); kind++)
        fprintf(stderr, "%s%s%s", kind ? " " : "the kinds: ", pt_event_name(kind),
                pt_event_name(kind + 1) ? "," : "\n");
}

static bool parse_by(const char *text, enum pt_by *ret)
{
    static const char *const names[] = {[PT_BY_PROCESS] = "process",
                                        [PT_BY_EXE] = "exe",
                                        [PT_BY_SERVICE] = "service",
                                        [PT_BY_CGROUP] = "cgroup",
                                        [PT_BY_USER] = "user"};
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(text, names[i]) == 0) {
            *ret = (enum pt_by)i;
            return true;
        }
    }
    return false;
}

static bool parse_count(const char *text, int64_t *ret)
{
    int64_t scale;
    return pt_number(text, strlen(text), ret, &scale) && scale == 1 && *ret >= 0;
}

static bool parse_kind(const char *name, size_t n, uint32_t *ret)
{
    for (int kind = 0; kind < 32 && pt_event_name(kind); kind++) {
        if (strlen(pt_event_name(kind)) == n && memcmp(pt_event_name(kind), name, n) == 0) {
            *ret |= UINT32_C(1) << kind;
            return true;
        }
    }
    return false;
}

/* Names of events between commas; those with a dash in front are left out. */
static bool parse_kinds(const char *text, uint32_t *ret)
{
    uint32_t wanted = 0, unwanted = 0;
    for (const char *p = text;; p++) {
        const size_t n = strcspn(p, ",");
        const bool dash = *p == '-';
        if (!parse_kind(p + dash, n - dash, dash ? &unwanted : &wanted))
            return false;
        p += n;
        if (!*p)
            break;
    }
    *ret = (wanted ? wanted : UINT32_MAX) & ~unwanted;
    return *ret != 0;
}

static bool apply(int key, const char *value, struct pt_args *ret)
{
    switch (key) {
    case 'f':
        ret->from = value;
        return true;
    case 't':
        ret->to = value;
        return true;
    case 'a':
        ret->at = value;
        return true;
    case 'b':
        return parse_by(value, &ret->by);
    case 'n':
        return parse_count(value, &ret->top);
    case 'O':
        return parse_count(value, &ret->over) && ret->over > 0;
    case 'u':
        return ret->utc = true;
    case 'v':
        return ret->verbose = true;
    case 's':
        ret->subject = value;
        return *value != '\0';
    case 'A':
        return ret->all = true;
    case 'x':
        return ret->exit_code = true;
    case 'k':
        return parse_kinds(value, &ret->kinds);
    case 'r':
        return ret->repair = true;
    case 'o':
        ret->output = value;
        return *value;
    case 'F':
        ret->format = value;
        return *value;
    case 'g':
        ret->against = value;
        return *value;
    case 'e':
        ret->every = value;
        return *value;
    case 'S':
        ret->split_at = value;
        return *value;
    case 'B':
        return ret->compare_boots = true;
    case 'c':
    case 'j':
        ret->json = strcmp(value, "json") == 0;
        ret->csv = key == 'c' && strcmp(value, "csv") == 0;
        return ret->json || ret->csv || strcmp(value, "text") == 0;
    default:
        return false;
    }
}

static bool is_relative_time(const char *s)
{
    return s[0] == '-' && s[1] >= '0' && s[1] <= '9';
}

/* Is argv[i] the argument of the option before it? */
static bool is_value(const struct pt_command *command, char **argv, int i)
{
    const char *before = argv[i - 1];
    if (i >= 2 && strcmp(before, "-o") == 0 && (command->options & (PT_OPT_REPAIR | PT_OPT_REPORT)))
        return true;
    if (i < 2 || strncmp(before, "--", 2) != 0 || strchr(before, '='))
        return false;
    for (size_t k = 0; k < ENTRIES; k++) {
        if (takes(command, &entries[k]) && entries[k].argument && before[2] &&
            strncmp(entries[k].name, before + 2, strlen(before + 2)) == 0)
            return true;
    }
    return false;
}

static bool add_positional(struct pt_args *ret, const char *value)
{
    if (ret->npositional == PT_POSITIONALS)
        return false;
    ret->positional[ret->npositional++] = value;
    return true;
}

/* Positional arguments in their order, relative times included; what is left in argv is for getopt.
 */
static bool take_positionals(const struct pt_command *command, int *argc, char **argv,
                             struct pt_args *ret)
{
    int n = 1;
    bool options = true, room = true;
    for (int i = 1; i < *argc; i++) {
        const bool dash = argv[i][0] == '-' && argv[i][1];
        if (options && strcmp(argv[i], "--") == 0)
            options = false;
        else if (options && (is_value(command, argv, i) || (dash && !is_relative_time(argv[i]))))
            argv[n++] = argv[i];
        else
            room &= add_positional(ret, argv[i]);
    }
    argv[n] = NULL;
    *argc = n;
    return room;
}

int pt_args_parse(const struct pt_command *command, int argc, char **argv, struct pt_args *ret)
{
    struct option options[ENTRIES + 1] = {{0}};
    struct pt_args args = {.top = PT_UNKNOWN, .over = PT_UNKNOWN, .out = stdout};
    size_t n = 0;
    for (size_t i = 0; i < ENTRIES; i++) {
        if (takes(command, &entries[i]))
            options[n++] =
                (struct option){.name = entries[i].name,
                                .has_arg = entries[i].argument ? required_argument : no_argument,
                                .val = entries[i].key};
    }
    static char title[32]; /* what getopt's messages begin with */
    snprintf(title, sizeof(title), "pagetrail %s", command->name);
    argv[0] = title;
    const char *letters = command->options & (PT_OPT_REPAIR | PT_OPT_REPORT) ? "vho:" : "vh";
    const bool room = take_positionals(command, &argc, argv, &args);
    optind = 0; /* glibc and musl: start anew */
    for (int key; (key = getopt_long(argc, argv, letters, options, NULL)) != -1;) {
        if (key == 'h') {
            print_help(command, stdout);
            return PT_EXIT_OK;
        }
        if (key == '?')
            return usage_error(command);
        if (!apply(key, optarg, &args)) {
            tell_wrong(command, key, optarg);
            return usage_error(command);
        }
    }
    if (!room || args.npositional < command->min || args.npositional > command->max)
        return usage_error(command);
    args.colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
    *ret = args;
    return -1;
}
