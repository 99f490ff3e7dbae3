/* SPDX-License-Identifier: Apache-2.0 */
/* A stream whose consumers are the peer's, and frames whose content is known. */
#ifndef CONF_STREAM_PAIR_H
#define CONF_STREAM_PAIR_H

#include <stdalign.h>

#include "conformance/conf_groups.h"
#include "vmo/stream.h"

#define OFFER_TAG 77

static alignas(16) uint8_t storage[VMO_STREAM_PRODUCER_BYTES(VMO_STREAM_BUFFERS_MAX, PEER_CONSUMERS)];
static struct vmo_producer *producer;
static vmo_consumer_t name;

static inline void offer(void)
{
    OK(vmo_stream_offer(producer, world.to_peer, OFFER_TAG, conf_soon(), &name));
    CHECK_EQ((uint32_t)conf_recv_answer().status, VMO_OK);
}

static inline void begin(const struct vmo_stream_options *options)
{
    CHECK(vmo_stream_producer_bytes(options) <= sizeof(storage));
    OK(vmo_stream_create(world.a, options, storage, sizeof(storage), &producer));
    offer();
}

/* The peer is closed first: then what was sent to it can be given back. */
static inline void end(void)
{
    (void)ASK(VMO_OK, .op = OP_LEAVE_STREAM);
    OK(vmo_peer_close(world.a, world.to_peer));
    conf_peer_closed();
    OK(vmo_stream_close(producer));
}

static inline uint64_t length_of(uint64_t sequence, uint64_t capacity)
{
    return sequence % 3 ? 100 + sequence : capacity;
}

static inline void fill(uint8_t *data, uint64_t len, uint64_t sequence)
{
    for (uint64_t i = 0; i < len; i++) {
        data[i] = conf_pattern(i + sequence);
    }
}

static inline void publish(uint64_t sequence)
{
    struct vmo_loan loan;

    OK(vmo_stream_loan(producer, conf_soon(), &loan, NULL));
    const uint64_t len = length_of(sequence, loan.capacity_bytes);
    fill(loan.data, len, sequence);
    OK(vmo_stream_publish(producer, &loan, len, sequence * 5));
}

static inline uint64_t hash_of(uint64_t sequence, uint64_t capacity)
{
    static uint8_t bytes[PAGE];
    const uint64_t len = length_of(sequence, capacity);

    fill(bytes, len, sequence);
    return conf_hash(bytes, len);
}

/* A consumer of the peer takes this frame, with so many lost before it. */
static inline void taken_by(uint32_t consumer, uint32_t held, uint64_t sequence, uint32_t lost)
{
    const struct conf_answer answer = ASK(VMO_OK, .op = OP_TAKE_FRAME, .consumer = consumer, .held = held);

    CHECK_EQ(answer.size, sequence);
    CHECK_EQ(answer.rights, lost);
    CHECK_EQ(answer.seal, sequence * 5);
    CHECK_EQ(answer.len, length_of(sequence, PAGE));
    CHECK_EQ(answer.value, hash_of(sequence, PAGE));
}

static inline void taken(uint32_t held, uint64_t sequence, uint32_t lost)
{
    taken_by(0, held, sequence, lost);
}

static inline void released(uint32_t held)
{
    (void)ASK(VMO_OK, .op = OP_RELEASE_FRAME, .held = held);
}

#endif
