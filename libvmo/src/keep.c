/* SPDX-License-Identifier: Apache-2.0 */
/* Limits on mappings that no view uses (R9). */
#include "registry.h"

/* Drops kept mappings, the longest unused first, until they are within these limits. */
static vmo_status trim_to(struct vmo_registry *registry, uint32_t entries, uint64_t bytes)
{
    vmo_status status = VMO_OK;

    while (status == VMO_OK && (registry->kept_entries > entries || registry->kept_bytes > bytes)) {
        status = mapping_evict(registry, VMO_ERR_BACKEND); /* cannot be BACKEND: a mapping is kept */
    }
    return status;
}

/* Makes room to keep one more mapping of this size. TABLE_FULL: the limits forbid to keep it at all. */
static vmo_status make_keepable(struct vmo_registry *registry, uint64_t bytes)
{
    return registry->keep_entries == 0 || bytes > registry->keep_bytes
               ? VMO_ERR_TABLE_FULL
               : trim_to(registry, registry->keep_entries - 1, registry->keep_bytes - bytes);
}

static vmo_status trim(struct vmo_registry *registry, uint32_t entries, uint64_t bytes)
{
    if (!registry_is_live(registry)) {
        return VMO_ERR_INVALID;
    }
    return registry->info.can_unmap ? trim_to(registry, entries, bytes) : VMO_ERR_UNSUPPORTED;
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
        registry->make_keepable = make_keepable;
    }
    return status;
}
