/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the two sides of the proof find each other: the one thing that differs between the kernels. On NEURON
 * the producer starts the consumer that it carries (crt/); on Linux both find a socket that their parent, the
 * harness, has opened for them (linux/).
 */
#ifndef PAYLOADS_CONNECT_H
#define PAYLOADS_CONNECT_H

#include "vmo/channel.h"

/* The producer's peer, not yet allowed to get anything. Errors: those of vmo_peer_spawn or vmo_peer_open. */
VMO_CHECK vmo_status connect_consumer(struct vmo_registry *registry, vmo_peer_t *out);

/* The consumer's peer. Errors: those of vmo_peer_parent. */
VMO_CHECK vmo_status connect_producer(struct vmo_registry *registry, vmo_peer_t *out);

#endif
