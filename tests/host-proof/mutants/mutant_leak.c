/* SPDX-License-Identifier: Apache-2.0 */
/* Leaks a descriptor and otherwise works. */
#include <unistd.h>

#include "vmo/vmo.h"

vmo_status __real_vmo_registry_fini(struct vmo_registry *registry);
vmo_status __wrap_vmo_registry_fini(struct vmo_registry *registry);

vmo_status __wrap_vmo_registry_fini(struct vmo_registry *registry)
{
    if (dup(STDERR_FILENO) < 0) {
        return VMO_ERR_NO_SLOTS;
    }
    return __real_vmo_registry_fini(registry);
}
