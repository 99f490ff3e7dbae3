/* SPDX-License-Identifier: Apache-2.0 */
/* Flips one bit of every VMO after filling and before sealing; the consumer's digest must not match. */
#include "vmo/vmo.h"

vmo_status __real_vmo_seal(struct vmo_registry *registry, vmo_t vmo, vmo_seal_strength strength);
vmo_status __wrap_vmo_seal(struct vmo_registry *registry, vmo_t vmo, vmo_seal_strength strength);

vmo_status __wrap_vmo_seal(struct vmo_registry *registry, vmo_t vmo, vmo_seal_strength strength)
{
    vmo_view_t view = {0};
    vmo_status status = vmo_map_rw(registry, vmo, (struct vmo_range){0, 1}, &view);
    if (status != VMO_OK) {
        return status;
    }
    vmo_view_data_rw(registry, view)[0] ^= 1;
    status = vmo_unmap(registry, view);
    return status == VMO_OK ? __real_vmo_seal(registry, vmo, strength) : status;
}
