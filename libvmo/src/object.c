/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a VMO and of its handles (R1, R5, R11). */
#include "registry.h"
#include "sizes.h"

/* ---- Making ------------------------------------------------------------------------------------- */

vmo_status vmo_create(struct vmo_registry *registry, uint64_t len_bytes, vmo_t *out)
{
    struct object value = {.backing = BACKED_BY_KERNEL, .len_bytes = len_bytes};

    if (registry == NULL || out == NULL) {
        return VMO_ERR_INVALID;
    }
    vmo_status status = registry_size(registry, len_bytes, &value.size_bytes);
    if (status == VMO_OK) {
        status = registry_check_capacity(registry, value.size_bytes);
    }
    if (status == VMO_OK) {
        status = be_create(value.size_bytes, &value.be);
    }
    if (status == VMO_OK) {
        *out = registry_vmo(registry, registry_enter(registry, &value, VMO_RIGHTS_ALL).handle);
    }
    return status;
}

vmo_status vmo_wrap_bytes(struct vmo_registry *registry, const void *bytes, uint64_t len_bytes, vmo_t *out)
{
    const struct object value = {
        .backing = BACKED_BY_BYTES, .be = BE_NO_OBJECT, .bytes = bytes, .len_bytes = len_bytes};
    uint64_t end = 0;

    if (registry == NULL || bytes == NULL || out == NULL) {
        return VMO_ERR_INVALID;
    }
    if (len_bytes == 0) {
        return VMO_ERR_ZERO_LENGTH;
    }
    if (!checked_add((uint64_t)(uintptr_t)bytes, len_bytes, &end)) {
        return VMO_ERR_BOUNDS;
    }
    if (!be_is_user(bytes, len_bytes)) {
        return VMO_ERR_INVALID;
    }
    const vmo_status status = registry_check_capacity(registry, 0);
    if (status == VMO_OK) {
        *out = registry_vmo(registry, registry_enter(registry, &value, VMO_RIGHT_READ).handle);
    }
    return status;
}

vmo_status vmo_wrap_file(struct vmo_registry *registry, int file, struct vmo_range range, vmo_t *out)
{
    struct object value = {.backing = BACKED_BY_FILE, .base = range.off_bytes, .len_bytes = range.len_bytes};

    if (registry == NULL || out == NULL) {
        return VMO_ERR_INVALID;
    }
    if (range.len_bytes == 0) {
        return VMO_ERR_ZERO_LENGTH;
    }
    vmo_status status = registry_check_capacity(registry, 0);
    if (status == VMO_OK) {
        status = be_wrap_file(file, range, &value.be);
    }
    if (status == VMO_OK) {
        *out = registry_vmo(registry, registry_enter(registry, &value, VMO_RIGHT_READ).handle);
    }
    return status;
}

vmo_status vmo_dup(struct vmo_registry *registry, vmo_t vmo, uint32_t rights, vmo_t *out)
{
    struct vmo_ref ref;

    if (!registry_lookup(registry, vmo, &ref)) {
        return VMO_ERR_BAD_HANDLE;
    }
    if (out == NULL || !(rights & VMO_RIGHT_READ) || (rights & ~VMO_RIGHTS_ALL)) {
        return VMO_ERR_INVALID;
    }
    if (rights & ~(uint32_t)ref.handle->rights) {
        return VMO_ERR_RIGHTS;
    }
    if (table_full(&registry->tables[TABLE_HANDLES])) {
        return VMO_ERR_TABLE_FULL;
    }
    *out = registry_vmo(registry, registry_add_handle(registry, ref.object, rights));
    return VMO_OK;
}

/* ---- Asking ------------------------------------------------------------------------------------- */

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

vmo_status vmo_size(const struct vmo_registry *registry, vmo_t vmo, uint64_t *size_bytes)
{
    struct vmo_ref ref;

    if (!registry_lookup(registry, vmo, &ref)) {
        return VMO_ERR_BAD_HANDLE;
    }
    if (size_bytes == NULL) {
        return VMO_ERR_INVALID;
    }
    *size_bytes = ref.object->size_bytes;
    return VMO_OK;
}

vmo_status vmo_rights(const struct vmo_registry *registry, vmo_t vmo, uint32_t *rights)
{
    struct vmo_ref ref;

    if (!registry_lookup(registry, vmo, &ref)) {
        return VMO_ERR_BAD_HANDLE;
    }
    if (rights == NULL) {
        return VMO_ERR_INVALID;
    }
    *rights = ref.object->seal == VMO_SEAL_FOREVER ? VMO_RIGHT_READ : ref.handle->rights;
    return VMO_OK;
}

/* ---- Giving up ---------------------------------------------------------------------------------- */

vmo_status vmo_close(struct vmo_registry *registry, vmo_t vmo)
{
    struct vmo_ref ref;

    if (!registry_lookup(registry, vmo, &ref)) {
        return VMO_ERR_BAD_HANDLE;
    }
    if (ref.object->handles == 1) {
        vmo_status status = mapping_drop_unused(registry, ref.object);
        if (status == VMO_OK) {
            const uint64_t kept = be_kept_bytes(&ref.object->be);
            status = be_close(&ref.object->be);
            registry_count_kept(registry, kept, &ref.object->be);
        }
        if (status != VMO_OK) {
            return status;
        }
        mapping_orphan(ref.object);
    }
    registry_remove(registry, &ref);
    return VMO_OK;
}

/* Refuses what can be refused without a system call. */
static vmo_status check_destroy(const struct vmo_ref *ref)
{
    const struct object *object = ref->object;

    if (object->backing != BACKED_BY_KERNEL) {
        return VMO_ERR_UNSUPPORTED; /* wrapped memory belongs to the caller */
    }
    if (object->received) {
        return VMO_ERR_RIGHTS;
    }
    if (object->be.owner == BE_NONE && object->be.alias != BE_NONE) {
        return VMO_ERR_SEALED;
    }
    if (object->seal != VMO_SEAL_FOREVER && !(ref->handle->rights & VMO_RIGHT_WRITE)) {
        return VMO_ERR_RIGHTS;
    }
    if (object->views) {
        return VMO_ERR_STILL_MAPPED;
    }
    return object->handles > 1 ? VMO_ERR_STILL_SHARED : be_check_destroy(&object->be);
}

/* True if a child has ended and was not waited for: its mappings still count (K-29). */
static bool child_not_reaped(const struct vmo_registry *registry)
{
    const struct table *peers = &registry->tables[TABLE_PEERS];

    for (uint32_t i = 0; i < peers->used; i++) {
        const struct peer *peer = table_at(peers, i);
        if (peer != NULL && be_peer_unreaped(&peer->be)) {
            return true;
        }
    }
    return false;
}

vmo_status vmo_destroy(struct vmo_registry *registry, vmo_t vmo)
{
    struct vmo_ref ref;

    if (!registry_lookup(registry, vmo, &ref)) {
        return VMO_ERR_BAD_HANDLE;
    }
    vmo_status status = check_destroy(&ref);
    if (status == VMO_OK) {
        status = mapping_drop_unused(registry, ref.object);
    }
    if (status == VMO_OK) {
        const uint64_t kept = be_kept_bytes(&ref.object->be);
        status = be_destroy(&ref.object->be);
        registry_count_kept(registry, kept, &ref.object->be);
        if (status == VMO_ERR_STILL_MAPPED && child_not_reaped(registry)) {
            status = VMO_ERR_NOT_REAPED;
        }
    }
    if (status == VMO_OK) {
        registry_remove(registry, &ref);
    }
    return status;
}
