/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The producer of the proof of streams: publishes the blob as frames through four buffers, which it uses
 * again and again, and compares the digest of all with the one computed by host-ref. It prints each marker
 * after the fact.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "producer/content.h"
#include "proof_producer.h"
#include "proof_report.h"
#include "stream/frames_proof.h"

struct proof {
    struct vmo_registry *registry;
    vmo_peer_t consumer;
    struct vmo_producer *stream;
    uint8_t challenge[CONTENT_CHALLENGE_BYTES]; /* read back from the frames */
    struct frames_reply reply;
};

static uint64_t wait_for(const struct proof *proof, uint64_t bytes)
{
    return producer_deadline(proof->registry, bytes);
}

static vmo_status start(struct proof *proof)
{
    return producer_start(&proof->registry, &proof->consumer);
}

static vmo_status make_stream(struct proof *proof)
{
    static const struct vmo_stream_options options = {.policy = VMO_STREAM_BACKPRESSURE,
                                                      .buffers = FRAMES_BUFFERS,
                                                      .consumers = 1,
                                                      .hold = 1,
                                                      .looks = FRAMES_LOOKS,
                                                      .capacity_bytes = FRAMES_BYTES};
    static uint8_t storage[VMO_STREAM_PRODUCER_BYTES(FRAMES_BUFFERS, 1)] __attribute__((aligned(16)));
    return vmo_stream_create(proof->registry, &options, storage, sizeof(storage), &proof->stream);
}

static vmo_status offer(struct proof *proof)
{
    const struct frames_request request = {.len_bytes = content_blob_bytes};
    const struct vmo_message message = {
        .tag = FRAMES_TAG_BLOB, .body = &request, .body_bytes = sizeof(request)};
    vmo_consumer_t name;
    vmo_status status = vmo_send(proof->registry, proof->consumer, &message, wait_for(proof, 0));
    if (status == VMO_OK) {
        status =
            vmo_stream_offer(proof->stream, proof->consumer, FRAMES_TAG_OFFER, wait_for(proof, 0), &name);
    }
    if (status == VMO_OK) {
        puts("vmo: producer offered stream");
    }
    return status;
}

/* Reads the challenge back out of a frame, as far as it lies there. */
static void read_challenge(struct proof *proof, const uint8_t *frame, uint64_t off, uint64_t len)
{
    const uint64_t begin = content_blob_bytes - CONTENT_CHALLENGE_BYTES;
    for (uint64_t at = off > begin ? off : begin; at < off + len; at++) {
        proof->challenge[at - begin] = frame[at - off];
    }
}

/* Fills a buffer with the frame at this offset, with zeros behind the last one, and publishes it. */
static vmo_status publish(struct proof *proof, const struct vmo_loan *loan, uint64_t off)
{
    const uint64_t left = content_blob_bytes - off;
    const uint64_t len = left < FRAMES_BYTES ? left : FRAMES_BYTES;
    content_fill_part(loan->data, off, len);
    memset(loan->data + len, 0, loan->capacity_bytes - len);
    read_challenge(proof, loan->data, off, len);
    return vmo_stream_publish(proof->stream, loan, len, off);
}

/* The first frames lie in four different buffers, since all are on loan before the first is published. */
static vmo_status publish_frames(struct proof *proof)
{
    uint64_t deadline_ns = wait_for(proof, FRAMES_BUFFERS * FRAMES_BYTES);
    struct vmo_loan loans[FRAMES_BUFFERS];
    for (uint32_t i = 0; i < FRAMES_BUFFERS; i++) {
        const vmo_status status = vmo_stream_loan(proof->stream, deadline_ns, &loans[i], NULL);
        if (status != VMO_OK) {
            return status;
        }
    }
    for (uint64_t off = 0; off < content_blob_bytes; off += FRAMES_BYTES) {
        const uint64_t frame = off / FRAMES_BYTES;
        struct vmo_loan *loan = &loans[frame % FRAMES_BUFFERS];
        vmo_status status = VMO_OK;
        if (frame % FRAMES_BUFFERS ==
            0) { /* the clock is a system call, and the rest of the loop makes none */
            deadline_ns = wait_for(proof, 2 * FRAMES_BUFFERS * FRAMES_BYTES);
        }
        if (frame >= FRAMES_BUFFERS) {
            status = vmo_stream_loan(proof->stream, deadline_ns, loan, NULL);
        }
        if (status == VMO_OK) {
            status = publish(proof, loan, off);
        }
        if (status != VMO_OK) {
            return status;
        }
    }
    return VMO_OK;
}

/* Receives the consumer's reply. PROTOCOL for any other message, and if the consumer copied bytes out of a
 * VMO. */
static vmo_status receive_reply(struct proof *proof)
{
    struct vmo_incoming message;
    const vmo_status status =
        vmo_recv(proof->registry, proof->consumer, &message, wait_for(proof, FRAMES_BUFFERS * FRAMES_BYTES));
    if (status != VMO_OK) {
        return status;
    }
    if (message.tag != FRAMES_TAG_BLOB || message.body_bytes != sizeof(proof->reply)) {
        return VMO_ERR_PROTOCOL;
    }
    memcpy(&proof->reply, message.body, sizeof(proof->reply));
    const bool seal_exists = proof->reply.seal <= VMO_SEAL_FOREVER && proof->reply.enforced <= VMO_BY_KERNEL;
    return proof->reply.proof.copies == 0 && seal_exists ? VMO_OK : VMO_ERR_PROTOCOL;
}

static vmo_status check_reply(struct proof *proof)
{
    vmo_status status = receive_reply(proof);
    if (status == VMO_OK) {
        status = report_digest(proof->reply.proof.digest, content_blob_digest);
    }
    if (status == VMO_OK) {
        puts("vmo: sha256 ok");
    }
    return status;
}

static vmo_status finish(struct proof *proof)
{
    vmo_status status = report_end(proof->registry, proof->consumer, wait_for(proof, 0));
    if (status == VMO_OK) {
        status = vmo_peer_close(proof->registry, proof->consumer);
    }
    return status == VMO_OK ? vmo_stream_close(proof->stream) : status;
}

struct step {
    const char *name;
    vmo_status (*run)(struct proof *proof);
};

static const struct step steps[] = {
    {"start", start},
    {"make stream", make_stream},
    {"offer", offer},
    {"publish", publish_frames},
    {"check reply", check_reply},
    {"finish", finish},
};

static void print_evidence(const struct proof *proof)
{
    const struct evidence evidence = {.len_bytes = content_blob_bytes,
                                      .challenge = proof->challenge,
                                      .digest = proof->reply.proof.digest,
                                      .seal = (vmo_seal_strength)proof->reply.seal,
                                      .enforced = (vmo_enforcer)proof->reply.enforced};
    report_evidence(proof->registry, &evidence);
}

/* Ends the consumer's waits, for a frame and for a message. While the consumer maps the pool, the stream ends
 * but its memory stays: BUSY. Neither may exist yet. */
static int give_up(const struct proof *proof)
{
    const vmo_status ended = proof->stream == NULL ? VMO_OK : vmo_stream_close(proof->stream);
    const vmo_status closed = vmo_peer_close(proof->registry, proof->consumer);
    return (ended == VMO_OK || ended == VMO_ERR_BUSY) && closed == VMO_OK ? 1 : 2;
}

int main(void)
{
    static struct proof proof;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        const vmo_status status = steps[i].run(&proof);
        if (status != VMO_OK) {
            report_failure("producer", steps[i].name, status);
            return give_up(&proof);
        }
    }
    print_evidence(&proof);
    return producer_end(proof.registry, "SELFTEST: vmo stream ok");
}
