/* SPDX-License-Identifier: Apache-2.0 */
/* The consumer asks for its pid a thousand times before it hashes. */
#include <stdint.h>

#include "nexus_abi.h"
#include "vmo/sha256.h"
#include "wrap_call.h"

vmo_status __real_vmo_view_sha256(struct vmo_registry *registry, vmo_view_t view,
                                  uint8_t digest[VMO_SHA256_BYTES]);
vmo_status __wrap_vmo_view_sha256(struct vmo_registry *registry, vmo_view_t view,
                                  uint8_t digest[VMO_SHA256_BYTES]);

vmo_status __wrap_vmo_view_sha256(struct vmo_registry *registry, vmo_view_t view,
                                  uint8_t digest[VMO_SHA256_BYTES])
{
    for (int i = 0; i < 1000; i++) {
        (void)nx_call(0, 0, 0, 0, 0, 0, NX_SYS_GETPID);
    }
    return __real_vmo_view_sha256(registry, view, digest);
}
