/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a VMO, its bytes and its seals (R1, R2, R7, R11). */
#include <string.h>

#include "registry.h"
#include "sizes.h"

#define COPY_BYTES_MAX (UINT64_C(1) << 31)

vmo_status vmo_create(struct vmo_registry *registry, uint64_t len_bytes, vmo_t *out)
{
    struct object value = {.rights = VMO_RIGHTS_ALL, .len_bytes = len_bytes};

    if (!registry || !out) {
        return VMO_ERR_INVALID;
    }
    vmo_status status = registry_room(registry, len_bytes, &value.size_bytes);
    if (status != VMO_OK) {
        return status;
    }
    status = be_create(value.size_bytes, &value.be);
    if (status != VMO_OK) {
        return status;
    }
    *out = registry_enter(registry, registry_free_object(registry), &value);
    return VMO_OK;
}

vmo_status vmo_len(const struct vmo_registry *registry, vmo_t vmo, uint64_t *len_bytes)
{
    const struct object *object = registry_object(registry, vmo);

    if (!object) {
        return VMO_ERR_BAD_HANDLE;
    }
    if (!len_bytes) {
        return VMO_ERR_INVALID;
    }
    *len_bytes = object->len_bytes;
    return VMO_OK;
}

vmo_status vmo_size(const struct vmo_registry *registry, vmo_t vmo, uint64_t *size_bytes)
{
    const struct object *object = registry_object(registry, vmo);

    if (!object) {
        return VMO_ERR_BAD_HANDLE;
    }
    if (!size_bytes) {
        return VMO_ERR_INVALID;
    }
    *size_bytes = object->size_bytes;
    return VMO_OK;
}

vmo_status vmo_rights(const struct vmo_registry *registry, vmo_t vmo, uint32_t *rights)
{
    const struct object *object = registry_object(registry, vmo);

    if (!object) {
        return VMO_ERR_BAD_HANDLE;
    }
    if (!rights) {
        return VMO_ERR_INVALID;
    }
    *rights = object->rights;
    return VMO_OK;
}

vmo_status vmo_close(struct vmo_registry *registry, vmo_t vmo)
{
    struct object *object = registry_object(registry, vmo);

    if (!object) {
        return VMO_ERR_BAD_HANDLE;
    }
    vmo_status status = mapping_drop_unused(registry, object);
    if (status != VMO_OK) {
        return status;
    }
    status = be_close(&object->be);
    if (status != VMO_OK) {
        return status;
    }
    mapping_orphan(registry, object);
    registry_remove(registry, object);
    return VMO_OK;
}

vmo_status vmo_destroy(struct vmo_registry *registry, vmo_t vmo)
{
    struct object *object = registry_object(registry, vmo);

    if (!object) {
        return VMO_ERR_BAD_HANDLE;
    }
    if (object->received) {
        return VMO_ERR_RIGHTS;
    }
    if (mapping_in_use(registry, object)) {
        return VMO_ERR_STILL_MAPPED;
    }
    if (object->sent_to ||
        object->sent_for_good) { /* K-29: the kernel does not count capabilities inside messages */
        return VMO_ERR_STILL_SHARED;
    }
    if (object->be.owner == BE_NONE) {
        return VMO_ERR_SEALED;
    }
    if (!registry->info.can_destroy) {
        return VMO_ERR_UNSUPPORTED;
    }
    vmo_status status = mapping_drop_unused(registry, object);
    if (status != VMO_OK) {
        return status;
    }
    status = be_destroy(&object->be);
    if (status != VMO_OK) {
        return status;
    }
    registry_remove(registry, object);
    return VMO_OK;
}

/* ---- Bytes -------------------------------------------------------------------------------------- */

static vmo_status check_copy(const struct object *object, struct vmo_range range, const void *memory)
{
    if (!range_within(range, object->len_bytes)) {
        return VMO_ERR_BOUNDS;
    }
    if (range.len_bytes > COPY_BYTES_MAX) {
        return VMO_ERR_TOO_LARGE;
    }
    return range.len_bytes && !memory ? VMO_ERR_INVALID : VMO_OK;
}

vmo_status vmo_write(struct vmo_registry *registry, vmo_t vmo, struct vmo_range range, const void *from)
{
    const struct object *object = registry_object(registry, vmo);

    if (!object) {
        return VMO_ERR_BAD_HANDLE;
    }
    if (object->seal == VMO_SEAL_FOREVER) {
        return VMO_ERR_SEALED;
    }
    if (!(object->rights & VMO_RIGHT_WRITE)) {
        return VMO_ERR_RIGHTS;
    }
    vmo_status status = check_copy(object, range, from);
    if (status != VMO_OK || range.len_bytes == 0) {
        return status;
    }
    status = be_write(&object->be, range, from);
    if (status == VMO_OK) {
        registry->counters.copy_fallbacks++;
    }
    return status;
}

/* Where the kernel has no read call: through a mapping, which is then kept like any other. */
static vmo_status read_through_mapping(struct vmo_registry *registry, vmo_t vmo, struct vmo_range range,
                                       void *to)
{
    vmo_view_t view = {0};
    const vmo_status status = vmo_map_ro(registry, vmo, range, &view);

    if (status != VMO_OK) {
        return status;
    }
    memcpy(to, vmo_view_data(registry, view), (size_t)range.len_bytes);
    return vmo_unmap(registry, view);
}

vmo_status vmo_read(struct vmo_registry *registry, vmo_t vmo, struct vmo_range range, void *to)
{
    const struct object *object = registry_object(registry, vmo);

    if (!object) {
        return VMO_ERR_BAD_HANDLE;
    }
    vmo_status status = check_copy(object, range, to);
    if (status != VMO_OK || range.len_bytes == 0) {
        return status;
    }
    status = object->be.owner == BE_NONE ? VMO_ERR_UNSUPPORTED : be_read(&object->be, range, to); /* K-28 */
    if (status == VMO_ERR_UNSUPPORTED) {
        status = read_through_mapping(registry, vmo, range, to);
    }
    if (status == VMO_OK) {
        registry->counters.copy_fallbacks++;
    }
    return status;
}

/* ---- Seals -------------------------------------------------------------------------------------- */

static vmo_status check_seal(const struct vmo_registry *registry, const struct object *object,
                             vmo_seal_strength strength)
{
    if (strength != VMO_SEAL_PEERS && strength != VMO_SEAL_FOREVER) {
        return VMO_ERR_INVALID;
    }
    if (object->received) {
        return VMO_ERR_RIGHTS;
    }
    if ((unsigned)strength < object->seal) {
        return VMO_ERR_SEALED;
    }
    if (object->sent_writable || (strength == VMO_SEAL_FOREVER && mapping_in_use(registry, object))) {
        return VMO_ERR_BUSY;
    }
    return VMO_OK;
}

/* The object can only be read from here on, by anybody. */
static vmo_status give_up_writing(struct vmo_registry *registry, struct object *object, vmo_enforcer by)
{
    vmo_status status = mapping_drop_unused(registry, object);

    if (status == VMO_OK && by == VMO_BY_KERNEL) {
        status = be_drop_owner(&object->be);
    }
    return status;
}

vmo_status vmo_seal(struct vmo_registry *registry, vmo_t vmo, vmo_seal_strength strength)
{
    struct object *object = registry_object(registry, vmo);

    if (!object) {
        return VMO_ERR_BAD_HANDLE;
    }
    vmo_status status = check_seal(registry, object, strength);
    if (status != VMO_OK || (unsigned)strength == object->seal) {
        return status;
    }
    status = be_make_alias(&object->be);
    if (status != VMO_OK && status != VMO_ERR_UNSUPPORTED) {
        return status;
    }
    const vmo_enforcer by = status == VMO_OK ? VMO_BY_KERNEL : VMO_BY_LIBRARY;
    if (strength == VMO_SEAL_FOREVER) {
        status = give_up_writing(registry, object, by);
        if (status != VMO_OK) {
            return status;
        }
        object->rights = VMO_RIGHT_READ;
    }
    object->seal = (uint8_t)strength;
    object->enforcer = (uint8_t)by;
    return VMO_OK;
}

vmo_status vmo_seal_of(const struct vmo_registry *registry, vmo_t vmo, vmo_seal_strength *strength)
{
    const struct object *object = registry_object(registry, vmo);

    if (!object) {
        return VMO_ERR_BAD_HANDLE;
    }
    if (!strength) {
        return VMO_ERR_INVALID;
    }
    *strength = (vmo_seal_strength)object->seal;
    return VMO_OK;
}

vmo_status vmo_seal_enforced_by(const struct vmo_registry *registry, vmo_t vmo, vmo_enforcer *by)
{
    const struct object *object = registry_object(registry, vmo);

    if (!object) {
        return VMO_ERR_BAD_HANDLE;
    }
    if (!by) {
        return VMO_ERR_INVALID;
    }
    *by = (vmo_enforcer)object->enforcer;
    return VMO_OK;
}
