/* SPDX-License-Identifier: Apache-2.0 */
#include "registry.h"
#include "sizes.h"

vmo_status vmo_slice(struct vmo_registry *registry, vmo_view_t view, struct vmo_range range, vmo_view_t *out)
{
    const struct view *whole = registry_view(registry, view);

    if (whole == NULL) {
        return VMO_ERR_BAD_HANDLE;
    }
    if (out == NULL) {
        return VMO_ERR_INVALID;
    }
    if (!range_within(range, whole->range.len_bytes)) {
        return VMO_ERR_BOUNDS;
    }
    if (range.len_bytes == 0) {
        return VMO_ERR_ZERO_LENGTH;
    }
    if (table_full(&registry->tables[TABLE_VIEWS])) {
        return VMO_ERR_TABLE_FULL;
    }
    mapping_share(whole->mapping);
    *out = registry_enter_view(registry, whole->mapping,
                               (struct vmo_range){whole->range.off_bytes + range.off_bytes, range.len_bytes});
    return VMO_OK;
}
