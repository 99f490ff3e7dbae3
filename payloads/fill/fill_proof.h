/* SPDX-License-Identifier: Apache-2.0 */
/* The protocol of the proof of fills. It contains nothing about the shared bytes. */
#ifndef FILL_FILL_PROOF_H
#define FILL_FILL_PROOF_H

#include "proof.h"

/*
 * The consumer is the client: it lends memory, the producer fills it, the consumer checks it and hashes it in
 * place. On older NEURON kernels only init can make memory, so the producer makes the consumer's, gives it
 * away with all rights, and closes its own capability.
 *
 *   producer  FILL_TAG_MEMORY  the memory, with all rights
 *   consumer  FILL_TAG_LEND    the memory, with all rights, and a struct fill_request
 *   producer  FILL_TAG_ANSWER  after it has unmapped and closed what it was lent
 *   consumer  FILL_TAG_BLOB    a struct proof_reply, and the memory to read: the kernel's record of it shows
 *                              who can write then
 *   producer  FILL_TAG_SEEN    the consumer may close its capability, which was to be counted
 */
#define FILL_TAG_BLOB PROOF_TAG_BLOB
#define FILL_TAG_MEMORY 3u
#define FILL_TAG_LEND 4u
#define FILL_TAG_ANSWER 5u
#define FILL_TAG_SEEN 6u

#define FILL_REQUEST UINT64_C(0x6C6C6966) /* names the one request; memory that nobody filled is 0 */

struct fill_request {
    uint64_t request;
};

/* At the start of the memory, written last. The blob follows. */
struct fill_header {
    uint64_t request;
    uint64_t len_bytes; /* of the blob */
    uint64_t zero[6];
};

_Static_assert(sizeof(struct fill_header) == 64, "the judge computes the memory's bytes");

#endif
