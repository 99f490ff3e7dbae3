/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of the caller as a VMO (R5). */
#include "registry.h"
#include "sizes.h"

vmo_status vmo_wrap_bytes(struct vmo_registry *registry, const void *bytes, uint64_t len_bytes, vmo_t *out)
{
    const struct object value = {
        .backing = BACKED_BY_BYTES, .be = BE_NO_OBJECT, .bytes = bytes, .len_bytes = len_bytes};
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
        *out = registry_vmo(registry, registry_enter(registry, &value, VMO_RIGHT_READ).handle);
    }
    return status;
}
