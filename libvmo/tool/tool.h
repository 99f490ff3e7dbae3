/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands of vmo(1) share: exit codes, options, messages, progress, and cleaning up. */
#ifndef TOOL_H
#define TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <vmo/sha256.h>
#include <vmo/vmo.h>

enum { TOOL_OK = 0, TOOL_FAILED = 1, TOOL_USAGE = 2 };

#define TOOL_CHUNK_BYTES 262144u /* one step of a long copy or hash; fits the second cache */

/* ---- Commands: each gets the words after its name and returns an exit code ------------------------ */

int tool_run(int count, char **words);
int tool_send(int count, char **words);
int tool_recv(int count, char **words);
int tool_sum(int count, char **words);
int tool_inspect(int count, char **words);
int tool_bench(int count, char **words);

/* ---- Options (tool_options.c) --------------------------------------------------------------------- */

/* An option: its letter, or a number from 256 on if it has only a name. */
struct tool_option {
    int id;
    const char *name;
    bool has_value;
};

enum { TOOL_END = 0, TOOL_OPERAND = -1, TOOL_DASHES = -2, TOOL_BAD = -3, TOOL_HELP = 1000 };

struct tool_words {
    const struct tool_option *options; /* ended by a name that is NULL */
    int count;
    char **words;
    int at;              /* the next word */
    const char *cluster; /* the rest of "-abc", or NULL */
    bool ended;          /* "--" was seen: only operands follow */
    const char *value;   /* of the option, or the operand */
};

/* The next word: an option's id, OPERAND, DASHES for "--", END, or BAD after a message. --help is HELP. */
int tool_next(struct tool_words *words);

/* "1.5" seconds as nanoseconds; a whole number from 1 to max. False after a message. */
bool tool_seconds(const char *option, const char *text, uint64_t *ns);
bool tool_number(const char *option, const char *text, uint64_t max, uint64_t *number);

/* ---- Messages (tool_say.c) ------------------------------------------------------------------------ */

/* Prints one line "vmo: WHAT: why" to standard error. Control characters of the texts are escaped. */
__attribute__((format(printf, 2, 3))) void tool_say(const char *what, const char *why, ...);

/* The same for errno, and for a status of the library; both return TOOL_FAILED. tool_usage returns
 * TOOL_USAGE. */
int tool_say_errno(const char *what);
int tool_say_status(const char *what, vmo_status status);
int tool_usage(const char *what, const char *why);

/* A file name for people: "standard input" for "-". */
const char *tool_file_name(const char *file);

/* Prints a digest in hexadecimal, and a line of sha256sum(1). */
void tool_print_hex(FILE *to, const uint8_t digest[VMO_SHA256_BYTES]);
void tool_print_digest(FILE *to, const uint8_t digest[VMO_SHA256_BYTES], const char *name);

/* Prints a name with newline, carriage return and backslash escaped, as sha256sum(1) does. */
bool tool_name_needs_escape(const char *name);
void tool_print_escaped(FILE *to, const char *name);

/* ---- Progress (tool_progress.c) ------------------------------------------------------------------- */

/* How far a long step is. Shown on standard error, if that is a terminal, from the second second on. */
struct tool_progress {
    const char *what;
    uint64_t total_bytes; /* 0: unknown */
    uint64_t done_bytes;
    uint64_t began_ns;
    uint64_t next_ns;
};

/* "auto", "always" or "never". False after a message. */
bool tool_progress_when(const char *text);

void tool_progress_begin(struct tool_progress *progress, const char *what, uint64_t total_bytes);
void tool_progress_add(struct tool_progress *progress, uint64_t bytes);

/* Clears the line, if there is one. */
void tool_progress_clear(void);

uint64_t tool_now_ns(void);

/* ---- Signals (tool_signals.c) --------------------------------------------------------------------- */

/* Lets a signal that ends the program first clear the progress line and remove the socket. */
void tool_catch_signals(void);

/* Ends the program with a message and TOOL_FAILED after this time, whatever it waits for then. */
void tool_limit_time(uint64_t ns);

/* Delays signals while a socket exists that is not named yet. */
void tool_hold_signals(bool hold);

/* Names the socket that a signal, or tool_remove_socket, removes if it still is this file; and removes it. */
void tool_keep_socket(const char *path);
void tool_remove_socket(void);

#endif
