/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps what it was lent, and writes a byte after its answer, when it has received the reply. */
#include "kept.h"

vmo_status __real_vmo_recv(struct vmo_registry *registry, vmo_peer_t peer, struct vmo_incoming *out,
                           uint64_t deadline_ns);
vmo_status __wrap_vmo_recv(struct vmo_registry *registry, vmo_peer_t peer, struct vmo_incoming *out,
                           uint64_t deadline_ns);

vmo_status __wrap_vmo_recv(struct vmo_registry *registry, vmo_peer_t peer, struct vmo_incoming *out,
                           uint64_t deadline_ns)
{
    const vmo_status status = __real_vmo_recv(registry, peer, out, deadline_ns);
    if (status != VMO_OK || out->tag != TAG_REPLY) {
        return status;
    }
    vmo_view_data_rw(registry, kept_view)[sizeof(uint64_t)] ^= 1;
    return give_back(registry);
}
