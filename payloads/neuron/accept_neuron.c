/* SPDX-License-Identifier: Apache-2.0 */
/* On NEURON the consumer is the producer's child. */
#include "connect.h"

vmo_status connect_producer(struct vmo_registry *registry, vmo_peer_t *out)
{
    return vmo_peer_parent(registry, out);
}
