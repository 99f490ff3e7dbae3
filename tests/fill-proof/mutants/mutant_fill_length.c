/* SPDX-License-Identifier: Apache-2.0 */
/* Claims in the header a page more than the memory holds. */
#include <stddef.h>

#include "vmo/vmo.h"

vmo_status __real_vmo_unmap(struct vmo_registry *registry, vmo_view_t view);
vmo_status __wrap_vmo_unmap(struct vmo_registry *registry, vmo_view_t view);

vmo_status __wrap_vmo_unmap(struct vmo_registry *registry, vmo_view_t view)
{
    uint8_t *header = vmo_view_data_rw(registry, view);
    if (header != NULL) {
        header[sizeof(uint64_t) + 1] = (uint8_t)(header[sizeof(uint64_t) + 1] + 16);
    }
    return __real_vmo_unmap(registry, view);
}
