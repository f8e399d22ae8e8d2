/* SPDX-License-Identifier: MIT
 * A line on standard error, written by a timer so that whoever works need not look at the clock,
 * and wiped at the end. */
#include "analyze/report/progress.h"

#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

static const char *volatile doing;
static volatile sig_atomic_t shown;

/* Only what a signal handler may call. */
static void say(const char *text)
{
    if (write(STDERR_FILENO, text, strlen(text)) < 0)
        return; /* nobody to tell it to */
}

static void on_alarm(int number)
{
    const char *what = doing;
    (void)number;
    if (!what)
        return;
    shown = 1;
    say("\r\033[Kpagetrail: ");
    say(what);
}

static void set_timer(time_t seconds)
{
    const struct itimerval every = {{.tv_sec = seconds}, {.tv_sec = seconds}};
    setitimer(ITIMER_REAL, &every, NULL);
}

void pt_progress_begin(void)
{
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    if (isatty(STDERR_FILENO) && sigaction(SIGALRM, &action, NULL) == 0)
        set_timer(1);
}

void pt_progress_tell(void *unused, const char *what)
{
    (void)unused;
    doing = what;
}

void pt_progress_end(void)
{
    set_timer(0);
    doing = NULL;
    if (shown)
        say("\r\033[K");
    shown = 0;
}
