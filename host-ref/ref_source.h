/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes to be hashed or copied, in pieces: a regular file of known length, or the generator. */
#ifndef REF_SOURCE_H
#define REF_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ref_gen.h"
#include "ref_sha.h"
#include "ref_spec.h"

#define REF_CHUNK_BYTES 65536

struct ref_source {
    const char *name; /* the caller's; used in messages */
    int fd;           /* -1: generated */
    struct ref_gen gen;
    uint64_t len_bytes; /* known from the opening on */
    uint64_t done_bytes;
};

/*
 * Each opener either succeeds, and ref_source_close is owed, or says one line and holds nothing.
 * Anything but a regular file is refused before it is opened, so no FIFO or device can block it.
 */
bool ref_source_open_file(struct ref_source *source, const char *path);

/* Parses `text` as well: `spec` is filled on success, and no bound of a payload is left to check. */
bool ref_source_open_payload(struct ref_source *source, struct ref_spec *spec, const char *text);

/*
 * Reads up to `cap` bytes; `*got` 0 is the end. False, with one line said, on a read error or if the
 * file turns out longer or shorter than it was when it was opened.
 */
bool ref_source_read(struct ref_source *source, unsigned char *to, size_t cap, size_t *got);

/* Reads everything that is left and hashes it. False, with one line said, as ref_source_read. */
bool ref_source_digest(struct ref_source *source, unsigned char digest[REF_SHA_BYTES]);

void ref_source_close(struct ref_source *source);

#endif
