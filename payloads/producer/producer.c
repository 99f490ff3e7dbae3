/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The producer: connects to the consumer, shares one VMO read-only by message and one page by transfer, and
 * compares the returned digests with those computed by host-ref. It prints each marker after the fact.
 */
#include <stdio.h>
#include <string.h>

#include "producer/content.h"
#include "proof.h"
#include "proof_producer.h"
#include "proof_report.h"
#include "vmo/channel.h"

struct proof {
    struct vmo_registry *registry;
    vmo_peer_t consumer;
    vmo_t blob;
    vmo_t page;
    uint8_t challenge[CONTENT_CHALLENGE_BYTES]; /* read back from the blob */
    uint8_t digest[VMO_SHA256_BYTES];           /* of the blob, from the consumer's reply */
    struct evidence evidence;
};

static uint64_t wait_for(const struct proof *proof, uint64_t bytes)
{
    return producer_deadline(proof->registry, bytes);
}

static vmo_status start(struct proof *proof)
{
    return producer_start(&proof->registry, &proof->consumer);
}

/* Creates a VMO, fills it in place through a mapping and seals it with PEERS. */
static vmo_status make_sealed(const struct proof *proof, uint64_t len, void (*fill)(uint8_t *), vmo_t *out)
{
    vmo_view_t view = {0};
    vmo_status status = vmo_create(proof->registry, len, out);
    if (status == VMO_OK) {
        status = vmo_map_rw(proof->registry, *out, (struct vmo_range){0, len}, &view);
    }
    if (status != VMO_OK) {
        return status;
    }
    fill(vmo_view_data_rw(proof->registry, view));
    status = vmo_unmap(proof->registry, view);
    return status == VMO_OK ? vmo_seal(proof->registry, *out, VMO_SEAL_PEERS) : status;
}

static vmo_status send_blob(struct proof *proof)
{
    vmo_status status = make_sealed(proof, content_blob_bytes, content_fill_blob, &proof->blob);
    if (status != VMO_OK) {
        return status;
    }
    const struct vmo_message message = {.tag = PROOF_TAG_BLOB, .vmo = proof->blob, .rights = VMO_RIGHT_READ};
    status = vmo_send(proof->registry, proof->consumer, &message, wait_for(proof, 0));
    if (status == VMO_OK) {
        puts("vmo: producer sent handle");
    }
    return status;
}

static vmo_status send_page(struct proof *proof)
{
    struct vmo_ticket ticket;
    vmo_status status = make_sealed(proof, CONTENT_PAGE_BYTES, content_fill_page, &proof->page);
    if (status == VMO_OK) {
        status = vmo_transfer(proof->registry, proof->page, proof->consumer, VMO_RIGHT_READ, &ticket);
    }
    if (status != VMO_OK) {
        return status;
    }
    const struct vmo_message message = {.tag = PROOF_TAG_PAGE, .body = &ticket, .body_bytes = sizeof(ticket)};
    return vmo_send(proof->registry, proof->consumer, &message, wait_for(proof, 0));
}

/* Receives the consumer's reply to the request with this tag. PROTOCOL for any other message, and if the
 * consumer copied bytes out of a VMO. */
static vmo_status receive_digest(struct proof *proof, uint32_t tag, uint64_t bytes,
                                 uint8_t digest[VMO_SHA256_BYTES])
{
    struct vmo_incoming reply;
    const vmo_status status = vmo_recv(proof->registry, proof->consumer, &reply, wait_for(proof, bytes));
    if (status != VMO_OK) {
        return status;
    }
    struct proof_reply answer;
    if (reply.tag != tag || reply.body_bytes != sizeof(answer)) {
        return VMO_ERR_PROTOCOL;
    }
    memcpy(&answer, reply.body, sizeof(answer));
    memcpy(digest, answer.digest, VMO_SHA256_BYTES);
    return answer.copies == 0 ? VMO_OK : VMO_ERR_PROTOCOL;
}

static vmo_status check_blob(struct proof *proof)
{
    vmo_status status = receive_digest(proof, PROOF_TAG_BLOB, content_blob_bytes, proof->digest);
    if (status == VMO_OK) {
        status = report_digest(proof->digest, content_blob_digest);
    }
    if (status == VMO_OK) {
        puts("vmo: sha256 ok");
    }
    return status;
}

static vmo_status check_page(struct proof *proof)
{
    uint8_t digest[VMO_SHA256_BYTES];
    const vmo_status status = receive_digest(proof, PROOF_TAG_PAGE, CONTENT_PAGE_BYTES, digest);
    return status == VMO_OK ? report_digest(digest, content_page_digest) : status;
}

/* Collects the evidence line's facts about the blob before it is destroyed. */
static vmo_status gather(struct proof *proof)
{
    const struct vmo_range tail = {content_blob_bytes - CONTENT_CHALLENGE_BYTES, CONTENT_CHALLENGE_BYTES};
    struct evidence *evidence = &proof->evidence;
    vmo_view_t view = {0};
    vmo_status status = vmo_seal_of(proof->registry, proof->blob, &evidence->seal);
    if (status == VMO_OK) {
        status = vmo_seal_enforced_by(proof->registry, proof->blob, &evidence->enforced);
    }
    if (status == VMO_OK) {
        status = vmo_map_ro(proof->registry, proof->blob, tail, &view);
    }
    if (status != VMO_OK) {
        return status;
    }
    evidence->len_bytes = content_blob_bytes;
    evidence->challenge = proof->challenge;
    evidence->digest = proof->digest;
    memcpy(proof->challenge, vmo_view_data(proof->registry, view), sizeof(proof->challenge));
    return vmo_unmap(proof->registry, view);
}

/* Frees a VMO's memory. A kernel that cannot free it gets only the handle closed. */
static vmo_status give_back(const struct proof *proof, vmo_t vmo)
{
    const vmo_status status = vmo_destroy(proof->registry, vmo);
    return status == VMO_ERR_UNSUPPORTED ? vmo_close(proof->registry, vmo) : status;
}

static vmo_status finish(struct proof *proof)
{
    vmo_status status = report_end(proof->registry, proof->consumer, wait_for(proof, 0));
    if (status == VMO_OK) {
        status = vmo_peer_close(proof->registry, proof->consumer);
    }
    if (status == VMO_OK) {
        status = give_back(proof, proof->blob);
    }
    if (status == VMO_OK) {
        status = give_back(proof, proof->page);
    }
    return status;
}

struct step {
    const char *name;
    vmo_status (*run)(struct proof *proof);
};

static const struct step steps[] = {
    {"start", start},         {"send blob", send_blob},   {"check blob", check_blob},
    {"send page", send_page}, {"check page", check_page}, {"gather evidence", gather},
    {"finish", finish},
};

int main(void)
{
    static struct proof proof;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        const vmo_status status = steps[i].run(&proof);
        if (status != VMO_OK) {
            report_failure("producer", steps[i].name, status);
            /* Closing the channel ends the consumer's wait. The peer may not exist yet. */
            const vmo_status closed = vmo_peer_close(proof.registry, proof.consumer);
            return closed == VMO_OK ? 1 : 2;
        }
    }
    report_evidence(proof.registry, &proof.evidence);
    return producer_end(proof.registry, "SELFTEST: vmo share ok");
}
