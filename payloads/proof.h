/* SPDX-License-Identifier: Apache-2.0 */
/* The protocol of producer and consumer. It contains nothing about the shared bytes. */
#ifndef PAYLOADS_PROOF_H
#define PAYLOADS_PROOF_H

#include <stdint.h>

#include "vmo/sha256.h"

/* A request carries a VMO or a ticket; its reply carries the same tag and a struct proof_reply. */
#define PROOF_TAG_BLOB 1u /* the message carries the VMO */
#define PROOF_TAG_PAGE 2u /* vmo_transfer; the message carries the ticket */

/* The SHA-256 of the VMO and the consumer's own counters (struct vmo_counters) before it sends this. */
struct proof_reply {
    uint8_t digest[VMO_SHA256_BYTES];
    uint64_t copies, control_bytes, bulk_bytes;
};

_Static_assert(sizeof(struct proof_reply) == 56, "the judge reads the reply's bytes");

/* How long the producer waits for a reply: 500 ms, because a guest's clock follows a busy host, and 1 us per
 * byte. The consumer does not know the length in advance and waits longer; if the producer gives up, the end
 * of the channel ends that wait at once. */
#define PROOF_WAIT_NS UINT64_C(500000000)
#define PROOF_WAIT_NS_A_BYTE UINT64_C(1000)
#define PROOF_CONSUMER_WAIT_NS UINT64_C(5000000000)

#endif
