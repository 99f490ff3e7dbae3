/* SPDX-License-Identifier: Apache-2.0 */
/* Copies into a view, by what the caller says about its reader; counts each (R2, R9). */
#include <string.h>

#include "registry.h"
#include "sizes.h"

vmo_status vmo_copy_in(struct vmo_registry *registry, vmo_view_t view, struct vmo_range range,
                       const void *from, vmo_reader reader)
{
    uint8_t *to = vmo_view_data_rw(registry, view);

    if (to == NULL) {
        return registry_view(registry, view) != NULL ? VMO_ERR_RIGHTS : VMO_ERR_BAD_HANDLE;
    }
    if (reader != VMO_READER_NEAR && reader != VMO_READER_FAR) {
        return VMO_ERR_INVALID;
    }
    if (!range_within(range, vmo_view_len(registry, view))) {
        return VMO_ERR_BOUNDS;
    }
    if (range.len_bytes == 0) {
        return VMO_OK;
    }
    if (from == NULL || !be_is_user(from, range.len_bytes)) {
        return VMO_ERR_INVALID;
    }
    if (reader == VMO_READER_FAR) {
        be_copy_far(to + range.off_bytes, from, (size_t)range.len_bytes);
    } else {
        memmove(to + range.off_bytes, from, (size_t)range.len_bytes);
    }
    registry->counters.copies++;
    return VMO_OK;
}
