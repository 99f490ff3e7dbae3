/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The producer of the proof of fills: fills the memory that the consumer lends it, the blob first, the header
 * last, gives it back, and answers. It compares the consumer's digest with the one computed by host-ref, and
 * prints each marker after the fact.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "fill/fill_proof.h"
#include "producer/content.h"
#include "proof_producer.h"
#include "proof_report.h"

struct proof {
    struct vmo_registry *registry;
    vmo_peer_t consumer;
    struct vmo_incoming message;                /* the last one */
    uint8_t challenge[CONTENT_CHALLENGE_BYTES]; /* read back from the memory, after the reply */
    struct proof_reply reply;
};

static uint64_t wait_for(const struct proof *proof, uint64_t bytes)
{
    return producer_deadline(proof->registry, bytes);
}

static vmo_status start(struct proof *proof)
{
    return producer_start(&proof->registry, &proof->consumer);
}

static uint64_t memory_bytes(void)
{
    return sizeof(struct fill_header) + content_blob_bytes;
}

/* Maps it once to read, so that a witness learns where its pages are before they are lent. */
static vmo_status show(const struct proof *proof, vmo_t vmo)
{
    const struct vmo_range whole = {0, memory_bytes()};
    vmo_view_t view = {0};
    const vmo_status status = vmo_map_ro(proof->registry, vmo, whole, &view);
    return status == VMO_OK ? vmo_unmap(proof->registry, view) : status;
}

/* Makes the consumer's memory, and keeps no capability of it. */
static vmo_status give_memory(struct proof *proof)
{
    struct vmo_message message = {.tag = FILL_TAG_MEMORY, .rights = VMO_RIGHTS_ALL};
    vmo_status status = vmo_create(proof->registry, memory_bytes(), &message.vmo);
    if (status == VMO_OK) {
        status = show(proof, message.vmo);
    }
    if (status == VMO_OK) {
        status = vmo_send(proof->registry, proof->consumer, &message, wait_for(proof, 0));
    }
    return status == VMO_OK ? vmo_close(proof->registry, message.vmo) : status;
}

/* Receives a message with this tag, which carries a VMO and a body of this length. PROTOCOL for any other. */
static vmo_status receive(struct proof *proof, uint32_t tag, uint64_t bytes, uint16_t body_bytes)
{
    const vmo_status status =
        vmo_recv(proof->registry, proof->consumer, &proof->message, wait_for(proof, bytes));
    if (status != VMO_OK) {
        return status;
    }
    const int good = proof->message.tag == tag && proof->message.body_bytes == body_bytes;
    return good && proof->message.vmo.id != VMO_NONE.id ? VMO_OK : VMO_ERR_PROTOCOL;
}

/* The header comes last: if this task dies before, the memory names no request. */
static void fill_view(const struct proof *proof, vmo_view_t view)
{
    struct fill_header header = {.len_bytes = content_blob_bytes};
    uint8_t *data = vmo_view_data_rw(proof->registry, view);
    memcpy(&header.request, proof->message.body, sizeof(header.request));
    content_fill_blob(data + sizeof(header));
    atomic_thread_fence(memory_order_release);
    memcpy(data, &header, sizeof(header));
}

/* Afterwards this task holds neither a view nor a capability of the memory; on a kernel that cannot unmap the
 * mapping stays. */
static vmo_status fill(struct proof *proof)
{
    const struct vmo_range whole = {0, memory_bytes()};
    vmo_view_t view = {0};
    vmo_status status = receive(proof, FILL_TAG_LEND, 0, sizeof(struct fill_request));
    if (status == VMO_OK) {
        status = vmo_map_rw(proof->registry, proof->message.vmo, whole, &view);
    }
    if (status != VMO_OK) {
        return status;
    }
    fill_view(proof, view);
    status = vmo_unmap(proof->registry, view);
    return status == VMO_OK ? vmo_close(proof->registry, proof->message.vmo) : status;
}

static vmo_status send(const struct proof *proof, uint32_t tag)
{
    const struct vmo_message message = {.tag = tag};
    return vmo_send(proof->registry, proof->consumer, &message, wait_for(proof, 0));
}

static vmo_status answer(struct proof *proof)
{
    const vmo_status status = send(proof, FILL_TAG_ANSWER);
    if (status == VMO_OK) {
        puts("vmo: producer filled memory");
    }
    return status;
}

/* Waits twice as long as others: on Linux the harness looks at the answer, too, while this task waits. */
static vmo_status check_reply(struct proof *proof)
{
    const uint64_t bytes = memory_bytes() + PROOF_WAIT_NS / PROOF_WAIT_NS_A_BYTE;
    vmo_status status = receive(proof, FILL_TAG_BLOB, bytes, sizeof(proof->reply));
    if (status != VMO_OK) {
        return status;
    }
    memcpy(&proof->reply, proof->message.body, sizeof(proof->reply));
    status = report_digest(proof->reply.digest, content_blob_digest);
    if (status == VMO_OK) {
        puts("vmo: sha256 ok");
        status = proof->reply.copies == 0 ? VMO_OK : VMO_ERR_PROTOCOL;
    }
    return status;
}

/* Reads the challenge back out of the memory, which the reply carried. */
static vmo_status read_challenge(struct proof *proof)
{
    const struct vmo_range tail = {memory_bytes() - CONTENT_CHALLENGE_BYTES, CONTENT_CHALLENGE_BYTES};
    vmo_view_t view = {0};
    vmo_status status = vmo_map_ro(proof->registry, proof->message.vmo, tail, &view);
    if (status != VMO_OK) {
        return status;
    }
    memcpy(proof->challenge, vmo_view_data(proof->registry, view), sizeof(proof->challenge));
    status = vmo_unmap(proof->registry, view);
    if (status == VMO_OK) {
        status = vmo_close(proof->registry, proof->message.vmo);
    }
    return status == VMO_OK ? send(proof, FILL_TAG_SEEN) : status;
}

static vmo_status finish(struct proof *proof)
{
    const vmo_status status = report_end(proof->registry, proof->consumer, wait_for(proof, 0));
    return status == VMO_OK ? vmo_peer_close(proof->registry, proof->consumer) : status;
}

struct step {
    const char *name;
    vmo_status (*run)(struct proof *proof);
};

static const struct step steps[] = {
    {"start", start},   {"give memory", give_memory}, {"fill", fill},
    {"answer", answer}, {"check reply", check_reply}, {"read challenge", read_challenge},
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
    const struct evidence evidence = {.len_bytes = content_blob_bytes,
                                      .challenge = proof.challenge,
                                      .digest = proof.reply.digest,
                                      .seal = VMO_SEAL_NONE,
                                      .enforced = VMO_BY_NOBODY};
    report_evidence(proof.registry, &evidence);
    return producer_end(proof.registry, "SELFTEST: vmo fill ok");
}
