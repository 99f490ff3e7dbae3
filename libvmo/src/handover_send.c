/* SPDX-License-Identifier: Apache-2.0 */
#include "held.h"

/* Checks, without a system call, whether the peer may get the object with these rights. */
static vmo_status check_grant(const struct peer *peer, const struct vmo_ref *ref, uint32_t rights)
{
    if (!(rights & VMO_RIGHT_READ) || (rights & ~VMO_RIGHTS_ALL)) {
        return VMO_ERR_INVALID;
    }
    if (!peer->allowed) {
        return VMO_ERR_NOT_AUTHORISED;
    }
    if (ref->object->backing != BACKED_BY_KERNEL) {
        return VMO_ERR_UNSUPPORTED; /* wrapped memory is local (R5) */
    }
    if (BE_HUGE_PAGES && ref->object->page_shift && !peer->any_pages) {
        return VMO_ERR_UNSUPPORTED; /* no receiver accepts them */
    }
    if ((rights & VMO_RIGHT_WRITE) && ref->object->seal != VMO_SEAL_NONE) {
        return VMO_ERR_SEALED;
    }
    return (rights & ~(uint32_t)ref->handle->rights) != 0 ? VMO_ERR_RIGHTS : VMO_OK;
}

vmo_status handover_prepare(const struct peer *peer, const struct vmo_ref *ref, uint32_t rights)
{
    vmo_status status = check_grant(peer, ref, rights);

    if (status == VMO_OK && !(rights & VMO_RIGHT_WRITE)) {
        status = be_make_alias(&ref->object->be);
        if (status == VMO_ERR_UNSUPPORTED) {
            status = VMO_OK;
        }
    }
    return status;
}

void handover_note(struct vmo_registry *registry, struct object *object, uint32_t rights)
{
    object->sent_writable = object->sent_writable || (rights & VMO_RIGHT_WRITE);
    registry->counters.bulk_bytes += object->size_bytes;
    if (BE_KNOWS_OBJECTS) {
        held_add(registry, object); /* a peer may send it back */
    }
}
