/* SPDX-License-Identifier: Apache-2.0 */
/* Sends an additional message before the blob's. */
#include "vmo/channel.h"

vmo_status __real_vmo_send(struct vmo_registry *registry, vmo_peer_t peer, const struct vmo_message *message,
                           uint64_t deadline_ns);
vmo_status __wrap_vmo_send(struct vmo_registry *registry, vmo_peer_t peer, const struct vmo_message *message,
                           uint64_t deadline_ns);

vmo_status __wrap_vmo_send(struct vmo_registry *registry, vmo_peer_t peer, const struct vmo_message *message,
                           uint64_t deadline_ns)
{
    const struct vmo_message extra = {.tag = 9};
    vmo_status status = VMO_OK;
    if (message->vmo.id != VMO_NONE.id) {
        status = __real_vmo_send(registry, peer, &extra, deadline_ns);
    }
    return status == VMO_OK ? __real_vmo_send(registry, peer, message, deadline_ns) : status;
}
