/* SPDX-License-Identifier: Apache-2.0 */
/* The generator of gen: payloads, after docs/testing/payload.md. */
#ifndef REF_GEN_H
#define REF_GEN_H

#include <stddef.h>
#include <stdint.h>

struct ref_gen {
    uint64_t state;
    unsigned char group[8]; /* the group that is being given out */
    size_t given;           /* how many bytes of it are out already; 8: a new group is due */
};

void ref_gen_begin(struct ref_gen *gen, uint64_t seed);

/* The next `len` bytes. How a stream is cut into calls does not change its bytes. */
void ref_gen_take(struct ref_gen *gen, unsigned char *to, size_t len);

#endif
