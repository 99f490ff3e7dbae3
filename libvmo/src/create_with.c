/* SPDX-License-Identifier: Apache-2.0 */
/* Making a VMO with options (R1). */
#include "name.h"
#include "registry.h"

static bool options_hold(const struct vmo_create_options *options)
{
    uint32_t unknown = options->flags & ~(VMO_CREATE_PREFAULT | VMO_CREATE_HUGE);

    for (unsigned i = 0; i < sizeof(options->reserved) / sizeof(options->reserved[0]); i++) {
        unknown |= options->reserved[i];
    }
    return unknown == 0 && (options->name == NULL || name_holds(options->name));
}

vmo_status vmo_create_with(struct vmo_registry *registry, uint64_t len_bytes,
                           const struct vmo_create_options *options, vmo_t *out)
{
    if (options != NULL && !options_hold(options)) {
        return VMO_ERR_INVALID;
    }
    if (!BE_HUGE_PAGES && options != NULL && (options->flags & VMO_CREATE_HUGE)) {
        return registry != NULL && out != NULL ? VMO_ERR_UNSUPPORTED : VMO_ERR_INVALID;
    }
    return object_create(registry, len_bytes, options, out);
}
