/* SPDX-License-Identifier: Apache-2.0 */
/* Views: windows onto mappings, each with its own handle (R3, R4). */
#include "registry.h"
#include "sizes.h"

static vmo_status check_map(const struct vmo_ref *ref, struct vmo_range range, bool writable)
{
    if (writable && ref->object->read_only) {
        return VMO_ERR_SEALED;
    }
    if (!(ref->handle->rights & (writable ? VMO_RIGHT_WRITE : VMO_RIGHT_READ))) {
        return VMO_ERR_RIGHTS;
    }
    if (!range_within(range, ref->object->len_bytes)) {
        return VMO_ERR_BOUNDS;
    }
    return range.len_bytes ? VMO_OK : VMO_ERR_ZERO_LENGTH;
}

static vmo_status map(struct vmo_registry *registry, vmo_t vmo, struct vmo_range range, bool writable,
                      vmo_view_t *out)
{
    struct vmo_ref ref;
    struct mapping *mapping = NULL;
    uint64_t start = 0;

    if (!registry_lookup(registry, vmo, &ref)) {
        return VMO_ERR_BAD_HANDLE;
    }
    vmo_status status = out != NULL ? check_map(&ref, range, writable) : VMO_ERR_INVALID;
    if (status != VMO_OK) {
        return status;
    }
    if (table_full(&registry->tables[TABLE_VIEWS])) {
        return VMO_ERR_TABLE_FULL;
    }
    status = mapping_get(registry, ref.object, range, writable, &mapping, &start);
    if (status == VMO_OK) {
        *out = registry_enter_view(registry, mapping, (struct vmo_range){start, range.len_bytes});
    }
    return status;
}

vmo_status vmo_map_ro(struct vmo_registry *registry, vmo_t vmo, struct vmo_range range, vmo_view_t *out)
{
    return map(registry, vmo, range, false, out);
}

vmo_status vmo_map_rw(struct vmo_registry *registry, vmo_t vmo, struct vmo_range range, vmo_view_t *out)
{
    return map(registry, vmo, range, true, out);
}

vmo_status vmo_unmap(struct vmo_registry *registry, vmo_view_t view)
{
    struct view *found = registry_view(registry, view);

    if (found == NULL) {
        return VMO_ERR_BAD_HANDLE;
    }
    const vmo_status status = mapping_put(registry, found->mapping);
    if (status == VMO_OK) {
        table_give(&registry->tables[TABLE_VIEWS], &found->entry);
    }
    return status;
}

const uint8_t *vmo_view_data(const struct vmo_registry *registry, vmo_view_t view)
{
    const struct view *found = registry_view(registry, view);

    return found != NULL ? found->mapping->at + found->range.off_bytes : NULL;
}

uint8_t *vmo_view_data_rw(struct vmo_registry *registry, vmo_view_t view)
{
    const struct view *found = registry_view(registry, view);

    if (found == NULL || !found->mapping->writable) {
        return NULL;
    }
    return found->mapping->at + found->range.off_bytes;
}

uint64_t vmo_view_len(const struct vmo_registry *registry, vmo_view_t view)
{
    const struct view *found = registry_view(registry, view);

    return found != NULL ? found->range.len_bytes : 0;
}
