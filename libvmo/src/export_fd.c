/* SPDX-License-Identifier: Apache-2.0 */
/* A descriptor of a VMO (R6). */
#include "handover.h"

vmo_status vmo_export_fd(struct vmo_registry *registry, vmo_t vmo, uint32_t rights, int *fd)
{
    struct vmo_ref ref;

    if (!registry_lookup(registry, vmo, &ref)) {
        return VMO_ERR_BAD_HANDLE;
    }
    if (fd == NULL) {
        return VMO_ERR_INVALID;
    }
    const struct peer holder = {.allowed = true, .any_pages = true};
    vmo_status status = handover_prepare(&holder, &ref, rights);
    if (status == VMO_OK) {
        status = be_export_fd(&ref.object->be, rights & VMO_RIGHT_WRITE, fd);
    }
    if (status == VMO_OK) {
        handover_note(registry, ref.object, rights);
    }
    return status;
}
