/* SPDX-License-Identifier: Apache-2.0 */
/* Hears what the producer whispers, once it has the blob. */
#include <stdint.h>

#include "nexus_abi.h"
#include "vmo/channel.h"
#include "wrap_call.h"

vmo_status __real_vmo_recv(struct vmo_registry *registry, vmo_peer_t peer, struct vmo_incoming *out,
                           uint64_t deadline_ns);
vmo_status __wrap_vmo_recv(struct vmo_registry *registry, vmo_peer_t peer, struct vmo_incoming *out,
                           uint64_t deadline_ns);

vmo_status __wrap_vmo_recv(struct vmo_registry *registry, vmo_peer_t peer, struct vmo_incoming *out,
                           uint64_t deadline_ns)
{
    static uint32_t header[NX_IPC_HDR_BYTES / 4];
    static char word[8];
    const vmo_status status = __real_vmo_recv(registry, peer, out, deadline_ns);
    (void)nx_call(NX_SLOT_BOOTSTRAP, (uintptr_t)header, (uintptr_t)word, sizeof(word), NX_IPC_NONBLOCK, 0,
                  NX_SYS_IPC_RECV);
    return status;
}
