/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for a peer. */
#ifndef NX_PEER_H
#define NX_PEER_H

#include <stdbool.h>

#include "backend.h"

/* True for a child that has exited or faulted (K-62), for ever. False for the parent, whose end no call
 * shows. */
bool nx_peer_ended(const struct be_peer *peer);

/* Yields to other tasks. TIMED_OUT if the deadline has passed. */
VMO_CHECK vmo_status nx_pause(uint64_t deadline_ns);

#endif
