/* SPDX-License-Identifier: Apache-2.0 */
/* host-ref: digests by OpenSSL, against which the guest's own are held (README.md). */
#define _POSIX_C_SOURCE 200809L
#include <fcntl.h>
#include <signal.h>
#include <string.h>

#include "ref_commands.h"

static const char help[] =
    "usage: host-ref digest [--] FILE...\n"
    "           print SHA-256 digests as sha256sum does; - is standard input\n"
    "       host-ref expected --payload SPEC\n"
    "           print the digest of the payload alone\n"
    "       host-ref challenge --payload SPEC --out DIR [--challenge HEX]\n"
    "           write a run's blob, digests and expected.h into DIR; --challenge fixes the 32 bytes\n"
    "           that are otherwise random, and is for tests only\n"
    "       host-ref verify --blob FILE --digest FILE\n"
    "           hash the blob afresh and compare\n"
    "\n"
    "SPEC is a file of 1 to 1048576 bytes, or gen:<seed>:<len>: a seed of up to 64 bits (decimal or 0x\n"
    "hex) and a length of 1 to 4194304 bytes. Write ./gen:... for a file of such a name.\n"
    "Exit status: 0 done, 1 verify found a difference, 2 refused (one line on standard error says why).\n";

static const struct {
    const char *name;
    enum ref_status (*run)(int arg_count, char *const *args);
} commands[] = {
    {"digest", ref_cmd_digest},
    {"expected", ref_cmd_expected},
    {"challenge", ref_cmd_challenge},
    {"verify", ref_cmd_verify},
};

/*
 * A caller may have closed 0, 1 or 2; without this the next file opened would take the number, and be
 * read, written or closed as a standard stream. Each is held open the wrong way round, so that using
 * it is still an error.
 */
static bool standard_fds_hold(void)
{
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
            return false;
    }
    return true;
}

/* A reader that leaves, or a size limit, is to be an error of the write and not the end of the program. */
static void signals_ignore(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
}

static enum ref_status dispatch(int argc, char *const *argv)
{
    if (argc < 2)
        return ref_say_usage("a command is missing", NULL);
    if (strcmp(argv[1], "--help") == 0 || (argc == 3 && strcmp(argv[2], "--help") == 0)) {
        fputs(help, stdout);
        return REF_OK;
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 2, argv + 2);
    return ref_say_usage("unknown command", argv[1]);
}

int main(int argc, char **argv)
{
    if (!standard_fds_hold())
        return REF_REFUSED;
    signals_ignore();
    (void)setvbuf(stderr, NULL, _IOLBF, BUFSIZ);
    return ref_say_end(dispatch(argc, argv));
}
