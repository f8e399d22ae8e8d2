/* SPDX-License-Identifier: MIT
 * The command line: every option, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "recorder/options.h"

static int parse(struct pt_options *o, struct pt_err *err, const char *words)
{
    static char text[512]; /* the options point into it until the next call */
    char *argv[32] = {NULL}, *at = text;
    int argc = 0;
    *err = (struct pt_err){0};
    snprintf(text, sizeof(text), "pagetraild %s", words);
    for (char *word = strsep(&at, " "); word; word = strsep(&at, " "))
        argv[argc++] = word;
    return pt_options_parse(o, argc, argv, err);
}

static void accepts(void **state)
{
    (void)state;
    struct pt_options o;
    struct pt_err err;
    assert_int_equal(parse(&o, &err, "-q"), 0);
    assert_int_equal(o.interval_us, PT_INTERVAL_US);
    assert_true(o.quiet && !o.once && o.timestamp_us == PT_UNKNOWN && !o.output);
    assert_int_equal(
        parse(&o, &err, "-o /x/y.db --interval=500ms -d 5m --deep off --cmdline name -vv"), 0);
    assert_string_equal(o.output, "/x/y.db");
    assert_int_equal(o.interval_us, 500000);
    assert_int_equal(o.duration_us, 300000000);
    assert_int_equal(o.deep, PT_DEEP_OFF);
    assert_int_equal(o.cmdline, PT_CMDLINE_NAME);
    assert_int_equal(o.verbose, 2);
    assert_int_equal(
        parse(&o, &err,
              "--once --timestamp 1790000000.25 --procfs /p --sysfs /s --cgroupfs /c --raw-log /r"),
        0);
    assert_true(o.once);
    assert_int_equal(o.timestamp_us, INT64_C(1790000000250000));
    assert_string_equal(o.procfs, "/p");
    assert_string_equal(o.sysfs, "/s");
    assert_string_equal(o.cgroupfs, "/c");
    assert_string_equal(o.raw_log, "/r");
}

static void refuses(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "--nonsense",
        "-x",
        "-i",
        "-i 0",
        "-i 999us",
        "-i 10x",
        "-i -5s",
        "-i 99999999999999999999s",
        "-i 1.s",
        "-d 0s",
        "-d x",
        "--deep some",
        "--cmdline all",
        "--timestamp 5",
        "--once --timestamp yesterday",
        "--once -d 5s",
        "stray",
        "-o",
        "--output=",
        "--cpu-budget 0",
        "--cpu-budget 101%",
        "--cpu-budget -1",
        "--stall-limit 0",
        "--max-size 1k",
        "--max-size -1",
        "--max-size 2E",
        "--max-age 1s",
        "--burst-limit x",
        "--burst-interval 10m",
        "--estimate 5s --once",
        "--config /nonexistent/file",
    };
    struct pt_options o;
    struct pt_err err;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        if (parse(&o, &err, bad[i]) >= 0)
            fail_msg("'%s' was accepted", bad[i]);
        assert_int_equal(err.code, PT_EUSAGE);
        assert_true(strlen(err.text) > 0);
    }
}

/* What is refused is told with the option, the value and what is allowed. */
static void tells_ranges(void **state)
{
    (void)state;
    static const struct {
        const char *words, *text;
    } cases[] = {
        {"-i 0", "--interval: '0' is out of range: 1ms to 1d"},
        {"-i -5s", "--interval: '-5s' is not a time such as 10s, 500ms or 1m (1ms to 1d)"},
        {"--cpu-budget 101%", "--cpu-budget: '101%' is out of range: 0.01% to 100%"},
        {"--max-size 5", "--max-size: '5' is out of range: 1M to 1024T, or 0"},
        {"--max-size -1", "--max-size: '-1' is not a size such as 512M or 2G (1M to 1024T, or 0)"},
        {"--burst-limit 10001", "--burst-limit: '10001' is out of range: 0 to 10000"},
        {"--deep some", "--deep: 'some' is not auto, off or all"},
        {"--nonsense", "unknown option '--nonsense'"},
        {"--nonsense=5 -q", "unknown option '--nonsense=5'"},
        {"-xq", "unknown option '-x'"},
        {"-qx", "unknown option '-x'"},
        {"-qi", "option '-i' needs a value"},
        {"--interval", "option '--interval' needs a value"},
        {"--once=yes", "option '--once' takes no value"},
        {"--burst 5", "option '--burst' may be --burst-interval or another"},
        {"--burst-interval 10m",
         "burst-interval: '10m' is out of range: 100ms to 1m, which is burst-length"},
        {"--stall-limit 0", "--stall-limit: '0' is out of range: 1ms to 10s"},
        {"--max-age 1s", "--max-age: '1s' is out of range: 1h to 36600d, or 0"},
        {"--estimate 1s", "--estimate: '1s' is out of range: 2s to 1d"},
        {"--cmdline 1", "--cmdline: '1' is not masked, full or name"},
        {"--output=", "--output: the name is empty"},
        {"-q stray", "unexpected argument 'stray'"},
    };
    struct pt_options o;
    struct pt_err err;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        assert_true(parse(&o, &err, cases[i].words) < 0);
        assert_string_equal(err.text, cases[i].text);
    }
}

static void write_config(const char *text)
{
    FILE *f = fopen("options.conf", "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void reads_config(void **state)
{
    (void)state;
    static const struct {
        const char *file, *text;
    } bad[] = {
        {"interval = 0\n", "options.conf:1: interval: '0' is out of range: 1ms to 1d"},
        {"# x\n\nmax-size=tiny",
         "options.conf:3: max-size: 'tiny' is not a size such as 512M or 2G (1M to 1024T, or 0)"},
        {"colour = red\n", "options.conf:1: unknown option 'colour'"},
        {"#\nburst-length = 5s\nburst-interval = 10s\n",
         "options.conf:3: burst-interval: '10s' is out of range: 100ms to 5s, which is "
         "burst-length"},
        {"once = yes\n", "options.conf:1: 'once' is for the command line only"},
        {"interval\n", "options.conf:1: 'interval' is not 'option = value'"},
        {"quiet = maybe\n", "options.conf:1: quiet: 'maybe' is not yes or no"},
        {"output =\n", "options.conf:1: output: the name is empty"},
        {"= 5\n", "options.conf:1: unknown option ''"},
        {"interval = 10s # often\n",
         "options.conf:1: interval: '10s # often' is not a time such as "
         "10s, 500ms or 1m (1ms to 1d)"},
        {"--interval = 5s\n", "options.conf:1: unknown option '--interval'"},
        {"interv = 5s\n", "options.conf:1: unknown option 'interv'"},
        {"deep = of\n", "options.conf:1: deep: 'of' is not auto, off or all"},
        {"cpu-budget = 200%\n",
         "options.conf:1: cpu-budget: '200%' is out of range: 0.01% to 100%"},
    };
    struct pt_options o;
    struct pt_err err;
    write_config("# kept\n  interval = 30s \r\noutput = /a b/c.db\nquiet = yes\ncpu-budget=2%\n");
    assert_int_equal(parse(&o, &err, "--config options.conf -i 5s"), 0);
    assert_int_equal(o.interval_us, 5000000);
    assert_string_equal(o.output, "/a b/c.db");
    assert_int_equal(o.budget_ppm, 20000);
    assert_true(o.quiet);
    pt_options_release(&o);
    write_config("quiet = yes\n");
    assert_int_equal(parse(&o, &err, "--config options.conf -v"), 0);
    assert_true(!o.quiet && o.verbose == 1);
    pt_options_release(&o);
    write_config("\xef\xbb\xbfinterval = 9s\r\n"); /* as an editor of Windows leaves it */
    assert_int_equal(parse(&o, &err, "--config options.conf"), 0);
    assert_int_equal(o.interval_us, 9000000);
    pt_options_release(&o);
    write_config("interval = 7s\ninterval = 8s");
    assert_int_equal(parse(&o, &err, "--config options.conf"), 0);
    assert_int_equal(o.interval_us, 8000000);
    pt_options_release(&o);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        write_config(bad[i].file);
        assert_true(parse(&o, &err, "--config options.conf") < 0);
        assert_string_equal(err.text, bad[i].text);
    }
    remove("options.conf");
}

/* Files that are none, or too large, or come in pieces; and help in spite of one. */
static void reads_odd_files(void **state)
{
    (void)state;
    struct pt_options o;
    struct pt_err err;
    assert_true(parse(&o, &err, "--config .") < 0);
    assert_string_equal(err.text, "cannot read '.': Is a directory");
    FILE *f = fopen("options.conf", "w");
    for (int i = 0; i < 70000; i++)
        fputc('\n', f);
    fclose(f);
    assert_true(parse(&o, &err, "--config options.conf") < 0);
    assert_string_equal(err.text, "'options.conf' is not a configuration file");
    f = fopen("options.conf", "w");
    fwrite("quiet = yes\n\0", 1, 13, f);
    fclose(f);
    assert_true(parse(&o, &err, "--config options.conf") < 0);
    write_config("nonsense");
    assert_int_equal(parse(&o, &err, "--config options.conf --help"), 0);
    assert_true(o.help);
    pt_options_release(&o);
    remove("options.conf");

    int fds[2];
    char words[64];
    assert_int_equal(pipe(fds), 0);
    snprintf(words, sizeof(words), "--config /dev/fd/%d", fds[0]);
    const pid_t writer = fork();
    if (writer == 0) {
        for (const char *at = "interval = 7s\nquiet = yes\n"; *at; at++) {
            if (write(fds[1], at, 1) != 1)
                _exit(1);
            usleep(1000);
        }
        _exit(0);
    }
    close(fds[1]);
    assert_int_equal(parse(&o, &err, words), 0);
    assert_true(o.interval_us == 7000000 && o.quiet == 1);
    pt_options_release(&o);
    close(fds[0]);
    waitpid(writer, NULL, 0);
}

/* "option = value" of every line of the shipped file that is commented out, each with '\n' before
 * and after. */
static char *uncommented(void)
{
    char path[512], line[256], *all = NULL;
    size_t size;
    snprintf(path, sizeof(path), "%s/recorder/pagetraild.conf", getenv("PT_SOURCE"));
    FILE *shipped = fopen(path, "r"), *out = open_memstream(&all, &size);
    assert_true(shipped && out);
    fputc('\n', out);
    while (fgets(line, sizeof(line), shipped)) {
        if (line[0] == '#' && line[1] != ' ')
            fputs(line + 1, out);
        else
            assert_true(line[0] == '#' || line[0] == '\n');
    }
    fclose(shipped);
    fclose(out);
    return all;
}

/* The file that is shipped tells every option that may stand in a file, with its default. */
static void ships_defaults(void **state)
{
    (void)state;
    struct pt_options by_default, by_file, o;
    struct pt_err err;
    char *all = uncommented();
    assert_int_equal(parse(&by_default, &err, "--config /dev/null"), 0);
    write_config(all);
    if (parse(&by_file, &err, "--config options.conf") < 0)
        fail_msg("%s", err.text);
    assert_string_equal(by_file.output, "/var/lib/pagetrail/pagetrail.db");
    assert_string_equal(by_file.procfs, "/proc");
    assert_string_equal(by_file.sysfs, "/sys");
    assert_string_equal(by_file.cgroupfs, "/sys/fs/cgroup");
    assert_memory_equal(&by_file.interval_us, &by_default.interval_us,
                        offsetof(struct pt_options, config_text) -
                            offsetof(struct pt_options, interval_us));
    int there = 0, refused = 0;
    for (const char *line = pt_options_help(); line; line = strchr(line + 1, '\n')) {
        char name[40], text[128];
        if (strlen(line) < 9 || line[7] != '-' || line[8] != '-')
            continue;
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(line + 9, " \n"), line + 9);
        snprintf(text, sizeof(text), "\n%s = ", name);
        if (strstr(all, text)) {
            there++;
            continue;
        }
        write_config(text);
        assert_true(parse(&o, &err, "--config options.conf") < 0);
        snprintf(text, sizeof(text), "options.conf:2: '%s' is for the command line only", name);
        assert_string_equal(err.text, text);
        refused++;
    }
    assert_true(there >= 18 && refused >= 7);
    pt_options_release(&by_file);
    pt_options_release(&by_default);
    free(all);
    remove("options.conf");
}

static void help_tells_options(void **state)
{
    (void)state;
    static const char *const names[] = {
        "--output",     "--interval",    "--duration", "--once",    "--timestamp",
        "--procfs",     "--sysfs",       "--cgroupfs", "--deep",    "--cmdline",
        "--raw-log",    "--quiet",       "--verbose",  "--help",    "--version",
        "--cpu-budget", "--stall-limit", "--max-size", "--max-age", "--config",
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        assert_non_null(strstr(pt_options_help(), names[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts),
        cmocka_unit_test(refuses),
        cmocka_unit_test(tells_ranges),
        cmocka_unit_test(reads_config),
        cmocka_unit_test(help_tells_options),
        cmocka_unit_test(ships_defaults),
        cmocka_unit_test(reads_odd_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
