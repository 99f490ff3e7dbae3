/* SPDX-License-Identifier: Apache-2.0 */
/* A signal that ends the program leaves neither half a line nor a socket behind. */
#define _GNU_SOURCE
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "tool.h"

static const int caught[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};

/* The socket of this program. `kept` is set last and cleared first, because a handler may read in between. */
static char kept_path[128];
static dev_t kept_device;
static ino_t kept_inode;
static volatile sig_atomic_t kept;

void tool_remove_socket(void)
{
    struct stat now;

    if (kept == 0) {
        return;
    }
    kept = 0;
    if (lstat(kept_path, &now) == 0 && now.st_dev == kept_device && now.st_ino == kept_inode) {
        (void)unlink(kept_path); /* its folder may have become read-only: nothing is left to do */
    }
}

void tool_keep_socket(const char *path)
{
    struct stat now;

    if (strlen(path) < sizeof(kept_path) && lstat(path, &now) == 0) {
        memcpy(kept_path, path, strlen(path) + 1);
        kept_device = now.st_dev;
        kept_inode = now.st_ino;
        kept = 1;
    }
}

/* Ends the program by the same signal, so that its parent sees the reason. The signal is blocked until the
 * handler returns. */
static void clean_up(int number)
{
    tool_progress_clear();
    tool_remove_socket();
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

void tool_hold_signals(bool hold)
{
    static sigset_t before;
    sigset_t all;

    (void)sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, hold ? &all : &before, hold ? &before : NULL);
}

static void time_is_over(int number)
{
    static const char message[] = "vmo: --timeout: the time is over\n";

    (void)number;
    tool_progress_clear();
    tool_remove_socket();
    (void)!write(STDERR_FILENO, message, sizeof(message) - 1);
    _exit(TOOL_FAILED);
}

void tool_limit_time(uint64_t ns)
{
    const uint64_t us = ns / 1000 != 0 ? ns / 1000 : 1; /* 0 would be no limit */
    const struct itimerval time = {.it_value = {(time_t)(us / 1000000), (suseconds_t)(us % 1000000)}};
    struct sigaction action;
    sigset_t alarm_only;

    memset(&action, 0, sizeof(action));
    action.sa_handler = time_is_over;
    (void)sigfillset(&action.sa_mask);
    (void)sigaction(SIGALRM, &action, NULL);
    /* A parent may have blocked it. */
    (void)sigemptyset(&alarm_only);
    (void)sigaddset(&alarm_only, SIGALRM);
    (void)sigprocmask(SIG_UNBLOCK, &alarm_only, NULL);
    (void)setitimer(ITIMER_REAL, &time, NULL);
}

void tool_catch_signals(void)
{
    struct sigaction action, before;

    memset(&action, 0, sizeof(action));
    action.sa_handler = clean_up;
    (void)sigfillset(&action.sa_mask);
    for (size_t i = 0; i < sizeof(caught) / sizeof(caught[0]); i++) {
        /* nohup(1), for instance, has the program ignore a signal. */
        if (sigaction(caught[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL) {
            (void)sigaction(caught[i], &action, NULL);
        }
    }
}
