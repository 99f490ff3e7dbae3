/* SPDX-License-Identifier: Apache-2.0 */
/* Never answers. It gives up soon, since a guest that waits is slow. */
#include <stdbool.h>

#include "vmo/channel.h"

#define TAG_ANSWER 5u
#define SOON_NS UINT64_C(20000000)

static bool silent;

vmo_status __real_vmo_send(struct vmo_registry *registry, vmo_peer_t peer, const struct vmo_message *message,
                           uint64_t deadline_ns);
vmo_status __wrap_vmo_send(struct vmo_registry *registry, vmo_peer_t peer, const struct vmo_message *message,
                           uint64_t deadline_ns);
vmo_status __real_vmo_recv(struct vmo_registry *registry, vmo_peer_t peer, struct vmo_incoming *out,
                           uint64_t deadline_ns);
vmo_status __wrap_vmo_recv(struct vmo_registry *registry, vmo_peer_t peer, struct vmo_incoming *out,
                           uint64_t deadline_ns);

vmo_status __wrap_vmo_send(struct vmo_registry *registry, vmo_peer_t peer, const struct vmo_message *message,
                           uint64_t deadline_ns)
{
    silent = message->tag == TAG_ANSWER;
    return silent ? VMO_OK : __real_vmo_send(registry, peer, message, deadline_ns);
}

vmo_status __wrap_vmo_recv(struct vmo_registry *registry, vmo_peer_t peer, struct vmo_incoming *out,
                           uint64_t deadline_ns)
{
    return __real_vmo_recv(registry, peer, out, silent ? vmo_now_ns(registry) + SOON_NS : deadline_ns);
}
