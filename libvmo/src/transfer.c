/* SPDX-License-Identifier: Apache-2.0 */
/* Hand-over without a message (R6, R13). */
#include "handover.h"

_Static_assert(sizeof(struct vmo_ticket) == 16, "a ticket is a message body");

vmo_status vmo_transfer(struct vmo_registry *registry, vmo_t vmo, vmo_peer_t peer, uint32_t rights,
                        struct vmo_ticket *out)
{
    struct vmo_ref ref;
    struct peer *to = registry_peer(registry, peer);
    uint32_t name = 0;

    if (to == NULL || !registry_lookup(registry, vmo, &ref)) {
        return VMO_ERR_BAD_HANDLE;
    }
    if (out == NULL) {
        return VMO_ERR_INVALID;
    }
    struct object *object = ref.object;
    vmo_status status = handover_prepare(to, &ref, rights);
    if (status == VMO_OK) {
        status = be_transfer(&object->be, rights & VMO_RIGHT_WRITE, &to->be, &name);
    }
    if (status != VMO_OK) {
        return status;
    }
    handover_note(registry, object, rights);
    *out = (struct vmo_ticket){
        .len_bytes = object->len_bytes, .name = name, .rights = (uint16_t)rights, .seal = object->seal};
    return VMO_OK;
}
