/* SPDX-License-Identifier: Apache-2.0 */
/* A new VMO with the same bytes (R2, R9). */
#include "bytes.h"

/* Copies into a new VMO, through a view. A failed copy counts no view. */
static vmo_status fill_copy(struct vmo_registry *registry, const struct vmo_ref *from, vmo_t copy)
{
    const struct vmo_range whole = {0, from->object->len_bytes};
    vmo_view_t view = {0};

    vmo_status status = vmo_map_rw(registry, copy, whole, &view);
    if (status != VMO_OK) {
        return status;
    }
    status = bytes_read(registry, from->object, whole, vmo_view_data_rw(registry, view));
    const vmo_status unmapped = vmo_unmap(registry, view);
    status = status == VMO_OK ? unmapped : status;
    registry->counters.map_misses -= status != VMO_OK;
    return status;
}

vmo_status vmo_copy(struct vmo_registry *registry, vmo_t vmo, vmo_t *out)
{
    struct vmo_ref ref;
    vmo_t copy = VMO_NONE;

    if (!registry_lookup(registry, vmo, &ref)) {
        return VMO_ERR_BAD_HANDLE;
    }
    if (out == NULL) {
        return VMO_ERR_INVALID;
    }
    vmo_status status = vmo_create(registry, ref.object->len_bytes, &copy);
    if (status != VMO_OK) {
        return status;
    }
    status = fill_copy(registry, &ref, copy);
    if (status != VMO_OK) {
        vmo_status undone = vmo_destroy(registry, copy);
        if (undone == VMO_ERR_UNSUPPORTED) {
            undone = vmo_close(registry, copy);
        }
        return undone == VMO_OK ? status : undone;
    }
    registry->counters.copies++;
    *out = copy;
    return VMO_OK;
}
