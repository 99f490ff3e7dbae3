/* SPDX-License-Identifier: Apache-2.0 */
/* The words of PAYLOAD=: a file's path, or gen:<seed>:<len> (docs/testing/payload.md). */
#ifndef REF_SPEC_H
#define REF_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#define REF_FILE_BYTES_MAX 1048576U
#define REF_GEN_BYTES_MAX 4194304U

enum ref_spec_status {
    REF_SPEC_OK,
    REF_SPEC_NOT_TWO,      /* gen: without exactly two fields */
    REF_SPEC_SEED_DIGITS,  /* the seed is neither decimal nor 0x and hex digits */
    REF_SPEC_SEED_TOO_BIG, /* the seed needs more than 64 bits */
    REF_SPEC_LEN_DIGITS,   /* the length is not decimal */
    REF_SPEC_LEN_ZERO,
    REF_SPEC_LEN_TOO_BIG, /* over REF_GEN_BYTES_MAX */
};

struct ref_spec {
    const char *text; /* as the caller wrote it, and still the caller's; the path, if not generated */
    bool generated;
    uint64_t seed;      /* 0 for a file */
    uint64_t len_bytes; /* 0 for a file: only its opening tells */
};

/* Fills `spec` from `text`; on a refusal `spec` is untouched. Opens nothing. */
enum ref_spec_status ref_spec_parse(struct ref_spec *spec, const char *text);

/* The refusal in words; "" for REF_SPEC_OK. */
const char *ref_spec_reason(enum ref_spec_status status);

#endif
