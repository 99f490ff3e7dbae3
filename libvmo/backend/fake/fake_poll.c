/* SPDX-License-Identifier: Apache-2.0 */
/* As NEURON: no look without a take, and no descriptors. */
#include "backend.h"

vmo_status be_poll(struct be_polled *peers, uint32_t count, uint64_t deadline_ns)
{
    (void)peers, (void)count, (void)deadline_ns;
    return VMO_ERR_UNSUPPORTED;
}

vmo_status be_peer_fd(const struct be_peer *peer, int *fd)
{
    (void)peer, (void)fd;
    return VMO_ERR_UNSUPPORTED;
}
