/* SPDX-License-Identifier: Apache-2.0 */
/* vmo(1): finds the command, and checks that all output was written. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"

struct command {
    const char *name;
    int (*run)(int count, char **words);
};

static const struct command commands[] = {
    {"run", tool_run}, {"send", tool_send},       {"recv", tool_recv},
    {"sum", tool_sum}, {"inspect", tool_inspect}, {"bench", tool_bench},
};

static const char help[] =
    "Usage: vmo COMMAND [OPTION]... [OPERAND]...\n"
    "Hands files to other processes as sealed memory.\n"
    "\n"
    "  vmo run FILE... -- CMD [ARG]...  run CMD with files as sealed memory on descriptors\n"
    "  vmo send SOCKET FILE             hand a file over to a receiver\n"
    "  vmo recv SOCKET [-o FILE]        receive a file, and check and print its SHA-256\n"
    "  vmo sum [FILE]...                print or check SHA-256, as sha256sum does\n"
    "  vmo inspect PID                  list the memory files that a process holds\n"
    "  vmo bench                        measure hand-overs on this machine\n"
    "\n"
    "  vmo COMMAND --help               describe one command\n"
    "  vmo --version                    print the version of the library\n"
    "\n"
    "A FILE '-' is standard input. Exit status: 0 success, 1 failure, 2 wrong usage.\n";

/* Occupies a closed standard stream, so that no file gets its number. The stream fails as if closed: it is
 * open the wrong way. A command that `vmo run` starts finds it closed. */
static bool occupy_standard_streams(void)
{
    for (int stream = 0; stream < 3; stream++) {
        if (fcntl(stream, F_GETFD) < 0) {
            const int way = stream == 0 ? O_WRONLY : O_RDONLY;
            if (open("/dev/null", way | O_CLOEXEC) != stream) {
                return false;
            }
        }
    }
    return true;
}

/* A failed write to standard output is a failure, even if all else succeeded. */
static int finish(int code)
{
    tool_progress_clear();
    const bool failed = ferror(stdout) != 0;
    errno = 0;
    if (fclose(stdout) != 0 || failed) {
        tool_say("standard output", "%s", errno != 0 ? strerror(errno) : "not all was written");
        return code == TOOL_OK ? TOOL_FAILED : code;
    }
    return code;
}

static void print_version(void)
{
    const unsigned version = vmo_version();

    printf("vmo (libvmo) %u.%u.%u\n", version / 10000, version / 100 % 100, version % 100);
}

static int dispatch(int count, char **words)
{
    if (count < 1) {
        return tool_usage("no command", "try 'vmo --help'");
    }
    if (strcmp(words[0], "--help") == 0) {
        fputs(help, stdout);
        return TOOL_OK;
    }
    if (strcmp(words[0], "--version") == 0) {
        print_version();
        return TOOL_OK;
    }
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(words[0], commands[i].name) == 0) {
            return commands[i].run(count - 1, words + 1);
        }
    }
    return tool_usage(words[0], "no such command; try 'vmo --help'");
}

int main(int argc, char **argv)
{
    if (!occupy_standard_streams()) {
        return TOOL_FAILED; /* there is no stream for a message */
    }
    tool_catch_signals();
    return finish(dispatch(argc > 0 ? argc - 1 : 0, argv + (argc > 0)));
}
