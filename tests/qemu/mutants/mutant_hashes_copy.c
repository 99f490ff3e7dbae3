/* SPDX-License-Identifier: Apache-2.0 */
/* Copies its view and hashes the copy. */
#include <string.h>

#include "vmo/sha256.h"

#define BUFFER_BYTES (96 * 1024)

vmo_status __wrap_vmo_view_sha256(const struct vmo_registry *registry, vmo_view_t view,
                                  uint8_t digest[VMO_SHA256_BYTES]);

vmo_status __wrap_vmo_view_sha256(const struct vmo_registry *registry, vmo_view_t view,
                                  uint8_t digest[VMO_SHA256_BYTES])
{
    static uint8_t copy[BUFFER_BYTES];
    const uint64_t len = vmo_view_len(registry, view);
    struct vmo_sha256 hash;
    memcpy(copy, vmo_view_data(registry, view), len);
    vmo_sha256_init(&hash);
    vmo_sha256_update(&hash, copy, len);
    vmo_sha256_final(&hash, digest);
    return VMO_OK;
}
