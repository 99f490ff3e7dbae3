/* SPDX-License-Identifier: Apache-2.0 */
/* Replies a wrong digest for the page and the right one for the blob. */
#include "vmo/sha256.h"
#include "vmo/vmo.h"

vmo_status __real_vmo_view_sha256(const struct vmo_registry *registry, vmo_view_t view,
                                  uint8_t digest[VMO_SHA256_BYTES]);
vmo_status __wrap_vmo_view_sha256(const struct vmo_registry *registry, vmo_view_t view,
                                  uint8_t digest[VMO_SHA256_BYTES]);

vmo_status __wrap_vmo_view_sha256(const struct vmo_registry *registry, vmo_view_t view,
                                  uint8_t digest[VMO_SHA256_BYTES])
{
    static unsigned calls;
    const vmo_status status = __real_vmo_view_sha256(registry, view, digest);
    digest[0] ^= calls++ == 1;
    return status;
}
