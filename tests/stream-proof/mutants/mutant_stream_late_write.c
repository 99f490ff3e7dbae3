/* SPDX-License-Identifier: Apache-2.0 */
/* Changes the pool after the reply. */
#include "wrap_stream.h"

static uint8_t *last;

vmo_status __wrap_vmo_stream_publish(struct vmo_producer *producer, const struct vmo_loan *loan,
                                     uint64_t len_bytes, uint64_t tag)
{
    last = loan->data;
    return __real_vmo_stream_publish(producer, loan, len_bytes, tag);
}

vmo_status __wrap_vmo_recv(struct vmo_registry *registry, vmo_peer_t peer, struct vmo_incoming *out,
                           uint64_t deadline_ns)
{
    const vmo_status status = __real_vmo_recv(registry, peer, out, deadline_ns);
    last[0] ^= 1;
    return status;
}
