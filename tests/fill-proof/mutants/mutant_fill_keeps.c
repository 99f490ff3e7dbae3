/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps its capability and its mapping until it has received the reply. */
#include "kept.h"

vmo_status __real_vmo_recv(struct vmo_registry *registry, vmo_peer_t peer, struct vmo_incoming *out,
                           uint64_t deadline_ns);
vmo_status __wrap_vmo_recv(struct vmo_registry *registry, vmo_peer_t peer, struct vmo_incoming *out,
                           uint64_t deadline_ns);

vmo_status __wrap_vmo_recv(struct vmo_registry *registry, vmo_peer_t peer, struct vmo_incoming *out,
                           uint64_t deadline_ns)
{
    const vmo_status status = __real_vmo_recv(registry, peer, out, deadline_ns);
    return status == VMO_OK && out->tag == TAG_REPLY ? give_back(registry) : status;
}
