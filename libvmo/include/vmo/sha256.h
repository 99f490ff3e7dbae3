/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 (FIPS 180-4), streaming, over memory that stays where it is (R10). */
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

/* init, then any number of updates (a length of 0 is fine), then final, which ends the stream. Cannot fail;
 * whole blocks are hashed in place. Messages are at most 2^61 - 1 bytes. */
void vmo_sha256_init(struct vmo_sha256 *hash);
void vmo_sha256_update(struct vmo_sha256 *hash, const void *bytes, size_t len);
void vmo_sha256_final(struct vmo_sha256 *hash, uint8_t digest[VMO_SHA256_BYTES]);

/* The digest of all bytes of a view. Errors: BAD_HANDLE, INVALID. */
VMO_CHECK vmo_status vmo_view_sha256(const struct vmo_registry *registry, vmo_view_t view,
                                     uint8_t digest[VMO_SHA256_BYTES]);

#ifdef __cplusplus
}
#endif

#endif
