/* SPDX-License-Identifier: Apache-2.0 */
/* Hashes nothing: touches each page, and replies the digests in its own image. */
#include "vmo/sha256.h"

static volatile uint8_t told[16 + 2 * VMO_SHA256_BYTES] = "ROOM-FOR-DIGESTS";

vmo_status __wrap_vmo_view_sha256(const struct vmo_registry *registry, vmo_view_t view,
                                  uint8_t digest[VMO_SHA256_BYTES]);

vmo_status __wrap_vmo_view_sha256(const struct vmo_registry *registry, vmo_view_t view,
                                  uint8_t digest[VMO_SHA256_BYTES])
{
    static unsigned calls;
    const volatile uint8_t *data = vmo_view_data(registry, view);
    for (uint64_t off = 0; off < vmo_view_len(registry, view); off += 4096) {
        (void)data[off];
    }
    for (size_t i = 0; i < VMO_SHA256_BYTES; i++) {
        digest[i] = told[16 + calls * VMO_SHA256_BYTES + i];
    }
    calls++;
    return VMO_OK;
}
