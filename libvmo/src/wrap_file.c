/* SPDX-License-Identifier: Apache-2.0 */
/* Pages of a file as a VMO (R5). */
#include "registry.h"

vmo_status vmo_wrap_file(struct vmo_registry *registry, int file, struct vmo_range range, vmo_t *out)
{
    struct object value = {.backing = BACKED_BY_FILE, .base = range.off_bytes, .len_bytes = range.len_bytes};

    if (registry == NULL || out == NULL) {
        return VMO_ERR_INVALID;
    }
    if (range.len_bytes == 0) {
        return VMO_ERR_ZERO_LENGTH;
    }
    vmo_status status = registry_check_capacity(registry, 0);
    if (status == VMO_OK) {
        status = be_wrap_file(file, range, &value.be);
    }
    if (status == VMO_OK) {
        *out = registry_vmo(registry, registry_enter(registry, &value, VMO_RIGHT_READ).handle);
    }
    return status;
}
