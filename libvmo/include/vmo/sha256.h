/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 (FIPS 180-4), streaming. Whole blocks are hashed in place. */
#ifndef VMO_SHA256_H
#define VMO_SHA256_H

#include "vmo.h"

#ifdef __cplusplus
extern "C" {
#endif

#define VMO_SHA256_BYTES 32
#define VMO_SHA256_BLOCK_BYTES 64

struct vmo_sha256 {
    uint32_t state[8];
    uint64_t total_bytes;
    uint8_t block[VMO_SHA256_BLOCK_BYTES];
};

/* One init, any number of updates (also of length 0), one final. They cannot fail. The caller owns `hash`;
 * final clears it. A message is at most 2^61 - 1 bytes. */
void vmo_sha256_init(struct vmo_sha256 *hash);
void vmo_sha256_update(struct vmo_sha256 *hash, const void *bytes, size_t len);
void vmo_sha256_final(struct vmo_sha256 *hash, uint8_t digest[VMO_SHA256_BYTES]);

/* The digest of all bytes of a view.
 * Errors: BAD_HANDLE   view is closed, stale or from another registry
 *         INVALID      digest is NULL */
VMO_CHECK vmo_status vmo_view_sha256(const struct vmo_registry *registry, vmo_view_t view,
                                     uint8_t digest[VMO_SHA256_BYTES]);

#ifdef __cplusplus
}
#endif

#endif
