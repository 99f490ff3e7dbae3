/* SPDX-License-Identifier: Apache-2.0 */
/* The consumer maps the memory to write. */
#include "vmo/vmo.h"

vmo_status __wrap_vmo_map_ro(struct vmo_registry *registry, vmo_t vmo, struct vmo_range range,
                             vmo_view_t *out);

vmo_status __wrap_vmo_map_ro(struct vmo_registry *registry, vmo_t vmo, struct vmo_range range,
                             vmo_view_t *out)
{
    return vmo_map_rw(registry, vmo, range, out);
}
