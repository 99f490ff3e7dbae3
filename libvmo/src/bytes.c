/* SPDX-License-Identifier: Apache-2.0 */
#include "bytes.h"

#include "sizes.h"

#define COPY_BYTES_MAX (UINT64_C(1) << 31)

vmo_status bytes_check(const struct object *object, struct vmo_range range, const void *memory)
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

vmo_status bytes_read(struct vmo_registry *registry, struct object *object, struct vmo_range range, void *to)
{
    if (object->backing == BACKED_BY_BYTES) {
        return be_copy(to, object->bytes + range.off_bytes, range.len_bytes);
    }
    /* The sum cannot overflow: a wrapped range lay within its file. */
    const struct vmo_range whole = {object->base + range.off_bytes, range.len_bytes};
    const vmo_status status = be_read(&object->be, whole, to);
    return status == VMO_ERR_UNSUPPORTED ? read_through_mapping(registry, object, range, to) : status;
}
