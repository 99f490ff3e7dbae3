/* SPDX-License-Identifier: Apache-2.0 */
/* What host-ref says and how it ends: one line a refusal, and a status that a script can act on. */
#ifndef REF_SAY_H
#define REF_SAY_H

#include <stdbool.h>
#include <stdio.h>

enum ref_status {
    REF_OK = 0,
    REF_MISMATCH = 1, /* of `verify` alone: both files were read, and the digests differ */
    REF_REFUSED = 2,  /* bad usage, bad input, or output that could not be written */
};

/* Prints `host-ref: NAME: REASON` on standard error, as one line whatever bytes NAME holds. */
void ref_say(const char *name, const char *reason);

/* The same, with errno's words as the reason. */
void ref_say_errno(const char *name);

/* Prints `host-ref: COMPLAINT 'WHAT' (try 'host-ref --help')`; WHAT may be NULL. Answers REF_REFUSED. */
enum ref_status ref_say_usage(const char *complaint, const char *what);

/*
 * Writes `HEX  NAME` and a newline as sha256sum does: a name that holds a backslash, a newline or a
 * carriage return is escaped, and the line then starts with a backslash. Write errors stay with the
 * stream until ref_say_end.
 */
void ref_say_digest(FILE *to, const char *hex, const char *name);

/* Flushes and closes standard output. Answers `status`, or REF_REFUSED if anything printed was lost. */
enum ref_status ref_say_end(enum ref_status status);

#endif
