/* SPDX-License-Identifier: Apache-2.0 */
/* A file of memory as a VMO (R5). */
#include "registry.h"

static bool options_hold(const struct vmo_import_options *options)
{
    uint32_t unknown = options->flags & ~VMO_IMPORT_RESIZABLE;

    for (unsigned i = 0; i < sizeof(options->reserved) / sizeof(options->reserved[0]); i++) {
        unknown |= options->reserved[i];
    }
    return unknown == 0 && options->seal <= VMO_SEAL_FOREVER &&
           (options->rights == 0 || options->rights == VMO_RIGHT_READ || options->rights == VMO_RIGHTS_ALL);
}

static vmo_status enter(struct vmo_registry *registry, const struct be_imported *found, uint32_t rights,
                        vmo_t *out)
{
    uint64_t size_bytes = 0;

    vmo_status status = registry_size(registry, found->len_bytes, &size_bytes);
    if (found->local) {
        size_bytes = 0;
    }
    if (status == VMO_OK) {
        status = registry_check_capacity(registry, size_bytes);
    }
    if (status != VMO_OK) {
        return status;
    }
    const struct vmo_ref ref = registry_enter(registry, &found->object, found->len_bytes, size_bytes, rights);
    ref.object->received = true;
    ref.object->backing = found->local ? BACKED_BY_FILE : BACKED_BY_KERNEL;
    ref.object->seal = (uint8_t)found->seal;
    ref.object->enforcer = found->seal != VMO_SEAL_NONE ? VMO_BY_KERNEL : VMO_BY_NOBODY;
    ref.object->page_shift = found->page_shift;
    *out = registry_vmo(registry, ref.handle);
    registry->counters.bulk_bytes += size_bytes;
    return VMO_OK;
}

vmo_status vmo_import_fd(struct vmo_registry *registry, int fd, const struct vmo_import_options *options,
                         vmo_t *out)
{
    struct vmo_import_options wanted = {.rights = VMO_RIGHT_READ};
    struct be_imported found;

    if (options != NULL) {
        wanted = *options;
        wanted.rights |= VMO_RIGHT_READ;
    }
    if (registry == NULL || out == NULL || (options != NULL && !options_hold(options))) {
        return VMO_ERR_INVALID;
    }
    vmo_status status = registry_check_capacity(registry, 0);
    if (status == VMO_OK) {
        status = be_import_fd(fd, &wanted, &found);
    }
    if (status != VMO_OK) {
        return status;
    }
    status = enter(registry, &found, wanted.rights, out);
    if (status != VMO_OK) {
        const vmo_status closed = be_close(&found.object);
        return closed == VMO_OK ? status : closed;
    }
    return VMO_OK;
}
