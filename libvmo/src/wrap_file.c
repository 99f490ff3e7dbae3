/* SPDX-License-Identifier: Apache-2.0 */
/* Pages of a file as a VMO (R5). */
#include "registry.h"

vmo_status vmo_wrap_file(struct vmo_registry *registry, int file, struct vmo_range range, vmo_t *out)
{
    struct be_object be;

    if (registry == NULL || out == NULL) {
        return VMO_ERR_INVALID;
    }
    if (range.len_bytes == 0) {
        return VMO_ERR_ZERO_LENGTH;
    }
    vmo_status status = registry_check_capacity(registry, 0);
    if (status == VMO_OK) {
        status = be_wrap_file(file, range, &be);
    }
    if (status == VMO_OK) {
        const struct vmo_ref ref = registry_enter(registry, &be, range.len_bytes, 0, VMO_RIGHT_READ);
        ref.object->backing = BACKED_BY_FILE;
        ref.object->base = range.off_bytes;
        *out = registry_vmo(registry, ref.handle);
    }
    return status;
}
