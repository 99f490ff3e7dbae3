/* SPDX-License-Identifier: Apache-2.0 */
/* For mutants of the producer that keep what they were lent: unmap and close do nothing for the writable view
 * and its VMO, until give_back. A mutant that includes this wraps vmo_unmap and vmo_close. */
#ifndef FILL_KEPT_H
#define FILL_KEPT_H

#include <stddef.h>
#include <stdint.h>

#include "vmo/channel.h"

#define TAG_ANSWER 5u
#define TAG_REPLY 1u

vmo_status __real_vmo_unmap(struct vmo_registry *registry, vmo_view_t view);
vmo_status __wrap_vmo_unmap(struct vmo_registry *registry, vmo_view_t view);
vmo_status __real_vmo_close(struct vmo_registry *registry, vmo_t vmo);
vmo_status __wrap_vmo_close(struct vmo_registry *registry, vmo_t vmo);

static vmo_view_t kept_view;
static vmo_t kept_vmo;

vmo_status __wrap_vmo_unmap(struct vmo_registry *registry, vmo_view_t view)
{
    if (kept_view.id == 0 && vmo_view_data_rw(registry, view) != NULL) {
        kept_view = view;
        return VMO_OK;
    }
    return __real_vmo_unmap(registry, view);
}

vmo_status __wrap_vmo_close(struct vmo_registry *registry, vmo_t vmo)
{
    if (kept_view.id != 0 && kept_vmo.id == 0) {
        kept_vmo = vmo;
        return VMO_OK;
    }
    return __real_vmo_close(registry, vmo);
}

static inline vmo_status give_back(struct vmo_registry *registry)
{
    const vmo_status status = __real_vmo_unmap(registry, kept_view);
    return status == VMO_OK ? __real_vmo_close(registry, kept_vmo) : status;
}

#endif
