/* SPDX-License-Identifier: Apache-2.0 */
/* The protocol of the proof of streams. It contains nothing about the shared bytes. */
#ifndef STREAM_FRAMES_PROOF_H
#define STREAM_FRAMES_PROOF_H

#include "proof.h"
#include "vmo/stream.h"

#define FRAMES_BUFFERS 4u
#define FRAMES_BYTES UINT64_C(65536) /* of each frame but the last */

#define FRAMES_LOOKS 16u /* of each side before it sleeps */

/* The producer sends a request and both messages of an offer, then publishes the blob as frames; a frame's
 * tag is its offset in the blob. The consumer hashes them as they come, and replies. */
#define FRAMES_TAG_BLOB 1u
#define FRAMES_TAG_OFFER 3u

struct frames_request {
    uint64_t len_bytes; /* of all frames */
};

struct frames_reply {
    struct proof_reply proof;
    uint64_t frames;                 /* taken */
    uint32_t last[FRAMES_BUFFERS];   /* by buffer: the sequence of the frame that it held last */
    uint8_t buffers[FRAMES_BUFFERS]; /* of the last frames, by their sequence modulo 4 */
    uint16_t seal;                   /* of the pool, and who enforces it, as the consumer's library says */
    uint16_t enforced;
};

_Static_assert(sizeof(struct frames_reply) == 88, "the judge reads the reply's bytes");

#endif
