/* SPDX-License-Identifier: Apache-2.0 */
/* Seals: what they forbid, and who enforces them (R7). */
#include "registry.h"

static vmo_status check_seal(const struct vmo_ref *ref, vmo_seal_strength strength)
{
    const struct object *object = ref->object;

    if (strength != VMO_SEAL_PEERS && strength != VMO_SEAL_FOREVER) {
        return VMO_ERR_INVALID;
    }
    if (object->backing != BACKED_BY_KERNEL) {
        return VMO_ERR_UNSUPPORTED; /* wrapped memory */
    }
    if (object->received) {
        return VMO_ERR_RIGHTS;
    }
    if ((unsigned)strength <= object->seal) {
        return (unsigned)strength == object->seal ? VMO_OK : VMO_ERR_SEALED;
    }
    if (!(ref->handle->rights & VMO_RIGHT_WRITE)) {
        return VMO_ERR_RIGHTS;
    }
    if (object->sent_writable || (strength == VMO_SEAL_FOREVER && object->views)) {
        return VMO_ERR_BUSY;
    }
    return VMO_OK;
}

/* Seals. The backend may take over the mapping through which the creator writes, unless unused mappings are
 * limited: then memory without a view must fault. */
static vmo_status seal(struct vmo_registry *registry, struct object *object, vmo_seal_strength strength)
{
    struct mapping *whole = registry->make_keepable == NULL ? mapping_of_whole(object) : NULL;
    const uint64_t kept = be_kept_bytes(&object->be);
    vmo_enforcer by = VMO_BY_NOBODY;
    const vmo_status status = be_seal(&object->be, strength, whole != NULL ? whole->at : NULL, &by);

    registry_count_kept(registry, kept, &object->be);
    if (status != VMO_OK) {
        return status;
    }
    if (BE_KEEPS_MAPPINGS && whole != NULL && be_kept_at(&object->be) == whole->at) {
        mapping_lend(registry, whole);
    }
    object->seal = (uint8_t)strength;
    object->enforcer = (uint8_t)by;
    return VMO_OK;
}

vmo_status vmo_seal(struct vmo_registry *registry, vmo_t vmo, vmo_seal_strength strength)
{
    struct vmo_ref ref;

    if (!registry_lookup(registry, vmo, &ref)) {
        return VMO_ERR_BAD_HANDLE;
    }
    vmo_status status = check_seal(&ref, strength);
    if (status != VMO_OK || (unsigned)strength == ref.object->seal) {
        return status;
    }
    if (strength == VMO_SEAL_FOREVER) {
        /* First the step that may find no slot: then a refusal has dropped no mapping. */
        status = be_make_alias(&ref.object->be);
        if (status == VMO_OK || status == VMO_ERR_UNSUPPORTED) {
            status = mapping_drop_unused(registry, ref.object);
        }
    }
    return status == VMO_OK ? seal(registry, ref.object, strength) : status;
}
