/* SPDX-License-Identifier: Apache-2.0 */
/* Seals: what they forbid, and who enforces them (R7). */
#include "registry.h"

/* What a seal asks for. */
struct wish {
    vmo_seal_strength strength;
    bool read_only; /* no handle is to write */
};

static bool is_sealed(const struct object *object, const struct wish *wish)
{
    return (unsigned)wish->strength == object->seal && (object->read_only || !wish->read_only);
}

static vmo_status check_seal(const struct vmo_ref *ref, const struct wish *wish)
{
    const struct object *object = ref->object;

    if (wish->strength != VMO_SEAL_PEERS && wish->strength != VMO_SEAL_FOREVER) {
        return VMO_ERR_INVALID;
    }
    if (object->backing != BACKED_BY_KERNEL) {
        return VMO_ERR_UNSUPPORTED; /* wrapped memory */
    }
    if (object->received) {
        return VMO_ERR_RIGHTS;
    }
    if ((unsigned)wish->strength < object->seal) {
        return VMO_ERR_SEALED;
    }
    if (is_sealed(object, wish)) {
        return VMO_OK;
    }
    if (!(ref->handle->rights & VMO_RIGHT_WRITE)) {
        return VMO_ERR_RIGHTS;
    }
    if (object->sent_writable || (wish->read_only && object->views)) {
        return VMO_ERR_BUSY;
    }
    return VMO_OK;
}

/* Asks the backend. It may take over the mapping through which the creator writes, unless unused mappings are
 * limited: then memory without a view must fault. */
static vmo_status seal(struct vmo_registry *registry, struct object *object, const struct wish *wish)
{
    struct mapping *whole = registry->make_keepable == NULL ? mapping_of_whole(object) : NULL;
    const uint64_t kept = registry_kept_bytes(object);
    vmo_enforcer by = VMO_BY_NOBODY;
    const struct be_writer writer = {wish->read_only, whole != NULL ? whole->at : NULL};
    const vmo_status status = be_seal(&object->be, wish->strength, &writer, &by);

    registry_count_kept(registry, kept, object);
    if (status != VMO_OK) {
        return status;
    }
    if (BE_KEEPS_MAPPINGS && whole != NULL && be_kept_at(&object->be) == whole->at) {
        mapping_lend(registry, whole);
    }
    object->seal = (uint8_t)wish->strength;
    object->enforcer = (uint8_t)by;
    object->read_only = wish->read_only;
    return VMO_OK;
}

vmo_status vmo_seal_with(struct vmo_registry *registry, vmo_t vmo, vmo_seal_strength strength,
                         uint32_t options)
{
    const struct wish wish = {strength, strength == VMO_SEAL_FOREVER || (options & VMO_SEAL_NO_WRITER)};
    struct vmo_ref ref;

    if (!registry_lookup(registry, vmo, &ref)) {
        return VMO_ERR_BAD_HANDLE;
    }
    vmo_status status = (options & ~VMO_SEAL_NO_WRITER) != 0 ? VMO_ERR_INVALID : check_seal(&ref, &wish);
    if (status != VMO_OK || is_sealed(ref.object, &wish)) {
        return status;
    }
    if (wish.read_only) {
        /* First the step that may find no slot: then a refusal has dropped no mapping. */
        status = be_make_alias(&ref.object->be);
        if (status == VMO_OK || status == VMO_ERR_UNSUPPORTED) {
            status = mapping_drop_unused(registry, ref.object);
        }
    }
    return status == VMO_OK ? seal(registry, ref.object, &wish) : status;
}

vmo_status vmo_seal(struct vmo_registry *registry, vmo_t vmo, vmo_seal_strength strength)
{
    return vmo_seal_with(registry, vmo, strength, 0);
}
