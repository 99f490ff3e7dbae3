/* SPDX-License-Identifier: Apache-2.0 */
/* Peers, and which of them may get a VMO (R6). */
#include "registry.h"

uint64_t vmo_now_ns(const struct vmo_registry *registry)
{
    (void)registry;
    return be_now_ns();
}

vmo_status registry_enter_peer(struct vmo_registry *registry, vmo_status made, const struct be_peer *be,
                               vmo_peer_t *out)
{
    if (made == VMO_OK) {
        struct peer *peer = table_take(&registry->tables[TABLE_PEERS]);
        peer->allowed = false;
        peer->required_seal = VMO_SEAL_NONE;
        peer->be = *be;
        *out = (vmo_peer_t){table_id(&peer->entry), registry->serial};
    }
    return made;
}

vmo_status vmo_peer_parent(struct vmo_registry *registry, vmo_peer_t *out)
{
    struct be_peer be;

    if (registry == NULL || out == NULL) {
        return VMO_ERR_INVALID;
    }
    if (table_full(&registry->tables[TABLE_PEERS])) {
        return VMO_ERR_TABLE_FULL;
    }
    const vmo_status made = be_parent(&be);
    return registry_enter_peer(registry, made, &be, out);
}

vmo_status vmo_peer_allow(struct vmo_registry *registry, vmo_peer_t peer)
{
    struct peer *found = registry_peer(registry, peer);

    if (found == NULL) {
        return VMO_ERR_BAD_HANDLE;
    }
    found->allowed = true;
    return VMO_OK;
}

vmo_status vmo_peer_close(struct vmo_registry *registry, vmo_peer_t peer)
{
    struct peer *found = registry_peer(registry, peer);

    if (found == NULL) {
        return VMO_ERR_BAD_HANDLE;
    }
    const vmo_status status = be_peer_close(&found->be);
    if (status == VMO_OK) {
        table_give(&registry->tables[TABLE_PEERS], &found->entry);
    }
    return status;
}
