/* SPDX-License-Identifier: Apache-2.0 */
/* vmo sum: SHA-256 of files, with the options, lines and exit codes of sha256sum(1). */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool_sum.h"

static const char help[] =
    "Usage: vmo sum [OPTION]... [FILE]...\n"
    "Prints or checks SHA-256, as sha256sum does. Without FILE, or with '-', reads standard input.\n"
    "\n"
    "  -b, --binary          mark each file as binary\n"
    "  -t, --text            mark each file as text (default)\n"
    "      --tag             print BSD-style lines\n"
    "  -z, --zero            end lines with NUL, and escape no name\n"
    "  -c, --check           read lists from the FILEs and check the files that they name\n"
    "      --progress=WHEN   auto (default: on a terminal), always, never\n"
    "With --check:\n"
    "      --ignore-missing  a missing file is no failure\n"
    "  -q, --quiet           print no OK\n"
    "  -s, --status          print nothing; set the exit status\n"
    "      --strict          an improperly formatted line is a failure\n"
    "  -w, --warn            name each improperly formatted line\n";

enum { TAG = 256, IGNORE_MISSING, STRICT, PROGRESS };

static const struct tool_option known[] = {
    {'b', "binary", false}, {'t', "text", false},         {TAG, "tag", false},
    {'z', "zero", false},   {'c', "check", false},        {IGNORE_MISSING, "ignore-missing", false},
    {'q', "quiet", false},  {'s', "status", false},       {STRICT, "strict", false},
    {'w', "warn", false},   {PROGRESS, "progress", true}, {0, NULL, false},
};

/* ---- Hashing -------------------------------------------------------------------------------------- */

static int hash_open_file(int file, uint8_t digest[VMO_SHA256_BYTES])
{
    static uint8_t chunk[TOOL_CHUNK_BYTES];
    struct tool_progress progress;
    struct vmo_sha256 hash;
    struct stat seen;

    if (fstat(file, &seen) != 0) {
        return errno;
    }
    (void)posix_fadvise(file, 0, 0, POSIX_FADV_SEQUENTIAL); /* only advice */
    tool_progress_begin(&progress, "hashing", S_ISREG(seen.st_mode) ? (uint64_t)seen.st_size : 0);
    vmo_sha256_init(&hash);
    for (;;) {
        const ssize_t got = read(file, chunk, sizeof(chunk));
        if (got > 0) {
            vmo_sha256_update(&hash, chunk, (size_t)got);
            tool_progress_add(&progress, (uint64_t)got);
        } else if (got == 0) {
            break;
        } else if (errno != EINTR) {
            return errno;
        }
    }
    vmo_sha256_final(&hash, digest);
    tool_progress_clear();
    return 0;
}

int sum_hash_file(const char *name, uint8_t digest[VMO_SHA256_BYTES])
{
    const bool input = strcmp(name, "-") == 0;
    const int file = input ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    if (file < 0) {
        return errno;
    }
    const int failed = hash_open_file(file, digest);
    if (!input) {
        (void)close(file); /* it was only read */
    }
    return failed;
}

/* ---- Printing ------------------------------------------------------------------------------------- */

static void print_line(const uint8_t digest[VMO_SHA256_BYTES], const char *name,
                       const struct sum_options *options)
{
    const bool escape = !options->zero && tool_name_needs_escape(name);

    if (escape) {
        putchar('\\');
    }
    if (options->tag) {
        fputs("SHA256 (", stdout);
    } else {
        tool_print_hex(stdout, digest);
        fputs(options->binary ? " *" : "  ", stdout);
    }
    if (escape) {
        tool_print_escaped(stdout, name);
    } else {
        fputs(name, stdout);
    }
    if (options->tag) {
        fputs(") = ", stdout);
        tool_print_hex(stdout, digest);
    }
    putchar(options->zero ? '\0' : '\n');
}

static bool sum_file(const char *name, const struct sum_options *options)
{
    uint8_t digest[VMO_SHA256_BYTES];
    const int failed = sum_hash_file(name, digest);

    if (failed != 0) {
        tool_say(tool_file_name(name), "%s", strerror(failed));
        return false;
    }
    print_line(digest, name, options);
    return true;
}

/* ---- Options -------------------------------------------------------------------------------------- */

/* Sets one option. False after a message. */
static bool set_option(struct sum_options *options, int option, const char *value)
{
    switch (option) {
    case 'b':
    case 't':
        options->binary = option == 'b';
        options->text = option == 't';
        return true;
    case 'c':
        options->check = true;
        return true;
    case 'z':
        options->zero = true;
        return true;
    case 'q':
    case 's':
    case 'w': /* the last of these counts */
        options->quiet = option == 'q';
        options->status = option == 's';
        options->warn = option == 'w';
        return true;
    case TAG:
        options->tag = true;
        options->text = false; /* a later --text does not go with it */
        return true;
    case STRICT:
        options->strict = true;
        return true;
    case IGNORE_MISSING:
        options->ignore_missing = true;
        return true;
    default:
        return tool_progress_when(value);
    }
}

/* Names an option that does not go with the others, or returns NULL. */
static const char *misplaced(const struct sum_options *options)
{
    if (options->check) {
        return options->tag      ? "--tag"
               : options->zero   ? "--zero"
               : options->binary ? "--binary"
               : options->text   ? "--text"
                                 : NULL;
    }
    return options->ignore_missing ? "--ignore-missing"
           : options->quiet        ? "--quiet"
           : options->status       ? "--status"
           : options->strict       ? "--strict"
           : options->warn         ? "--warn"
                                   : NULL;
}

static bool sum_one(const char *name, const struct sum_options *options)
{
    return options->check ? sum_check(name, options) : sum_file(name, options);
}

int tool_sum(int count, char **list)
{
    struct tool_words words = {.options = known, .count = count, .words = list};
    struct sum_options options = {0};
    int operands = 0;
    bool good = true;

    /* Options may follow operands: collects the operands at the start of the list. */
    for (int next = tool_next(&words); next != TOOL_END; next = tool_next(&words)) {
        if (next == TOOL_OPERAND) {
            list[operands++] = list[words.at - 1];
        } else if (next == TOOL_HELP) {
            fputs(help, stdout);
            return TOOL_OK;
        } else if (next == TOOL_BAD || (next != TOOL_DASHES && !set_option(&options, next, words.value))) {
            return TOOL_USAGE;
        }
    }
    if (misplaced(&options) != NULL) {
        return tool_usage(misplaced(&options),
                          options.check ? "has no meaning with --check" : "needs --check");
    }
    if (options.tag && options.text) {
        return tool_usage("--text", "does not go with --tag");
    }
    for (int i = 0; i < operands; i++) {
        good &= sum_one(list[i], &options);
    }
    if (operands == 0) {
        good = sum_one("-", &options);
    }
    return good ? TOOL_OK : TOOL_FAILED;
}
