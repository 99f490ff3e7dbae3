/* SPDX-License-Identifier: Apache-2.0 */
/* Writes both digests after the blob, into the rest of its last page. */
#include <string.h>

#include "producer/content.h"
#include "vmo/vmo.h"

vmo_status __real_vmo_seal(struct vmo_registry *registry, vmo_t vmo, vmo_seal_strength strength);
vmo_status __wrap_vmo_seal(struct vmo_registry *registry, vmo_t vmo, vmo_seal_strength strength);

vmo_status __wrap_vmo_seal(struct vmo_registry *registry, vmo_t vmo, vmo_seal_strength strength)
{
    vmo_view_t view = {0};
    uint64_t len = 0;
    vmo_status status = vmo_len(registry, vmo, &len);
    if (status == VMO_OK && len == content_blob_bytes) {
        status = vmo_map_rw(registry, vmo, (struct vmo_range){0, len}, &view);
        if (status == VMO_OK) {
            memcpy(vmo_view_data_rw(registry, view) + len, content_blob_digest, VMO_SHA256_BYTES);
            memcpy(vmo_view_data_rw(registry, view) + len + VMO_SHA256_BYTES, content_page_digest,
                   VMO_SHA256_BYTES);
            status = vmo_unmap(registry, view);
        }
    }
    return status == VMO_OK ? __real_vmo_seal(registry, vmo, strength) : status;
}
