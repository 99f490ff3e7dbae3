/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes that this run shares and their expected digests (docs/testing/payload.md). */
#ifndef PRODUCER_CONTENT_H
#define PRODUCER_CONTENT_H

#include <stdint.h>

#include "nexus_abi.h"
#include "vmo/sha256.h"

#define CONTENT_CHALLENGE_BYTES 32
#define CONTENT_PAGE_BYTES NX_PAGE_BYTES

/* Length of the blob: the payload followed by the challenge. */
extern const uint64_t content_blob_bytes;
extern const uint8_t *const content_challenge; /* CONTENT_CHALLENGE_BYTES */
/* SHA-256 of the blob and of the page, as host-ref computed them. */
extern const uint8_t *const content_blob_digest;
extern const uint8_t *const content_page_digest;

/* Writes a part of the blob; off is a multiple of 8. */
void content_fill_part(uint8_t *to, uint64_t off, uint64_t len);
/* Write the whole blob and the whole page. */
void content_fill_blob(uint8_t *to);
void content_fill_page(uint8_t *to);

#endif
