/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for a peer, shared by the two files that do it. */
#ifndef NX_PEER_H
#define NX_PEER_H

#include <stdbool.h>

#include "backend.h"

/* Has the watched child exited or faulted (K-62)? False for a peer without a watch. */
bool nx_peer_ended(const struct be_peer *peer);

/* Lets others run for a moment. TIMED_OUT when the deadline has passed. */
VMO_CHECK vmo_status nx_pause(uint64_t deadline_ns);

#endif
