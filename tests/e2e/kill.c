/* SPDX-License-Identifier: MIT
 * e2e_kill [--seed N] CYCLES DIR RECORDER VERIFY [recorder's options]
 *
 * Kills the recorder with SIGKILL at random instants, CYCLES times, always into the same
 * DIR/kill.db. While it runs, a reader of its own opens the live database again and again and notes
 * the last snapshot it saw: committed. After each kill that snapshot and all before must be there
 * and equal to the raw log (VERIFY --cut); at the end and every 20 cycles SQLite's own integrity
 * check must pass, and the numbers must have no holes. A sqlite3 reader (as of people with a shell)
 * opens and closes too. Prints what it did. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "schema/source.h"
#include "schema/store.h"

struct run {
    char db[4096], log[4096];
    const char *recorder, *verify;
    char **options;
    int noptions;
    int64_t seen, peeks, snapshots;
    unsigned seed;
};

static int64_t mono_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static unsigned pick(struct run *r, unsigned below)
{
    r->seed = r->seed * 1664525u + 1013904223u;
    return (r->seed >> 8) % below;
}

static int fail(const struct run *r, int64_t cycle, const char *what, const char *detail)
{
    printf("cycle %" PRId64 " (%s, last snapshot seen %" PRId64 "): %s: %s\n", cycle, r->db,
           r->seen, what, detail);
    return -1;
}

static pid_t start(const struct run *r)
{
    const char *argv[64] = {r->recorder, "-q", "-o", r->db, "--raw-log", r->log};
    int n = 6;
    for (int i = 0; i < r->noptions && n < 63; i++)
        argv[n++] = r->options[i];
    const pid_t pid = fork();
    if (pid != 0)
        return pid;
    execv(r->recorder, (char **)argv);
    perror(r->recorder);
    _exit(127);
}

/* Opens, looks and closes, as a reader between ticks does; a file that is not yet a database is no
 * answer. */
static void peek(struct run *r)
{
    struct pt_err err = {0};
    struct pt_db *db = NULL;
    struct pt_db_span span;
    if (pt_db_open(r->db, &db, &err) < 0)
        return;
    if (pt_db_span(db, &span, &err) == 0) {
        if (span.last > r->seen)
            r->seen = span.last;
        r->peeks++;
    }
    pt_db_close(db);
}

static int count(void *ret, int n, char **values, char **names)
{
    (void)names;
    snprintf(ret, 64, "%s", n > 0 && values[0] ? values[0] : "");
    return 0;
}

/* One SQL query by a plain SQLite connection; answer gets the first column of the last row. */
static int query(const struct run *r, const char *sql, char answer[64])
{
    sqlite3 *db = NULL;
    int rc = sqlite3_open_v2(r->db, &db, SQLITE_OPEN_READONLY, NULL);
    if (rc == SQLITE_OK) {
        sqlite3_busy_timeout(db, 2000);
        rc = sqlite3_exec(db, sql, count, answer, NULL);
    }
    if (rc != SQLITE_OK)
        snprintf(answer, 64, "%s", sqlite3_errmsg(db));
    sqlite3_close(db);
    return rc == SQLITE_OK ? 0 : -1;
}

/* After the kill: nothing committed is lost, and the snapshots are 1..last without holes. */
static int check_last(struct run *r, int64_t cycle)
{
    struct pt_err err = {0};
    struct pt_db *db = NULL;
    struct pt_db_span span = {0};
    if (pt_db_open(r->db, &db, &err) < 0 || pt_db_span(db, &span, &err) < 0)
        return r->seen ? fail(r, cycle, "cannot open after the kill", err.text)
                       : 0; /* not made yet */
    pt_db_close(db);
    if (span.last < r->seen)
        return fail(r, cycle, "a committed snapshot is gone",
                    "the last one is earlier than what a reader saw");
    if (span.count && (span.first != 1 || span.count != span.last))
        return fail(r, cycle, "a committed snapshot is gone", "the numbers have holes");
    r->seen = r->snapshots = span.last;
    return 0;
}

static int check_integrity(const struct run *r, int64_t cycle)
{
    char answer[64] = "";
    if (query(r, "pragma integrity_check", answer) < 0 || strcmp(answer, "ok") != 0)
        return fail(r, cycle, "integrity_check", answer);
    return 0;
}

static int check_texts(const struct run *r, int64_t cycle)
{
    const pid_t pid = fork();
    if (pid == 0) {
        const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        dup2(null, 1);
        execl(r->verify, r->verify, "--cut", "--every", "5", r->db, r->log, (char *)NULL);
        _exit(127);
    }
    int status = 0;
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
        return fail(r, cycle, "texts differ from what was read", r->log);
    return 0;
}

static int cycle(struct run *r, int64_t i)
{
    char answer[64];
    unlink(r->log);
    const pid_t pid = start(r);
    if (pid < 0)
        return fail(r, i, "fork", strerror(errno));
    /* One in four dies while it starts, the others some time after their first snapshot. */
    const int64_t before = r->seen, began = mono_ms();
    const int64_t patience = pick(r, 4) ? 5000 : 20 + pick(r, 330);
    int64_t end = began + patience;
    for (bool lives = false; mono_ms() < end;) {
        peek(r);
        query(r, "select count(*) from sqlite_master", answer);
        if (!lives && r->seen > before && patience >= 5000) {
            lives = true;
            end = mono_ms() + pick(r, 200);
        }
        usleep(2000 + pick(r, 8000));
    }
    kill(pid, SIGKILL);
    int status = 0;
    waitpid(pid, &status, 0);
    if (!WIFSIGNALED(status))
        return fail(r, i, "the recorder ended by itself", "see its messages above");
    if (access(r->db, F_OK) < 0)
        return 0; /* killed before it made the file */
    if (check_last(r, i) < 0 || (access(r->log, F_OK) == 0 && check_texts(r, i) < 0))
        return -1;
    return i % 20 == 0 ? check_integrity(r, i) : 0;
}

int main(int argc, char **argv)
{
    int64_t cycles = 0, scale, given = (int64_t)time(NULL);
    if (argc > 2 && strcmp(argv[1], "--seed") == 0 &&
        pt_number(argv[2], strlen(argv[2]), &given, &scale)) {
        argv += 2;
        argc -= 2;
    }
    if (argc < 5 || !pt_number(argv[1], strlen(argv[1]), &cycles, &scale)) {
        fputs("usage: e2e_kill [--seed N] CYCLES DIR RECORDER VERIFY [OPTION...]\n", stderr);
        return 2;
    }
    struct run r = {
        .recorder = argv[3], .verify = argv[4], .options = argv + 5, .noptions = argc - 5};
    snprintf(r.db, sizeof(r.db), "%s/kill.db", argv[2]);
    snprintf(r.log, sizeof(r.log), "%s/kill.log", argv[2]);
    r.seed = (unsigned)given;
    printf("seed %" PRId64 "\n", given);
    for (int64_t i = 0; i < cycles; i++)
        if (cycle(&r, i) < 0)
            return 1;
    if (check_integrity(&r, cycles) < 0)
        return 1;
    printf("%" PRId64 " kills, %" PRId64 " looks at the live file, %" PRId64
           " snapshots: none lost\n",
           cycles, r.peeks, r.snapshots);
    return r.snapshots > cycles / 2
               ? 0
               : fail(&r, cycles, "too few snapshots", "the recorder hardly ran");
}
