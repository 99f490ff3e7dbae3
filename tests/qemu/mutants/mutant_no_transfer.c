/* SPDX-License-Identifier: Apache-2.0 */
/* Reports success without sending the message that carries a VMO. */
#include "vmo/channel.h"

vmo_status __real_vmo_send(struct vmo_registry *registry, vmo_peer_t peer, const struct vmo_message *message,
                           uint64_t deadline_ns);
vmo_status __wrap_vmo_send(struct vmo_registry *registry, vmo_peer_t peer, const struct vmo_message *message,
                           uint64_t deadline_ns);

vmo_status __wrap_vmo_send(struct vmo_registry *registry, vmo_peer_t peer, const struct vmo_message *message,
                           uint64_t deadline_ns)
{
    if (message->vmo.id != VMO_NONE.id) {
        return VMO_OK;
    }
    return __real_vmo_send(registry, peer, message, deadline_ns);
}
