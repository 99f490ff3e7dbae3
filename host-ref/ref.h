/* SPDX-License-Identifier: Apache-2.0 */
/* What the sources of host-ref share. A function that fails ends the program, or says otherwise. */
#ifndef REF_H
#define REF_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The exit status. */
enum {
    DONE = 0,
    MISMATCH = 1, /* `verify` alone: it read both files, and the digests differ */
    REFUSED = 2,  /* bad usage, bad input, or output that could not be written */
};

/* ---- ref_refuse.c: messages, one line each on standard error ---- */

/* Escapes backslash, newline and return as sha256sum does; with `controls`, all control bytes. */
void name_print(FILE *to, const char *name, bool controls);

/* Prints `host-ref: NAME: REASON`, as one line whatever bytes NAME holds. */
void say(const char *name, const char *reason);

/* The same, and exits with REFUSED. */
_Noreturn void refuse(const char *name, const char *reason);

/* Inline, so that static analysis sees what holds behind the call. */
static inline void require(bool good, const char *name, const char *reason)
{
    if (!good) {
        refuse(name, reason);
    }
}

static inline void require_errno(bool good, const char *name)
{
    require(good, name, strerror(errno));
}

/* ---- ref_digest.c: SHA-256 and random bytes from OpenSSL ---- */

#define CHALLENGE_BYTES 32 /* as many as a digest has */

/* A challenge or a digest. Every function that writes one writes both of its forms. */
struct bytes32 {
    unsigned char raw[CHALLENGE_BYTES];
    char hex[2 * CHALLENGE_BYTES + 1]; /* lower-case digits and a NUL */
};

/* Hashes `a`, and `b` behind it. */
void sha256(struct bytes32 *digest, const void *a, size_t a_len, const void *b, size_t b_len);

/* Hashes what is left of a file. Says why and returns false if it cannot be read. */
bool stream_hash(struct bytes32 *digest, int fd, const char *name);

void random_draw(struct bytes32 *bytes);

/* Returns false if `hex` is not 64 hex digits of either case. */
bool hex_read(struct bytes32 *bytes, const char *hex);

/* ---- ref_input.c: regular files, and the payload ---- */

#define FILE_BYTES_MAX 1048576U
#define GEN_BYTES_MAX 67108864U

struct payload {
    bool generated;
    uint64_t seed; /* 0 for a file */
    size_t len;
    unsigned char bytes[GEN_BYTES_MAX + CHALLENGE_BYTES]; /* the challenge fits behind it */
};

/* Reads or generates a payload; docs/testing/payload.md has the syntax of `spec`. */
void payload_load(struct payload *payload, const char *spec);

/*
 * Reads a file and returns its size; if that is over `max`, nothing was read. `to` has room for
 * `max` bytes and one more, which shows whether the file has grown.
 */
uint64_t file_read(const char *path, void *to, size_t max);

/* Hashes a file of any size. */
void file_hash(struct bytes32 *digest, const char *path);

/* ---- ref_run.c: the files of a run ---- */

/*
 * Writes them into `dir`, which is made if it is missing (its parent must exist). After a failure
 * everything is as it was. The challenge is `fixed`, 64 hex digits; if that is NULL, it is random.
 */
void run_write(const char *dir, const char *spec, const char *fixed);

#endif
