/* SPDX-License-Identifier: Apache-2.0 */
/* What producer and consumer agree on. It says nothing about what is shared. */
#ifndef PAYLOADS_PROOF_H
#define PAYLOADS_PROOF_H

#include <stdint.h>

#include "vmo/sha256.h"

/* A request carries a VMO or a ticket; its reply carries the SHA-256 of the VMO's bytes and the same tag. */
#define PROOF_TAG_BLOB 1u /* by a message that moves a capability */
#define PROOF_TAG_PAGE 2u /* by vmo_transfer, announced by a ticket */

/* How long one side waits for the other: 500 ms, for kernels whose time is that of a busy host, and 1 us a
 * byte. The consumer does not know the length yet when it waits; it is told at once when the producer gives
 * up, by the end of the channel. */
#define PROOF_WAIT_NS UINT64_C(500000000)
#define PROOF_WAIT_NS_A_BYTE UINT64_C(1000)
#define PROOF_CONSUMER_WAIT_NS UINT64_C(5000000000)

#endif
