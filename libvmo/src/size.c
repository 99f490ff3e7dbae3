/* SPDX-License-Identifier: Apache-2.0 */
#include "registry.h"

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
