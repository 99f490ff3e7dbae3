/* SPDX-License-Identifier: Apache-2.0 */
/* Copies its view through a buffer of 64 bytes and hashes that. */
#include <string.h>

#include "vmo/sha256.h"

vmo_status __wrap_vmo_view_sha256(const struct vmo_registry *registry, vmo_view_t view,
                                  uint8_t digest[VMO_SHA256_BYTES]);

vmo_status __wrap_vmo_view_sha256(const struct vmo_registry *registry, vmo_view_t view,
                                  uint8_t digest[VMO_SHA256_BYTES])
{
    uint8_t block[VMO_SHA256_BLOCK_BYTES];
    const uint64_t len = vmo_view_len(registry, view);
    struct vmo_sha256 hash;
    vmo_sha256_init(&hash);
    for (uint64_t off = 0; off < len; off += sizeof(block)) {
        const size_t n = len - off < sizeof(block) ? (size_t)(len - off) : sizeof(block);
        memcpy(block, vmo_view_data(registry, view) + off, n);
        vmo_sha256_update(&hash, block, n);
    }
    vmo_sha256_final(&hash, digest);
    return VMO_OK;
}
