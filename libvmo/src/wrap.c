/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of the caller as a VMO (R5). */
#include "registry.h"
#include "sizes.h"

vmo_status vmo_wrap_bytes(struct vmo_registry *registry, const void *bytes, uint64_t len_bytes, vmo_t *out)
{
    uint64_t end = 0;

    if (registry == NULL || bytes == NULL || out == NULL) {
        return VMO_ERR_INVALID;
    }
    if (len_bytes == 0) {
        return VMO_ERR_ZERO_LENGTH;
    }
    if (!checked_add((uint64_t)(uintptr_t)bytes, len_bytes, &end)) {
        return VMO_ERR_BOUNDS;
    }
    if (!be_is_user(bytes, len_bytes)) {
        return VMO_ERR_INVALID;
    }
    const vmo_status status = registry_check_capacity(registry, 0);
    if (status == VMO_OK) {
        const struct vmo_ref ref = registry_enter(registry, &BE_NO_OBJECT, len_bytes, 0, VMO_RIGHT_READ);
        ref.object->backing = BACKED_BY_BYTES;
        ref.object->bytes = bytes;
        *out = registry_vmo(registry, ref.handle);
    }
    return status;
}
