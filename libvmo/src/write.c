/* SPDX-License-Identifier: Apache-2.0 */
/* Copies into a VMO; counts each (R2, R9). */
#include "bytes.h"

vmo_status vmo_write(struct vmo_registry *registry, vmo_t vmo, struct vmo_range range, const void *from)
{
    struct vmo_ref ref;

    if (!registry_lookup(registry, vmo, &ref)) {
        return VMO_ERR_BAD_HANDLE;
    }
    if (ref.object->read_only) {
        return VMO_ERR_SEALED;
    }
    if (!(ref.handle->rights & VMO_RIGHT_WRITE)) {
        return VMO_ERR_RIGHTS;
    }
    vmo_status status = bytes_check(ref.object, range, from);
    if (status != VMO_OK || range.len_bytes == 0) {
        return status;
    }
    status = be_write(&ref.object->be, range, from);
    if (status == VMO_OK) {
        registry->counters.copies++;
    }
    return status;
}
