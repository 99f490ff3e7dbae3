/* SPDX-License-Identifier: Apache-2.0 */
#include "held.h"

static bool claim_holds(const struct claim *claim)
{
    return (claim->rights == VMO_RIGHT_READ || claim->rights == VMO_RIGHTS_ALL) &&
           claim->seal <= VMO_SEAL_FOREVER &&
           (claim->seal == VMO_SEAL_NONE || claim->rights == VMO_RIGHT_READ) && claim->len_bytes;
}

/* Keeps the mapping that be_verify made, or unmaps it if views use every mapping: a later view then makes its
 * own. */
static vmo_status keep_mapping(struct vmo_registry *registry, struct object *object, void *at)
{
    if (at == NULL) {
        return VMO_OK;
    }
    const vmo_status status = mapping_adopt(registry, object, at);
    if (status == VMO_OK) {
        return VMO_OK;
    }
    const vmo_status undone = be_unmap(at, object->size_bytes);
    return status == VMO_ERR_TABLE_FULL ? undone : status;
}

vmo_status handover_import(struct vmo_registry *registry, const struct peer *from, const struct claim *claim,
                           struct be_object *be, struct vmo_ref *out)
{
    const uint64_t total_max = registry->limits.total_bytes_max;
    uint64_t size_bytes = 0;
    struct be_verified found;

    if (!claim_holds(claim)) {
        return VMO_ERR_PROTOCOL;
    }
    if (claim->seal < from->required_seal) {
        return VMO_ERR_NOT_SEALED;
    }
    vmo_status status = registry_size(registry, claim->len_bytes, &size_bytes);
    if (status == VMO_OK && total_max && size_bytes > total_max) {
        status = VMO_ERR_TOO_LARGE; /* even for an empty registry */
    }
    if (BE_KNOWS_OBJECTS && status == VMO_OK) {
        status = held_import(registry, from, claim, size_bytes, be, out);
        if (status != VMO_OK || out->object != NULL) {
            return status;
        }
    }
    if (status == VMO_OK) {
        status = registry_check_capacity(registry, size_bytes);
    }
    if (status == VMO_OK) {
        status = be_verify(be, size_bytes, (vmo_seal_strength)claim->seal, &found, &registry->counters);
    }
    if (status != VMO_OK) {
        return status;
    }
    const struct vmo_ref ref = registry_enter(registry, be, claim->len_bytes, size_bytes,
                                              be->owner == BE_NONE ? VMO_RIGHT_READ : claim->rights);
    ref.object->received = true;
    ref.object->seal = (uint8_t)claim->seal;
    ref.object->enforcer = (uint8_t)found.by;
    ref.object->read_only = claim->seal == VMO_SEAL_FOREVER;
    ref.object->sender = BE_KNOWS_OBJECTS ? table_id(&from->entry) : 0;
    status = keep_mapping(registry, ref.object, found.at);
    if (status != VMO_OK) {
        registry_remove(registry, &ref);
        return status;
    }
    if (BE_KNOWS_OBJECTS) {
        held_add(registry, ref.object);
    }
    *out = ref;
    registry->counters.bulk_bytes += size_bytes;
    return VMO_OK;
}

vmo_status handover_undo(struct vmo_registry *registry, const struct vmo_ref *ref, const struct be_object *be)
{
    registry->counters.bulk_bytes -= ref->object->size_bytes;
    if (BE_KNOWS_OBJECTS && ref->object->handles > 1) { /* it was held before */
        if (be->owner != BE_NONE) {
            ref->object->be.owner = BE_NONE;
        }
        registry_remove(registry, ref);
        return VMO_OK;
    }
    const vmo_status status = mapping_drop_unused(registry, ref->object);
    mapping_orphan(ref->object);
    if (BE_KNOWS_OBJECTS) {
        held_remove(registry, ref->object);
    }
    registry_remove(registry, ref);
    return status;
}
