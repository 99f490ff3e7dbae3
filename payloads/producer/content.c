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

/* Group k of the generator: 8 bytes, little-endian as the target is. */
static uint64_t splitmix64(uint64_t k)
{
    uint64_t z = PAYLOAD_SEED + (k + 1) * UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* A part of the payload; off is a multiple of a group. */
static void fill_payload(uint8_t *to, uint64_t off, uint64_t len)
{
    if (PAYLOAD_KIND == PAYLOAD_FILE) {
        memcpy(to, embedded_payload + off, len);
        return;
    }
    for (uint64_t at = 0; at < len; at += sizeof(uint64_t)) {
        const uint64_t group = splitmix64((off + at) / sizeof(group));
        const uint64_t left = len - at;
        memcpy(to + at, &group, left < sizeof(group) ? (size_t)left : sizeof(group));
    }
}

void content_fill_part(uint8_t *to, uint64_t off, uint64_t len)
{
    const uint64_t end = off + len;
    if (off < PAYLOAD_LEN_BYTES) {
        fill_payload(to, off, (end < PAYLOAD_LEN_BYTES ? end : PAYLOAD_LEN_BYTES) - off);
    }
    if (end > PAYLOAD_LEN_BYTES) {
        const uint64_t begin = off > PAYLOAD_LEN_BYTES ? off : PAYLOAD_LEN_BYTES;
        memcpy(to + (begin - off), expected_challenge + (begin - PAYLOAD_LEN_BYTES), end - begin);
    }
}

void content_fill_blob(uint8_t *to)
{
    content_fill_part(to, 0, content_blob_bytes);
}

void content_fill_page(uint8_t *to)
{
    for (size_t off = 0; off < CONTENT_PAGE_BYTES; off += CONTENT_CHALLENGE_BYTES) {
        memcpy(to + off, expected_challenge, CONTENT_CHALLENGE_BYTES);
    }
}
