/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The consumer of the proof of streams: joins the stream, hashes each frame in place, releases it, and
 * replies with the digest of all. Neither this program nor any message to it contains the shared bytes or
 * their digest.
 */
#include <stdio.h>
#include <string.h>

#include "connect.h"
#include "proof_report.h"
#include "stream/frames_proof.h"

static struct vmo_registry *registry;
static vmo_peer_t parent;
static struct vmo_consumer *consumer;
static uint64_t len_bytes; /* of all frames, as the request says */
static struct frames_reply reply;

static uint64_t wait_for(uint64_t bytes)
{
    return vmo_now_ns(registry) + PROOF_CONSUMER_WAIT_NS + bytes * PROOF_WAIT_NS_A_BYTE;
}

static vmo_status open_registry(void)
{
    static const struct vmo_limits limits = {.objects = 4, .mappings = 4, .views = 4, .peers = 1};
    static uint8_t storage[VMO_REGISTRY_BYTES(4, 4, 4, 1)] __attribute__((aligned(16)));
    const vmo_status status = vmo_registry_init(storage, sizeof(storage), &limits, &registry);
    return status == VMO_OK ? connect_producer(registry, &parent) : status;
}

static vmo_status receive_request(void)
{
    struct vmo_incoming message;
    struct frames_request request;
    const vmo_status status = vmo_recv(registry, parent, &message, wait_for(0));
    if (status != VMO_OK) {
        return status;
    }
    if (message.tag != FRAMES_TAG_BLOB || message.body_bytes != sizeof(request)) {
        return VMO_ERR_PROTOCOL;
    }
    memcpy(&request, message.body, sizeof(request));
    len_bytes = request.len_bytes;
    return VMO_OK;
}

/* Notes who enforces the pool's seal, for the evidence line. */
static vmo_status note_seal(vmo_t pool)
{
    vmo_seal_strength seal = VMO_SEAL_NONE;
    vmo_enforcer by = VMO_BY_NOBODY;
    vmo_status status = vmo_seal_of(registry, pool, &seal);
    if (status == VMO_OK) {
        status = vmo_seal_enforced_by(registry, pool, &by);
    }
    reply.seal = (uint16_t)seal;
    reply.enforced = (uint16_t)by;
    return status;
}

static vmo_status join(void)
{
    static uint8_t storage[VMO_STREAM_CONSUMER_BYTES] __attribute__((aligned(16)));
    struct vmo_incoming offer;
    vmo_status status = vmo_recv(registry, parent, &offer, wait_for(0));
    if (status != VMO_OK) {
        return status;
    }
    status = vmo_stream_join(registry, parent, &offer, storage, sizeof(storage), wait_for(0), &consumer);
    if (status != VMO_OK) {
        return status;
    }
    puts("vmo: consumer joined stream");
    return note_seal(offer.vmo);
}

/* Takes, hashes and releases the frame at this offset of the blob. PROTOCOL if another frame comes. */
static vmo_status hash_frame(struct vmo_sha256 *hash, uint64_t off, uint64_t deadline_ns, uint64_t *len)
{
    struct vmo_frame frame;
    const vmo_status status = vmo_stream_take(consumer, deadline_ns, &frame);
    if (status != VMO_OK) {
        return status;
    }
    if (frame.tag != off || frame.len_bytes == 0 || frame.len_bytes > len_bytes - off ||
        frame.buffer >= FRAMES_BUFFERS) {
        return VMO_ERR_PROTOCOL;
    }
    vmo_sha256_update(hash, frame.data, frame.len_bytes);
    reply.frames++;
    reply.last[frame.buffer] = (uint32_t)frame.sequence;
    reply.buffers[frame.sequence % FRAMES_BUFFERS] = (uint8_t)frame.buffer;
    *len = frame.len_bytes;
    return vmo_stream_release(consumer, &frame);
}

static vmo_status hash_frames(void)
{
    struct vmo_sha256 hash;
    vmo_sha256_init(&hash);
    const uint64_t deadline_ns = wait_for(len_bytes);
    uint64_t len = 0;
    for (uint64_t off = 0; off < len_bytes; off += len) {
        const vmo_status status = hash_frame(&hash, off, deadline_ns, &len);
        if (status != VMO_OK) {
            return status;
        }
    }
    vmo_sha256_final(&hash, reply.proof.digest);
    return VMO_OK;
}

static vmo_status send_reply(void)
{
    struct vmo_counters counters;
    vmo_counters_read(registry, &counters);
    reply.proof.copies = counters.copies;
    reply.proof.control_bytes = counters.control_bytes;
    reply.proof.bulk_bytes = counters.bulk_bytes;
    const struct vmo_message message = {.tag = FRAMES_TAG_BLOB, .body = &reply, .body_bytes = sizeof(reply)};
    return vmo_send(registry, parent, &message, vmo_now_ns(registry) + PROOF_WAIT_NS);
}

static vmo_status leave(void)
{
    vmo_status status = vmo_stream_leave(consumer);
    if (status == VMO_OK) {
        status = vmo_peer_close(registry, parent);
    }
    return status == VMO_OK ? vmo_registry_fini(registry) : status;
}

struct step {
    const char *name;
    vmo_status (*run)(void);
};

static const struct step steps[] = {
    {"open", open_registry}, {"request", receive_request}, {"join", join},
    {"frames", hash_frames}, {"reply", send_reply},        {"leave", leave},
};

int main(void)
{
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        const vmo_status status = steps[i].run();
        if (status != VMO_OK) {
            report_failure("consumer", steps[i].name, status);
            return 1;
        }
    }
    return 0;
}
