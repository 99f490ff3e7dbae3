/* SPDX-License-Identifier: Apache-2.0 */
/* One line on a terminal that says how far a long step is. It has no escape sequences, only "\r". */
#define _GNU_SOURCE
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tool.h"

#define QUIET_NS UINT64_C(1000000000)  /* a step that takes less shows nothing */
#define BETWEEN_NS UINT64_C(200000000) /* from one line to the next */
#define LINE_BYTES 72                  /* fits a terminal of 80 columns */
#define MIB UINT64_C(1048576)

static enum { AUTO, ALWAYS, NEVER } when = AUTO;
/* A signal's handler clears the line, too. */
static volatile bool shown;

uint64_t tool_now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail */
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

bool tool_progress_when(const char *text)
{
    static const char *const names[] = {"auto", "always", "never"};

    for (unsigned i = 0; i < 3; i++) {
        if (strcmp(text, names[i]) == 0) {
            when = i == 0 ? AUTO : i == 1 ? ALWAYS : NEVER;
            return true;
        }
    }
    tool_say("--progress", "'%s' is not auto, always or never", text);
    return false;
}

void tool_progress_begin(struct tool_progress *progress, const char *what, uint64_t total_bytes)
{
    const bool wanted = when == ALWAYS || (when == AUTO && isatty(STDERR_FILENO));

    *progress = (struct tool_progress){.what = what, .total_bytes = total_bytes, .next_ns = UINT64_MAX};
    if (wanted) {
        progress->began_ns = tool_now_ns();
        progress->next_ns = when == ALWAYS ? 0 : progress->began_ns + QUIET_NS;
    }
}

/* Writes the line in one call, padded to cover the previous one. Ignores a terminal that is gone. */
static void show(const struct tool_progress *progress)
{
    char line[LINE_BYTES + 2], part[32] = "";
    const unsigned long long done = progress->done_bytes / MIB, total = progress->total_bytes / MIB;

    if (progress->total_bytes != 0) {
        (void)snprintf(part, sizeof(part), " of %llu MiB, %u %%", total,
                       (unsigned)((double)progress->done_bytes * 100 / (double)progress->total_bytes));
    }
    (void)snprintf(line, sizeof(line), "\r%s: %llu%s", progress->what, done, part[0] != '\0' ? part : " MiB");
    size_t len = strlen(line);
    memset(line + len, ' ', sizeof(line) - len);
    line[LINE_BYTES] = '\r';
    shown = true;
    (void)!write(STDERR_FILENO, line, LINE_BYTES + 1);
}

void tool_progress_add(struct tool_progress *progress, uint64_t bytes)
{
    progress->done_bytes += bytes;
    if (progress->next_ns == UINT64_MAX) {
        return;
    }
    const uint64_t now = tool_now_ns();
    if (now >= progress->next_ns) {
        show(progress);
        progress->next_ns = when == ALWAYS ? 0 : now + BETWEEN_NS;
    }
}

/* Also called by a signal's handler. */
void tool_progress_clear(void)
{
    static const char clear[] =
        "\r                                                                        \r";

    if (shown) {
        shown = false;
        (void)!write(STDERR_FILENO, clear, sizeof(clear) - 1);
    }
}
