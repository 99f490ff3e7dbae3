/* SPDX-License-Identifier: Apache-2.0 */
/* A new VMO with the same bytes (R2, R9). */
#include "bytes.h"

/* Copies through a view, for a kernel that cannot copy by itself. A failed copy counts no view. */
static vmo_status fill_through_view(struct vmo_registry *registry, struct object *from, vmo_t copy)
{
    const struct vmo_range whole = {0, from->len_bytes};
    vmo_view_t view = {0};

    vmo_status status = vmo_map_rw(registry, copy, whole, &view);
    if (status != VMO_OK) {
        return status;
    }
    status = bytes_read(registry, from, whole, vmo_view_data_rw(registry, view));
    const vmo_status unmapped = vmo_unmap(registry, view);
    status = status == VMO_OK ? unmapped : status;
    registry->counters.map_misses -= status != VMO_OK;
    return status;
}

/* The kernel copies where it can: it needs no page fault for each fresh page, as a mapping does. */
static vmo_status fill_copy(struct vmo_registry *registry, struct object *from, vmo_t copy)
{
    const struct vmo_range range = {from->base, from->len_bytes};
    struct vmo_ref to;

    if (!registry_lookup(registry, copy, &to)) {
        return VMO_ERR_BACKEND;
    }
    if (from->backing == BACKED_BY_BYTES) {
        return be_write(&to.object->be, (struct vmo_range){0, from->len_bytes}, from->bytes);
    }
    const vmo_status status = be_copy_object(&to.object->be, &from->be, range);
    return status == VMO_ERR_UNSUPPORTED ? fill_through_view(registry, from, copy) : status;
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
    status = fill_copy(registry, ref.object, copy);
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
