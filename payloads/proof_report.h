/* SPDX-License-Identifier: Apache-2.0 */
/* What every producer checks and prints (docs/testing/index.md). */
#ifndef PAYLOADS_PROOF_REPORT_H
#define PAYLOADS_PROOF_REPORT_H

#include "vmo/channel.h"
#include "vmo/sha256.h"

/* What the evidence line says besides the counters. */
struct evidence {
    uint64_t len_bytes;
    const uint8_t *challenge; /* read back out of the shared memory */
    const uint8_t *digest;    /* from the consumer's reply */
    vmo_seal_strength seal;
    vmo_enforcer enforced;
};

void report_evidence(const struct vmo_registry *registry, const struct evidence *evidence);

/* Waits for the consumer's end. PEER_GONE if it failed. OK for a consumer that is no child of this task: then
 * the harness checks its exit status. */
VMO_CHECK vmo_status report_end(struct vmo_registry *registry, vmo_peer_t consumer, uint64_t deadline_ns);

/* Prints `vmo: FAIL who step: status: meaning`. */
void report_failure(const char *who, const char *step, vmo_status status);

/* Returns PROTOCOL and prints both digests when they differ. */
VMO_CHECK vmo_status report_digest(const uint8_t *digest, const uint8_t *expected);

#endif
