/* SPDX-License-Identifier: Apache-2.0 */
/* How every producer begins, waits and ends. */
#ifndef PAYLOADS_PROOF_PRODUCER_H
#define PAYLOADS_PROOF_PRODUCER_H

#include "vmo/channel.h"

/* Makes the registry and connects the consumer, which may receive VMOs. Errors: those of vmo_registry_init,
 * connect_consumer and vmo_peer_allow. */
VMO_CHECK vmo_status producer_start(struct vmo_registry **registry, vmo_peer_t *consumer);

/* The deadline for an answer that needs work on this many bytes. */
uint64_t producer_deadline(const struct vmo_registry *registry, uint64_t bytes);

/* Ends the registry and prints the last marker. Returns main's status: 1 if a handle is still open. */
int producer_end(struct vmo_registry *registry, const char *last_marker);

#endif
