/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for many peers (R13). */
#include "registry.h"

vmo_status vmo_poll(struct vmo_registry *registry, struct vmo_polled *peers, uint32_t count,
                    uint64_t deadline_ns)
{
    struct be_polled all[VMO_POLL_MAX];

    if (registry == NULL || peers == NULL || count == 0) {
        return VMO_ERR_INVALID;
    }
    if (count > VMO_POLL_MAX) {
        return VMO_ERR_TOO_LARGE;
    }
    if (!be_is_user(peers, count * sizeof(*peers))) {
        return VMO_ERR_INVALID;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct peer *peer = registry_peer(registry, peers[i].peer);
        if (peer == NULL) {
            return VMO_ERR_BAD_HANDLE;
        }
        if (peers[i].wanted & ~(VMO_POLL_MESSAGE | VMO_POLL_ROOM)) {
            return VMO_ERR_INVALID;
        }
        all[i] = (struct be_polled){&peer->be, peers[i].wanted, 0};
    }
    const vmo_status status = be_poll(all, count, deadline_ns);
    for (uint32_t i = 0; status == VMO_OK && i < count; i++) {
        peers[i].found = all[i].found;
    }
    return status;
}
