/* SPDX-License-Identifier: Apache-2.0 */
/* vmo run: starts a command that inherits files as sealed VMOs. The command replaces this program, so that
 * signals and the exit status are the command's. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <vmo/descriptor.h>

#include "tool_file.h"

#define FILES_MAX 256
#define FIRST_DESCRIPTOR 3

enum { CANNOT_RUN = 126, NOT_FOUND = 127 }; /* as env(1) and nohup(1) */

static const char help[] =
    "Usage: vmo run [OPTION]... FILE... -- CMD [ARG]...\n"
    "Runs CMD with a copy of each FILE as sealed memory on a descriptor. CMD finds in its environment:\n"
    "\n"
    "  VMO_FDS               how many FILEs there are\n"
    "  VMO_FD_1, ...         the descriptor of each; its size is rounded up to pages\n"
    "  VMO_LEN_1, ...        the length of each in bytes\n"
    "  VMO_NAME_1, ...       each FILE as it was given\n"
    "\n"
    "      --seal=STRENGTH   forever (default) or peers\n"
    "      --max=BYTES       most memory for one FILE (default: half of this machine's)\n"
    "      --progress=WHEN   auto (default: on a terminal), always, never\n"
    "\n"
    "The exit status is CMD's; 127 if CMD was not found, 126 if it cannot run.\n";

enum { SEAL = 256, MAX, PROGRESS };

static const struct tool_option known[] = {
    {SEAL, "seal", true}, {MAX, "max", true}, {PROGRESS, "progress", true}, {0, NULL, false}};

struct job {
    struct tool_work work;
    vmo_seal_strength seal;
    char **files;
    int count;
    char **command; /* ended by NULL */
    struct tool_file filled[FILES_MAX];
    int descriptors[FILES_MAX];
};

/* ---- Files ---------------------------------------------------------------------------------------- */

/* Opens the memory anew, read-only and at its start. The description that was exported may allow writes,
 * which the seal then refuses; and before Linux 6.7 it cannot be mapped shared. */
static bool reopen(int *descriptor)
{
    char path[32];

    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", *descriptor);
    const int again = open(path, O_RDONLY | O_CLOEXEC);
    if (again < 0) {
        return false;
    }
    (void)close(*descriptor);
    *descriptor = again;
    return true;
}

/* Fills a VMO and exports it as a descriptor that closes on exec: pass_on lets the command inherit it. */
static bool prepare(struct job *job, int i)
{
    struct tool_file *const file = &job->filled[i];
    struct vmo_registry *const registry = job->work.registry;
    const char *const name = tool_file_name(job->files[i]);

    if (!tool_fill(&job->work, job->files[i], job->seal, file)) {
        return false;
    }
    if (file->len_bytes == 0) {
        tool_say(name, "is empty, and a VMO has at least one byte");
        return false;
    }
    vmo_status status = vmo_export_fd(registry, file->vmo, VMO_RIGHT_READ, &job->descriptors[i]);
    if (status == VMO_OK) {
        status = vmo_close(registry, file->vmo);
    }
    if (status != VMO_OK) {
        (void)tool_say_status(name, status);
        return false;
    }
    if (!reopen(&job->descriptors[i])) {
        tool_say(name, "cannot open its memory read-only through /proc: %s", strerror(errno));
        return false;
    }
    return true;
}

/* Lets the command inherit a descriptor, under the lowest free number, because not every shell takes a number
 * above 9. */
static int pass_on(int descriptor)
{
    const int low = fcntl(descriptor, F_DUPFD, FIRST_DESCRIPTOR);

    if (low < 0 || low > descriptor) {
        if (low >= 0) {
            (void)close(low);
        }
        return fcntl(descriptor, F_SETFD, 0) == 0 ? descriptor : -1;
    }
    (void)close(descriptor);
    return low;
}

static bool set_number(const char *name, int i, unsigned long long value)
{
    char variable[32], text[32];

    (void)snprintf(variable, sizeof(variable), "%s_%d", name, i);
    (void)snprintf(text, sizeof(text), "%llu", value);
    return setenv(variable, text, 1) == 0;
}

static bool announce(const struct job *job)
{
    char text[32], variable[32];
    bool good = true;

    (void)snprintf(text, sizeof(text), "%d", job->count);
    good = setenv("VMO_FDS", text, 1) == 0;
    for (int i = 0; good && i < job->count; i++) {
        (void)snprintf(variable, sizeof(variable), "VMO_NAME_%d", i + 1);
        good = set_number("VMO_FD", i + 1, (unsigned long long)job->descriptors[i]) &&
               set_number("VMO_LEN", i + 1, job->filled[i].len_bytes) &&
               setenv(variable, job->files[i], 1) == 0;
    }
    if (!good) {
        (void)tool_say_errno("environment");
    }
    return good;
}

/* ---- The command ---------------------------------------------------------------------------------- */

static int start(struct job *job)
{
    if (!tool_work_begin(&job->work, (uint32_t)job->count)) {
        return TOOL_FAILED;
    }
    for (int i = 0; i < job->count; i++) {
        if (!prepare(job, i)) {
            return TOOL_FAILED;
        }
    }
    for (int i = 0; i < job->count; i++) {
        job->descriptors[i] = pass_on(job->descriptors[i]);
        if (job->descriptors[i] < 0) {
            return tool_say_errno(job->files[i]);
        }
    }
    if (!announce(job)) {
        return TOOL_FAILED;
    }
    (void)execvp(job->command[0], job->command);
    const int code = errno == ENOENT ? NOT_FOUND : CANNOT_RUN;
    (void)tool_say_errno(job->command[0]);
    return code;
}

/* Sets one option. False after a message. */
static bool set_option(struct job *job, int option, const char *value)
{
    if (option == MAX) {
        return tool_number("--max", value, INT64_MAX, &job->work.max_bytes);
    }
    if (option == PROGRESS) {
        return tool_progress_when(value);
    }
    if (strcmp(value, "forever") != 0 && strcmp(value, "peers") != 0) {
        tool_say("--seal", "'%s' is neither forever nor peers", value);
        return false;
    }
    job->seal = value[0] == 'f' ? VMO_SEAL_FOREVER : VMO_SEAL_PEERS;
    return true;
}

static int check(const struct job *job)
{
    if (job->count == 0) {
        return tool_usage("FILE", "missing; try 'vmo run --help'");
    }
    if (job->count > FILES_MAX) {
        return tool_usage("FILE", "more than 256 files");
    }
    if (job->command == NULL || job->command[0] == NULL) {
        return tool_usage("CMD", "missing after '--'; try 'vmo run --help'");
    }
    return TOOL_OK;
}

int tool_run(int count, char **list)
{
    static struct job job = {.seal = VMO_SEAL_FOREVER};
    struct tool_words words = {.options = known, .count = count, .words = list};

    job.files = list;
    for (int next = tool_next(&words); next != TOOL_END; next = tool_next(&words)) {
        if (next == TOOL_DASHES) {
            job.command = list + words.at;
            break;
        }
        if (next == TOOL_OPERAND) {
            list[job.count++] = list[words.at - 1];
        } else if (next == TOOL_HELP) {
            fputs(help, stdout);
            return TOOL_OK;
        } else if (next == TOOL_BAD || !set_option(&job, next, words.value)) {
            return TOOL_USAGE;
        }
    }
    const int code = check(&job);
    return code == TOOL_OK ? start(&job) : code;
}
