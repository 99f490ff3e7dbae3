/* SPDX-License-Identifier: Apache-2.0 */
#include "registry.h"

vmo_status vmo_dup(struct vmo_registry *registry, vmo_t vmo, uint32_t rights, vmo_t *out)
{
    struct vmo_ref ref;

    if (!registry_lookup(registry, vmo, &ref)) {
        return VMO_ERR_BAD_HANDLE;
    }
    if (out == NULL || !(rights & VMO_RIGHT_READ) || (rights & ~VMO_RIGHTS_ALL)) {
        return VMO_ERR_INVALID;
    }
    if (rights & ~registry_rights(&ref)) {
        return VMO_ERR_RIGHTS;
    }
    if (table_full(&registry->tables[TABLE_HANDLES])) {
        return VMO_ERR_TABLE_FULL;
    }
    *out = registry_vmo(registry, registry_add_handle(registry, ref.object, rights));
    return VMO_OK;
}
