/* SPDX-License-Identifier: Apache-2.0 */
/* Both ends of a stream in one thread: side 0 has the producer, side 1 the consumers. */
#ifndef TESTS_STREAM_PAIR_H
#define TESTS_STREAM_PAIR_H

#include "unit.h"

#include <stdalign.h>
#include <stdatomic.h>

#include "stream_seats.h"
#include "vmo/stream.h"

#define TAG 9

static alignas(16) uint8_t producer_storage[VMO_STREAM_PRODUCER_BYTES(64, 32)];
static alignas(16) uint8_t consumer_storage[4][VMO_STREAM_CONSUMER_BYTES];

static const struct vmo_stream_options lossless = {
    .policy = VMO_STREAM_BACKPRESSURE, .buffers = 3, .consumers = 2, .hold = 2, .capacity_bytes = PAGE};
static const struct vmo_stream_options latest = {
    .policy = VMO_STREAM_LATEST, .buffers = 4, .consumers = 2, .hold = 1, .capacity_bytes = PAGE};

static inline struct vmo_producer *producer_make(const struct vmo_stream_options *options)
{
    struct vmo_producer *producer = NULL;

    assert_ok(vmo_stream_create(world.a, options, producer_storage, sizeof(producer_storage), &producer));
    return producer;
}

/* b joins what a offers. */
static inline struct vmo_consumer *joined(struct vmo_producer *producer, uint32_t storage,
                                          vmo_consumer_t *name)
{
    struct vmo_consumer *consumer = NULL;
    struct vmo_incoming incoming;

    AS_A;
    assert_ok(vmo_stream_offer(producer, world.to_b, TAG, SOON_NS, name));
    AS_B;
    assert_ok(vmo_recv(world.b, world.to_a, &incoming, SOON_NS));
    assert_int_equal(incoming.tag, TAG);
    assert_true(vmo_stream_is_offer(&incoming));
    assert_ok(vmo_stream_join(world.b, world.to_a, &incoming, consumer_storage[storage],
                              VMO_STREAM_CONSUMER_BYTES, SOON_NS, &consumer));
    AS_A;
    return consumer;
}

/* Loans, fills with a byte and publishes; the tag is the byte. */
static inline void produce(struct vmo_producer *producer, uint8_t byte)
{
    struct vmo_loan loan;
    vmo_consumer_t about;

    assert_ok(vmo_stream_loan(producer, 0, &loan, &about));
    assert_int_equal(loan.capacity_bytes, PAGE);
    memset(loan.data, byte, PAGE);
    assert_ok(vmo_stream_publish(producer, &loan, PAGE, byte));
}

/* vmo_stream_take, on the consumer's side. */
static inline vmo_status take(struct vmo_consumer *consumer, uint64_t deadline_ns, struct vmo_frame *out)
{
    AS_B;
    const vmo_status status = vmo_stream_take(consumer, deadline_ns, out);
    AS_A;
    return status;
}

static inline struct vmo_frame taken(struct vmo_consumer *consumer, uint64_t sequence, uint64_t lost)
{
    struct vmo_frame frame = {0};

    assert_ok(take(consumer, 0, &frame));
    assert_int_equal(frame.sequence, sequence);
    assert_int_equal(frame.lost, lost);
    assert_int_equal(frame.len_bytes, PAGE);
    assert_int_equal(frame.data[0], (uint8_t)frame.tag);
    assert_int_equal(frame.data[PAGE - 1], (uint8_t)frame.tag);
    return frame;
}

static inline void closed(struct vmo_producer *producer, struct vmo_consumer *consumer)
{
    AS_B;
    if (consumer != NULL) {
        assert_ok(vmo_stream_leave(consumer));
    }
    AS_A;
    assert_ok(vmo_stream_close(producer));
}

#endif
