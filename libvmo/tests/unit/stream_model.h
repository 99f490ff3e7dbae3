/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A simple model of a stream. It knows what lies in each buffer and what each consumer took. After each call
 * it checks the answer, and that no held frame has changed.
 */
#ifndef TESTS_STREAM_MODEL_H
#define TESTS_STREAM_MODEL_H

#include "unit.h"

#include <stdalign.h>

#include "stream_seats.h"
#include "vmo/stream.h"

#define BUFFERS 4
#define CONSUMERS 3
#define TAG 9

static alignas(16) uint8_t producer_storage[VMO_STREAM_PRODUCER_BYTES(BUFFERS, CONSUMERS)];
static alignas(16) uint8_t consumer_storage[CONSUMERS][VMO_STREAM_CONSUMER_BYTES];

/* ---- The model ---------------------------------------------------------------------------------- */

struct model_consumer {
    bool joined;
    uint64_t start;
    uint64_t cursor;
    uint64_t taken;
    uint64_t lost;
    uint32_t holds;
    struct vmo_frame held[BUFFERS]; /* in the order of takes */
    uint64_t released[BUFFERS];     /* by buffer: the last frame that was released */
};

struct model {
    struct vmo_stream_options options;
    uint64_t ring;
    uint64_t last;           /* sequence of the newest frame */
    uint64_t frame[BUFFERS]; /* by buffer: its frame, 0: none */
    bool on_loan[BUFFERS];
    struct vmo_loan loans[BUFFERS]; /* in the order of loans */
    uint32_t loan_count;
    struct model_consumer consumer[CONSUMERS];
};

static struct model model;
static struct vmo_producer *producer;
static struct vmo_consumer *consumers[CONSUMERS];
static vmo_consumer_t names[CONSUMERS];

static inline uint8_t byte_of(uint64_t sequence)
{
    return (uint8_t)(sequence * 37 + 11);
}

static inline bool is_held(const struct model_consumer *consumer, uint64_t sequence)
{
    for (uint32_t i = 0; i < consumer->holds; i++) {
        if (consumer->held[i].sequence == sequence) {
            return true;
        }
    }
    return false;
}

/* True if a loan may take this buffer. */
static inline bool is_free(uint32_t b)
{
    const uint64_t s = model.frame[b];

    if (model.on_loan[b] || s == 0) {
        return !model.on_loan[b];
    }
    if (model.options.policy == VMO_STREAM_LATEST && s == model.last) {
        return false;
    }
    for (uint32_t c = 0; c < model.options.consumers; c++) {
        const struct model_consumer *consumer = &model.consumer[c];
        if (!consumer->joined || consumer->start > s) {
            continue;
        }
        if (model.options.policy == VMO_STREAM_LATEST ? is_held(consumer, s) : consumer->released[b] != s) {
            return false;
        }
    }
    return true;
}

/* The frame that a take must give; 0: none. */
static inline uint64_t next_of(const struct model_consumer *consumer)
{
    for (uint64_t s = consumer->cursor; s <= model.last; s++) {
        if (model.options.policy == VMO_STREAM_BACKPRESSURE) {
            return s;
        }
        for (uint32_t b = 0; b < model.options.buffers; b++) {
            if (model.frame[b] == s && s + model.ring > model.last) {
                return s;
            }
        }
    }
    return 0;
}

static inline void check_held(void)
{
    for (uint32_t c = 0; c < model.options.consumers; c++) {
        for (uint32_t i = 0; i < model.consumer[c].holds; i++) {
            const struct vmo_frame *frame = &model.consumer[c].held[i];
            assert_int_equal(frame->data[0], byte_of(frame->sequence));
            assert_int_equal(frame->data[PAGE - 1], byte_of(frame->sequence));
        }
    }
}

/* ---- Calls; each says whether it was granted ---------------------------------------------------- */

static inline bool do_loan(void)
{
    struct vmo_loan loan = {0};
    vmo_consumer_t about = {0};
    uint32_t waiting = 0;
    bool any = false;

    for (uint32_t b = 0; b < model.options.buffers; b++) {
        any = any || is_free(b);
        waiting += !model.on_loan[b] && model.frame[b] &&
                   (model.options.policy == VMO_STREAM_BACKPRESSURE || model.frame[b] != model.last);
    }
    const vmo_status status = vmo_stream_loan(producer, 0, &loan, &about);
    if (!any) {
        assert_status(status, waiting ? VMO_ERR_TIMED_OUT : VMO_ERR_BUSY);
        assert_true(waiting == 0 || about.id != 0);
        return false;
    }
    assert_ok(status);
    const uint32_t b = (uint32_t)((uint64_t)(loan.data - producer->pool) / PAGE);
    assert_true(b < model.options.buffers && is_free(b));
    model.on_loan[b] = true;
    model.frame[b] = 0;
    model.loans[model.loan_count++] = loan;
    return true;
}

static inline void forget_loan(uint32_t which)
{
    model.on_loan[(uint32_t)((uint64_t)(model.loans[which].data - producer->pool) / PAGE)] = false;
    model.loan_count--;
    for (uint32_t i = which; i < model.loan_count; i++) {
        model.loans[i] = model.loans[i + 1];
    }
}

static inline bool do_publish(uint32_t which)
{
    if (which >= model.loan_count) {
        return false;
    }
    const struct vmo_loan loan = model.loans[which];
    memset(loan.data, byte_of(model.last + 1), PAGE);
    assert_ok(vmo_stream_publish(producer, &loan, PAGE, ~(model.last + 1)));
    forget_loan(which);
    model.last++;
    model.frame[(uint64_t)(loan.data - producer->pool) / PAGE] = model.last;
    assert_status(vmo_stream_publish(producer, &loan, PAGE, 0), VMO_ERR_BAD_HANDLE);
    return true;
}

static inline bool do_drop(void)
{
    if (model.loan_count == 0) {
        return false;
    }
    assert_ok(vmo_stream_drop(producer, &model.loans[0]));
    forget_loan(0);
    return true;
}

static inline bool do_take(uint32_t c)
{
    struct model_consumer *consumer = &model.consumer[c];
    struct vmo_frame frame = {0};

    AS_B;
    const vmo_status status = vmo_stream_take(consumers[c], 0, &frame);
    AS_A;
    if (consumer->holds == model.options.hold) {
        assert_status(status, VMO_ERR_BUSY);
        return false;
    }
    const uint64_t s = next_of(consumer);
    if (s == 0) {
        assert_status(status, VMO_ERR_TIMED_OUT);
        return false;
    }
    assert_ok(status);
    assert_int_equal(frame.sequence, s);
    assert_int_equal(frame.lost, s - consumer->cursor);
    assert_int_equal(frame.tag, ~s);
    assert_int_equal(frame.len_bytes, PAGE);
    assert_int_equal(model.frame[frame.buffer], s);
    consumer->cursor = s + 1;
    consumer->taken++;
    consumer->lost += frame.lost;
    consumer->held[consumer->holds++] = frame;
    assert_int_equal(consumer->taken + consumer->lost + (model.last + 1 - consumer->cursor),
                     model.last + 1 - consumer->start);
    assert_true(model.options.policy == VMO_STREAM_LATEST || consumer->lost == 0);
    return true;
}

static inline bool do_release(uint32_t c, bool newest)
{
    struct model_consumer *consumer = &model.consumer[c];

    if (consumer->holds == 0 || (newest && consumer->holds == 1)) {
        return false;
    }
    const uint32_t which = newest ? consumer->holds - 1 : 0;
    const struct vmo_frame frame = consumer->held[which];
    assert_ok(vmo_stream_release(consumers[c], &frame));
    consumer->holds--;
    for (uint32_t i = which; i < consumer->holds; i++) {
        consumer->held[i] = consumer->held[i + 1];
    }
    consumer->released[frame.buffer] = frame.sequence;
    return true;
}

/* ---- Beginning and end -------------------------------------------------------------------------- */

static inline void join(uint32_t c)
{
    struct vmo_incoming incoming;

    assert_ok(vmo_stream_offer(producer, world.to_b, TAG, SOON_NS, &names[c]));
    AS_B;
    assert_ok(vmo_recv(world.b, world.to_a, &incoming, SOON_NS));
    assert_ok(vmo_stream_join(world.b, world.to_a, &incoming, consumer_storage[c], VMO_STREAM_CONSUMER_BYTES,
                              SOON_NS, &consumers[c]));
    AS_A;
    model.consumer[c] =
        (struct model_consumer){.joined = true, .start = model.last + 1, .cursor = model.last + 1};
}

static inline void leave(uint32_t c)
{
    AS_B;
    assert_ok(vmo_stream_leave(consumers[c]));
    AS_A;
    model.consumer[c] = (struct model_consumer){0};
}

/* Makes a stream whose first frame has this sequence. */
static inline void begin(const struct vmo_stream_options *options, uint64_t first)
{
    AS_A;
    assert_ok(vmo_stream_create(world.a, options, producer_storage, sizeof(producer_storage), &producer));
    producer->next = first;
    memset(&model, 0, sizeof(model));
    model.options = *options;
    model.ring = stream_ring_entries(options->buffers);
    model.last = first - 1;
    for (uint32_t c = 0; c < options->consumers; c++) {
        join(c);
    }
}

static inline void end(void)
{
    for (uint32_t c = 0; c < model.options.consumers; c++) {
        if (model.consumer[c].joined) {
            leave(c);
        }
    }
    assert_ok(vmo_stream_close(producer));
}

/* ---- Every order -------------------------------------------------------------------------------- */

enum { LOAN, PUBLISH, PUBLISH_SECOND, DROP, OF_CONSUMERS };
enum { TAKE, RELEASE_OLDEST, RELEASE_NEWEST, CALLS };

static inline bool call(uint32_t number)
{
    const uint32_t c = (number - OF_CONSUMERS) / CALLS;

    switch (number) {
    case LOAN:
        return do_loan();
    case PUBLISH:
        return do_publish(0);
    case PUBLISH_SECOND:
        return do_publish(1);
    case DROP:
        return do_drop();
    default:
        return (number - OF_CONSUMERS) % CALLS == TAKE
                   ? do_take(c)
                   : do_release(c, (number - OF_CONSUMERS) % CALLS == RELEASE_NEWEST);
    }
}

#endif
