/* SPDX-License-Identifier: Apache-2.0 */
#include "registry.h"

vmo_status vmo_seal_of(const struct vmo_registry *registry, vmo_t vmo, vmo_seal_strength *strength)
{
    struct vmo_ref ref;

    if (!registry_lookup(registry, vmo, &ref)) {
        return VMO_ERR_BAD_HANDLE;
    }
    if (strength == NULL) {
        return VMO_ERR_INVALID;
    }
    *strength = (vmo_seal_strength)ref.object->seal;
    return VMO_OK;
}

vmo_status vmo_seal_enforced_by(const struct vmo_registry *registry, vmo_t vmo, vmo_enforcer *by)
{
    struct vmo_ref ref;

    if (!registry_lookup(registry, vmo, &ref)) {
        return VMO_ERR_BAD_HANDLE;
    }
    if (by == NULL) {
        return VMO_ERR_INVALID;
    }
    *by = (vmo_enforcer)ref.object->enforcer;
    return VMO_OK;
}
