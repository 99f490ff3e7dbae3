/* SPDX-License-Identifier: Apache-2.0 */
/* Changes the blob after its reply, through a mapping that the library keeps. */
#include "vmo/channel.h"

static uint8_t *first;
static unsigned replies;

uint8_t *__real_vmo_view_data_rw(struct vmo_registry *registry, vmo_view_t view);
uint8_t *__wrap_vmo_view_data_rw(struct vmo_registry *registry, vmo_view_t view);
vmo_status __real_vmo_recv(struct vmo_registry *registry, vmo_peer_t peer, struct vmo_incoming *out,
                           uint64_t deadline_ns);
vmo_status __wrap_vmo_recv(struct vmo_registry *registry, vmo_peer_t peer, struct vmo_incoming *out,
                           uint64_t deadline_ns);

uint8_t *__wrap_vmo_view_data_rw(struct vmo_registry *registry, vmo_view_t view)
{
    uint8_t *data = __real_vmo_view_data_rw(registry, view);
    first = first == NULL ? data : first;
    return data;
}

vmo_status __wrap_vmo_recv(struct vmo_registry *registry, vmo_peer_t peer, struct vmo_incoming *out,
                           uint64_t deadline_ns)
{
    const vmo_status status = __real_vmo_recv(registry, peer, out, deadline_ns);
    first[0] ^= replies++ == 0;
    return status;
}
