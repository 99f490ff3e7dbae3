/* SPDX-License-Identifier: Apache-2.0 */
/* host-ref: digests by OpenSSL, to compare the guest's own with (README.md). */
#define _POSIX_C_SOURCE 200809L
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "ref.h"

#define OPTIONS_MAX 3
#define LINE_LEN 65 /* of a digest file */

static const char help[] =
    "usage: host-ref digest [--] FILE...\n"
    "           print SHA-256 digests as sha256sum does; - is standard input\n"
    "       host-ref expected --payload SPEC\n"
    "           print the digest of the payload alone\n"
    "       host-ref challenge --payload SPEC --out DIR [--challenge HEX]\n"
    "           write a run's files into DIR; for tests, --challenge fixes the 32 random bytes\n"
    "       host-ref verify --blob FILE --digest FILE\n"
    "           hash the blob afresh and compare\n"
    "\n"
    "SPEC is a file of 1 to 1048576 bytes, or gen:<seed>:<len>: a seed of up to 64 bits (decimal\n"
    "or 0x and hex), a length of 1 to 67108864 bytes. For a file of such a name write ./gen:...\n"
    "Exit status: 0 done, 1 verify found a difference, 2 refused (standard error says why).\n";

static void usage_require(bool good, const char *complaint, const char *word)
{
    if (!good) {
        fprintf(stderr, "host-ref: %s '", complaint);
        name_print(stderr, word, true);
        fputs("' (try 'host-ref --help')\n", stderr);
        exit(REFUSED);
    }
}

/* As sha256sum: a backslash comes first if the name needs escapes. */
static void digest_print(const struct bytes32 *digest, const char *name)
{
    printf("%s%s  ", strpbrk(name, "\\\n\r") != NULL ? "\\" : "", digest->hex);
    name_print(stdout, name, false);
    putchar('\n');
}

static bool file_digest(const char *name)
{
    int fd = strcmp(name, "-") == 0 ? dup(STDIN_FILENO) : open(name, O_RDONLY | O_CLOEXEC);
    struct bytes32 digest;
    bool good;

    if (fd < 0) {
        say(name, strerror(errno));
        return false;
    }
    good = stream_hash(&digest, fd, name);
    if (good) {
        digest_print(&digest, name);
    }
    (void)close(fd);
    return good;
}

static int digest_run(char *const *words)
{
    bool any_name = words[0] != NULL && strcmp(words[0], "--") == 0;
    bool good = true;

    words += any_name ? 1 : 0;
    require(words[0] != NULL, "digest", "needs at least one file; - is standard input");
    for (size_t i = 0; words[i] != NULL && !any_name; i++) {
        usage_require(words[i][0] != '-' || words[i][1] == '\0', "unknown option", words[i]);
    }
    for (; words[0] != NULL; words++) {
        good = file_digest(words[0]) && good;
    }
    return good ? DONE : REFUSED;
}

static int expected_run(char *const *values)
{
    static struct payload payload;
    struct bytes32 digest;

    payload_load(&payload, values[0]);
    sha256(&digest, payload.bytes, payload.len, NULL, 0);
    digest_print(&digest, values[0]);
    return DONE;
}

static int challenge_run(char *const *values)
{
    run_write(values[1], values[0], values[2]);
    return DONE;
}

static int verify_run(char *const *values)
{
    struct bytes32 expected;
    struct bytes32 observed;
    char line[LINE_LEN + 1]; /* file_read needs one more */
    bool good = file_read(values[1], line, LINE_LEN) == LINE_LEN && line[LINE_LEN - 1] == '\n';

    line[LINE_LEN - 1] = '\0';
    require(good && hex_read(&expected, line), values[1],
            "is not a digest file: 64 hex digits and a newline");
    file_hash(&observed, values[0]);
    if (strcmp(observed.hex, expected.hex) == 0) {
        printf("host-ref: digest ok %s\n", observed.hex);
        return DONE;
    }
    fprintf(stderr, "host-ref: digest mismatch: the blob has %s, ", observed.hex);
    fprintf(stderr, "the digest file says %s\n", expected.hex);
    return MISMATCH;
}

static const struct command {
    const char *name;
    int (*run)(char *const *values);      /* gets the options' values in the order of `options` */
    size_t required;                      /* this many of the options must be given */
    const char *options[OPTIONS_MAX + 1]; /* none: the command gets its words as they are */
} commands[] = {
    {"digest", digest_run, 0, {NULL}},
    {"expected", expected_run, 1, {"--payload"}},
    {"challenge", challenge_run, 2, {"--payload", "--out", "--challenge"}},
    {"verify", verify_run, 2, {"--blob", "--digest"}},
};

/* Reads pairs of `--name value`. getopt_long would accept abbreviations and reorder the words. */
static int command_run(const struct command *command, char *const *words)
{
    const char *const *options = command->options;
    char *values[OPTIONS_MAX] = {NULL};

    if (options[0] == NULL) {
        return command->run(words);
    }
    for (; words[0] != NULL; words += 2) {
        const char *name = words[0];
        size_t i = 0;

        while (options[i] != NULL && strcmp(options[i], name) != 0) {
            i++;
        }
        usage_require(options[i] != NULL || *name == '-', "an option was expected, not", name);
        usage_require(options[i] != NULL, "unknown option", name);
        usage_require(values[i] == NULL, "option given twice:", name);
        values[i] = words[1];
        usage_require(values[i] != NULL && *values[i] != '\0', "a value is missing after", name);
        usage_require(strncmp(values[i], "--", 2) != 0,
                      "put ./ before a name that starts with --; a value is missing after", name);
    }
    for (size_t i = 0; i < command->required; i++) {
        usage_require(values[i] != NULL, "missing option", options[i]);
    }
    return command->run(values);
}

/*
 * If the caller closed 0, 1 or 2, the next file opened would become a standard stream. Fills each
 * gap with /dev/null, opened so that reading 0 and writing 1 or 2 still fail.
 */
static bool standard_fds_fill(void)
{
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd) {
            return false;
        }
    }
    return true;
}

/* An exit handler. If anything printed was lost, the exit status is REFUSED, whatever it was. */
static void stdout_close(void)
{
    bool lost = ferror(stdout) != 0;

    errno = 0;
    if (fclose(stdout) != 0 || lost) {
        say("standard output", errno != 0 ? strerror(errno) : "not all of it could be written");
        _exit(REFUSED);
    }
}

int main(int argc, char **argv)
{
    if (!standard_fds_fill() || atexit(stdout_close) != 0) {
        return REFUSED;
    }
    /* Writing to a closed pipe, or past a size limit, then fails and does not kill the program. */
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
    (void)setvbuf(stderr, NULL, _IOLBF, BUFSIZ);
    require(argc >= 2, "usage", "a command is missing (try 'host-ref --help')");
    if (strcmp(argv[1], "--help") == 0 || (argc == 3 && strcmp(argv[2], "--help") == 0)) {
        fputs(help, stdout);
        return DONE;
    }
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(argv[1], commands[i].name) == 0) {
            return command_run(&commands[i], argv + 2);
        }
    }
    usage_require(false, "unknown command", argv[1]);
    return REFUSED;
}
