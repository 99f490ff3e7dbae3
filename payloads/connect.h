/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connects producer and consumer: the only part of the payloads that differs between the platforms. On NEURON
 * the producer starts the consumer embedded in it (neuron/). On Linux the harness starts both and passes each
 * one end of a socket (linux/).
 */
#ifndef PAYLOADS_CONNECT_H
#define PAYLOADS_CONNECT_H

#include "vmo/channel.h"

/* Returns the consumer as a peer that may not receive VMOs yet. Errors: those of vmo_peer_spawn or
 * vmo_peer_open. */
VMO_CHECK vmo_status connect_consumer(struct vmo_registry *registry, vmo_peer_t *out);

/* Returns the producer as a peer. Errors: those of vmo_peer_parent. */
VMO_CHECK vmo_status connect_producer(struct vmo_registry *registry, vmo_peer_t *out);

#endif
