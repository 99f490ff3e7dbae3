/* SPDX-License-Identifier: Apache-2.0 */
#include "registry.h"

vmo_status vmo_rights(const struct vmo_registry *registry, vmo_t vmo, uint32_t *rights)
{
    struct vmo_ref ref;

    if (!registry_lookup(registry, vmo, &ref)) {
        return VMO_ERR_BAD_HANDLE;
    }
    if (rights == NULL) {
        return VMO_ERR_INVALID;
    }
    *rights = registry_rights(&ref);
    return VMO_OK;
}
