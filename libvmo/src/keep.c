/* SPDX-License-Identifier: Apache-2.0 */
/* How much stays mapped without a view (R9). */
#include "registry.h"

static vmo_status trim(struct vmo_registry *registry, uint32_t entries, uint64_t bytes)
{
    if (!registry_is_live(registry)) {
        return VMO_ERR_INVALID;
    }
    return registry->info.can_unmap ? mapping_trim(registry, entries, bytes) : VMO_ERR_UNSUPPORTED;
}

vmo_status vmo_trim(struct vmo_registry *registry)
{
    return trim(registry, 0, 0);
}

vmo_status vmo_keep_limits(struct vmo_registry *registry, uint32_t entries, uint64_t bytes)
{
    const vmo_status status = trim(registry, entries, bytes);

    if (status == VMO_OK) {
        registry->keep_entries = entries;
        registry->keep_bytes = bytes;
    }
    return status;
}
