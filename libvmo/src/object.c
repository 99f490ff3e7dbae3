/* SPDX-License-Identifier: Apache-2.0 */
/* Making a VMO, its length, and the end of a handle (R1, R11). */
#include "held.h"

/* Rounds the size up to huge pages. */
static vmo_status make_huge(const struct vmo_registry *registry, uint64_t *size_bytes, uint8_t *page_shift)
{
    const vmo_status status = be_huge_pages(page_shift);
    const uint64_t page = UINT64_C(1) << *page_shift;

    *size_bytes = (*size_bytes + page - 1) & ~(page - 1); /* an object is far below 2^64 */
    return status == VMO_OK && *size_bytes > registry->info.object_bytes_max ? VMO_ERR_TOO_LARGE : status;
}

vmo_status object_create(struct vmo_registry *registry, uint64_t len_bytes,
                         const struct vmo_create_options *options, vmo_t *out)
{
    struct be_object be;
    uint64_t size_bytes = 0;
    uint8_t page_shift = 0;

    if (registry == NULL || out == NULL) {
        return VMO_ERR_INVALID;
    }
    vmo_status status = registry_size(registry, len_bytes, &size_bytes);
    if (BE_HUGE_PAGES && status == VMO_OK && options != NULL && (options->flags & VMO_CREATE_HUGE)) {
        status = make_huge(registry, &size_bytes, &page_shift);
    }
    if (status == VMO_OK) {
        status = registry_check_capacity(registry, size_bytes);
    }
    if (status == VMO_OK) {
        status = be_create(size_bytes, options, &be);
    }
    if (status == VMO_OK) {
        const struct vmo_ref ref = registry_enter(registry, &be, len_bytes, size_bytes, VMO_RIGHTS_ALL);
        ref.object->page_shift = page_shift;
        *out = registry_vmo(registry, ref.handle);
    }
    return status;
}

vmo_status vmo_create(struct vmo_registry *registry, uint64_t len_bytes, vmo_t *out)
{
    return object_create(registry, len_bytes, NULL, out);
}

vmo_status vmo_len(const struct vmo_registry *registry, vmo_t vmo, uint64_t *len_bytes)
{
    struct vmo_ref ref;

    if (!registry_lookup(registry, vmo, &ref)) {
        return VMO_ERR_BAD_HANDLE;
    }
    if (len_bytes == NULL) {
        return VMO_ERR_INVALID;
    }
    *len_bytes = ref.object->len_bytes;
    return VMO_OK;
}

/* Closes the capabilities of an object. The mapping that the backend keeps stays if a view uses it. */
static vmo_status close_capabilities(struct vmo_registry *registry, struct object *object)
{
    const uint64_t kept = registry_kept_bytes(object);
    struct mapping *used = BE_KEEPS_MAPPINGS && object->views ? mapping_take_back(registry, object) : NULL;
    const vmo_status status = be_close(&object->be);

    if (BE_KEEPS_MAPPINGS && status != VMO_OK && used != NULL) {
        mapping_lend(registry, used);
    }
    registry_count_kept(registry, kept, object);
    return status;
}

vmo_status vmo_close(struct vmo_registry *registry, vmo_t vmo)
{
    struct vmo_ref ref;

    if (!registry_lookup(registry, vmo, &ref)) {
        return VMO_ERR_BAD_HANDLE;
    }
    if (ref.object->handles == 1) {
        vmo_status status = mapping_drop_unused(registry, ref.object);
        if (status == VMO_OK) {
            status = close_capabilities(registry, ref.object);
        }
        if (status != VMO_OK) {
            return status;
        }
        mapping_orphan(ref.object);
        if (BE_KNOWS_OBJECTS) {
            held_remove(registry, ref.object);
        }
    }
    registry_remove(registry, &ref);
    return VMO_OK;
}
