/* SPDX-License-Identifier: Apache-2.0 */
/* Seals nothing, and claims the strongest seal. */
#include "vmo/vmo.h"

vmo_status __wrap_vmo_seal(struct vmo_registry *registry, vmo_t vmo, vmo_seal_strength strength);
vmo_status __wrap_vmo_seal_of(const struct vmo_registry *registry, vmo_t vmo, vmo_seal_strength *out);
vmo_status __wrap_vmo_seal_enforced_by(const struct vmo_registry *registry, vmo_t vmo, vmo_enforcer *out);

vmo_status __wrap_vmo_seal(struct vmo_registry *registry, vmo_t vmo, vmo_seal_strength strength)
{
    (void)registry, (void)vmo, (void)strength;
    return VMO_OK;
}

vmo_status __wrap_vmo_seal_of(const struct vmo_registry *registry, vmo_t vmo, vmo_seal_strength *out)
{
    (void)registry, (void)vmo;
    *out = VMO_SEAL_FOREVER;
    return VMO_OK;
}

vmo_status __wrap_vmo_seal_enforced_by(const struct vmo_registry *registry, vmo_t vmo, vmo_enforcer *out)
{
    (void)vmo;
    *out = vmo_platform(registry)[1] == '2' ? VMO_BY_KERNEL : VMO_BY_LIBRARY;
    return VMO_OK;
}
