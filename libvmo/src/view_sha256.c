/* SPDX-License-Identifier: Apache-2.0 */
#include "vmo/sha256.h"

vmo_status vmo_view_sha256(const struct vmo_registry *registry, vmo_view_t view,
                           uint8_t digest[VMO_SHA256_BYTES])
{
    const uint8_t *data = vmo_view_data(registry, view);
    struct vmo_sha256 hash;

    if (data == NULL) {
        return VMO_ERR_BAD_HANDLE;
    }
    if (digest == NULL) {
        return VMO_ERR_INVALID;
    }
    vmo_sha256_init(&hash);
    vmo_sha256_update(&hash, data, (size_t)vmo_view_len(registry, view));
    vmo_sha256_final(&hash, digest);
    return VMO_OK;
}
