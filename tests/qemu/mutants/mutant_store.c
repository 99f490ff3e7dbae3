/* SPDX-License-Identifier: Apache-2.0 */
/* The consumer stores through its read-only mapping after hashing; the kernel must kill it. */
#include "vmo/sha256.h"

vmo_status __real_vmo_view_sha256(const struct vmo_registry *registry, vmo_view_t view,
                                  uint8_t digest[VMO_SHA256_BYTES]);
vmo_status __wrap_vmo_view_sha256(const struct vmo_registry *registry, vmo_view_t view,
                                  uint8_t digest[VMO_SHA256_BYTES]);

vmo_status __wrap_vmo_view_sha256(const struct vmo_registry *registry, vmo_view_t view,
                                  uint8_t digest[VMO_SHA256_BYTES])
{
    const vmo_status status = __real_vmo_view_sha256(registry, view, digest);
    *(volatile uint8_t *)(uintptr_t)vmo_view_data(registry, view) = 0;
    return status;
}
