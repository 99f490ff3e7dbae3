/* SPDX-License-Identifier: Apache-2.0 */
/* Giving memory back to the kernel (R11). */
#include "held.h"

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
        const uint64_t kept = registry_kept_bytes(ref.object);
        status = be_destroy(&ref.object->be);
        registry_count_kept(registry, kept, ref.object);
        if (status == VMO_ERR_STILL_MAPPED && child_not_reaped(registry)) {
            status = VMO_ERR_NOT_REAPED;
        }
    }
    if (status == VMO_OK) {
        if (BE_KNOWS_OBJECTS) {
            held_remove(registry, ref.object);
        }
        registry_remove(registry, &ref);
    }
    return status;
}
