/* SPDX-License-Identifier: Apache-2.0 */
#include "bytes.h"

vmo_status vmo_read(struct vmo_registry *registry, vmo_t vmo, struct vmo_range range, void *to)
{
    struct vmo_ref ref;

    if (!registry_lookup(registry, vmo, &ref)) {
        return VMO_ERR_BAD_HANDLE;
    }
    vmo_status status = bytes_check(ref.object, range, to);
    if (status != VMO_OK || range.len_bytes == 0) {
        return status;
    }
    status = bytes_read(registry, ref.object, range, to);
    if (status == VMO_OK) {
        registry->counters.copies++;
    }
    return status;
}
