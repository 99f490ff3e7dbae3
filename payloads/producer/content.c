/* SPDX-License-Identifier: Apache-2.0 */
#include "producer/content.h"

#include <string.h>

#include "expected.h" /* written by host-ref for this run */

#define PAYLOAD_FILE 1
#define PAYLOAD_GENERATED 2

_Static_assert(PAYLOAD_KIND == PAYLOAD_FILE || PAYLOAD_KIND == PAYLOAD_GENERATED, "a kind that exists");
_Static_assert(sizeof(expected_challenge) == CONTENT_CHALLENGE_BYTES, "challenge");
_Static_assert(CONTENT_PAGE_BYTES % CONTENT_CHALLENGE_BYTES == 0, "the page holds whole challenges");

const uint64_t content_blob_bytes = (uint64_t)PAYLOAD_LEN_BYTES + CONTENT_CHALLENGE_BYTES;
const uint8_t *const content_challenge = expected_challenge;
const uint8_t *const content_blob_digest = expected_digest;
const uint8_t *const content_page_digest = expected_page_digest;

/* The payload's bytes (embedded.S); empty when the payload is generated. */
extern const uint8_t embedded_payload[];

static uint64_t splitmix64(uint64_t *state)
{
    *state += UINT64_C(0x9E3779B97F4A7C15);
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static void generate(uint8_t *to, uint64_t len, uint64_t seed)
{
    uint64_t state = seed;
    for (uint64_t off = 0; off < len; off += sizeof(state)) {
        const uint64_t group = splitmix64(&state); /* stored little-endian, the target's byte order */
        const uint64_t left = len - off;
        memcpy(to + off, &group, left < sizeof(group) ? (size_t)left : sizeof(group));
    }
}

void content_fill_blob(uint8_t *to)
{
    if (PAYLOAD_KIND == PAYLOAD_GENERATED) {
        generate(to, PAYLOAD_LEN_BYTES, PAYLOAD_SEED);
    } else {
        memcpy(to, embedded_payload, PAYLOAD_LEN_BYTES);
    }
    memcpy(to + PAYLOAD_LEN_BYTES, expected_challenge, CONTENT_CHALLENGE_BYTES);
}

void content_fill_page(uint8_t *to)
{
    for (size_t off = 0; off < CONTENT_PAGE_BYTES; off += CONTENT_CHALLENGE_BYTES) {
        memcpy(to + off, expected_challenge, CONTENT_CHALLENGE_BYTES);
    }
}
