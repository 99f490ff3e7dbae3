/* SPDX-License-Identifier: Apache-2.0 */
/* This kernel has no descriptors. */
#include "backend.h"

vmo_status be_import_fd(int fd, const struct vmo_import_options *wanted, struct be_imported *out)
{
    (void)fd, (void)wanted, (void)out;
    return VMO_ERR_UNSUPPORTED;
}

vmo_status be_export_fd(struct be_object *object, bool writable, int *fd)
{
    (void)object, (void)writable, (void)fd;
    return VMO_ERR_UNSUPPORTED;
}
