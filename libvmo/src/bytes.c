/* SPDX-License-Identifier: Apache-2.0 */
/* Copies into and out of a VMO; counts each (R2, R9). */
#include "registry.h"
#include "sizes.h"

#define COPY_BYTES_MAX (UINT64_C(1) << 31)

static vmo_status check_copy(const struct object *object, struct vmo_range range, const void *memory)
{
    if (!range_within(range, object->len_bytes)) {
        return VMO_ERR_BOUNDS;
    }
    if (range.len_bytes > COPY_BYTES_MAX) {
        return VMO_ERR_TOO_LARGE;
    }
    if (range.len_bytes && (memory == NULL || !be_is_user(memory, range.len_bytes))) {
        return VMO_ERR_INVALID;
    }
    return VMO_OK;
}

vmo_status vmo_write(struct vmo_registry *registry, vmo_t vmo, struct vmo_range range, const void *from)
{
    struct vmo_ref ref;

    if (!registry_lookup(registry, vmo, &ref)) {
        return VMO_ERR_BAD_HANDLE;
    }
    if (ref.object->seal == VMO_SEAL_FOREVER) {
        return VMO_ERR_SEALED;
    }
    if (!(ref.handle->rights & VMO_RIGHT_WRITE)) {
        return VMO_ERR_RIGHTS;
    }
    vmo_status status = check_copy(ref.object, range, from);
    if (status != VMO_OK || range.len_bytes == 0) {
        return status;
    }
    status = be_write(&ref.object->be, range, from);
    if (status == VMO_OK) {
        registry->counters.copy_fallbacks++;
    }
    return status;
}

/* Reads through a mapping, for a kernel without a read call. The mapping is kept like any other. */
static vmo_status read_through_mapping(struct vmo_registry *registry, struct object *object,
                                       struct vmo_range range, void *to)
{
    struct mapping *mapping = NULL;
    uint64_t start = 0;
    const vmo_status status = mapping_get(registry, object, range, false, &mapping, &start);

    if (status != VMO_OK) {
        return status;
    }
    const vmo_status copied = be_copy(to, mapping->at + start, range.len_bytes);
    const vmo_status put = mapping_put(registry, mapping);
    return copied == VMO_OK ? put : copied;
}

static vmo_status read_bytes(struct vmo_registry *registry, struct object *object, struct vmo_range range,
                             void *to)
{
    if (object->backing == BACKED_BY_BYTES) {
        return be_copy(to, object->bytes + range.off_bytes, range.len_bytes);
    }
    /* The sum cannot overflow: a wrapped range lay within its file. */
    const struct vmo_range whole = {object->base + range.off_bytes, range.len_bytes};
    const vmo_status status = be_read(&object->be, whole, to);
    return status == VMO_ERR_UNSUPPORTED ? read_through_mapping(registry, object, range, to) : status;
}

vmo_status vmo_read(struct vmo_registry *registry, vmo_t vmo, struct vmo_range range, void *to)
{
    struct vmo_ref ref;

    if (!registry_lookup(registry, vmo, &ref)) {
        return VMO_ERR_BAD_HANDLE;
    }
    vmo_status status = check_copy(ref.object, range, to);
    if (status != VMO_OK || range.len_bytes == 0) {
        return status;
    }
    status = read_bytes(registry, ref.object, range, to);
    if (status == VMO_OK) {
        registry->counters.copy_fallbacks++;
    }
    return status;
}

/* Copies into a new VMO, through a view. A failed copy counts no view. */
static vmo_status fill_copy(struct vmo_registry *registry, const struct vmo_ref *from, vmo_t copy)
{
    const struct vmo_range whole = {0, from->object->len_bytes};
    vmo_view_t view = {0};

    vmo_status status = vmo_map_rw(registry, copy, whole, &view);
    if (status != VMO_OK) {
        return status;
    }
    status = read_bytes(registry, from->object, whole, vmo_view_data_rw(registry, view));
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
    registry->counters.copy_fallbacks++;
    *out = copy;
    return VMO_OK;
}
