/* SPDX-License-Identifier: Apache-2.0 */
#include "handover.h"

vmo_status vmo_accept(struct vmo_registry *registry, vmo_peer_t peer, const struct vmo_ticket *ticket,
                      vmo_t *out)
{
    struct be_object be = BE_NO_OBJECT;
    struct vmo_ref ref;
    struct peer *from = registry_peer(registry, peer);

    if (from == NULL) {
        return VMO_ERR_BAD_HANDLE;
    }
    if (ticket == NULL || out == NULL) {
        return VMO_ERR_INVALID;
    }
    vmo_status status = be_transfer_peek(&from->be, ticket->name, &be);
    if (status != VMO_OK) {
        return status;
    }
    const struct claim claim = {ticket->len_bytes, ticket->rights, ticket->seal};
    status = handover_import(registry, from, &claim, &be, &ref);
    if (status == VMO_OK) {
        *out = registry_vmo(registry, ref.handle);
        be_transfer_consume(&from->be, ticket->name);
    }
    return status;
}
