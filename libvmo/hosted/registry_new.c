/* SPDX-License-Identifier: Apache-2.0 */
/* Registries in allocated storage, for systems with a heap. */
#include <stdlib.h>

#include "vmo/vmo.h"

vmo_status vmo_registry_new(const struct vmo_limits *limits, struct vmo_registry **out)
{
    const size_t bytes = vmo_registry_bytes(limits);

    if (bytes == 0 || out == NULL) {
        return VMO_ERR_INVALID;
    }
    void *storage = malloc(bytes); /* not cleared: a large table costs what is used of it */
    if (storage == NULL) {
        return VMO_ERR_NO_MEMORY;
    }
    const vmo_status status = vmo_registry_init(storage, bytes, limits, out);
    if (status != VMO_OK) {
        free(storage);
    }
    return status;
}

vmo_status vmo_registry_free(struct vmo_registry *registry)
{
    const vmo_status status = vmo_registry_fini(registry);

    if (status == VMO_OK) {
        free(registry);
    }
    return status;
}
