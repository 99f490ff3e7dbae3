/* SPDX-License-Identifier: Apache-2.0 */
/* Streams: the rules of vmo/stream.h, one call at a time, both ends in one thread. */
#include "unit.h"

#include <stdalign.h>
#include <stdatomic.h>

#include "protocol.h"
#include "vmo/stream.h"

#define TAG 9

static alignas(16) uint8_t producer_storage[VMO_STREAM_PRODUCER_BYTES(64, 32)];
static alignas(16) uint8_t consumer_storage[4][VMO_STREAM_CONSUMER_BYTES];

static const struct vmo_stream_options lossless = {
    .policy = VMO_STREAM_BACKPRESSURE, .buffers = 3, .consumers = 2, .hold = 2, .capacity_bytes = PAGE};
static const struct vmo_stream_options latest = {
    .policy = VMO_STREAM_LATEST, .buffers = 4, .consumers = 2, .hold = 1, .capacity_bytes = PAGE};

static struct vmo_producer *producer_make(const struct vmo_stream_options *options)
{
    struct vmo_producer *producer = NULL;

    assert_ok(vmo_stream_create(world.a, options, producer_storage, sizeof producer_storage, &producer));
    return producer;
}

/* b joins what a offers. */
static struct vmo_consumer *joined(struct vmo_producer *producer, uint32_t storage, vmo_consumer_t *name)
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
static void produce(struct vmo_producer *producer, uint8_t byte)
{
    struct vmo_loan loan;
    vmo_consumer_t about;

    assert_ok(vmo_stream_loan(producer, 0, &loan, &about));
    assert_int_equal(loan.capacity_bytes, PAGE);
    memset(loan.data, byte, PAGE);
    assert_ok(vmo_stream_publish(producer, &loan, PAGE, byte));
}

/* vmo_stream_take, on the consumer's side. */
static vmo_status take(struct vmo_consumer *consumer, uint64_t deadline_ns, struct vmo_frame *out)
{
    AS_B;
    const vmo_status status = vmo_stream_take(consumer, deadline_ns, out);
    AS_A;
    return status;
}

static struct vmo_frame taken(struct vmo_consumer *consumer, uint64_t sequence, uint64_t lost)
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

static void closed(struct vmo_producer *producer, struct vmo_consumer *consumer)
{
    AS_B;
    if (consumer != NULL) {
        assert_ok(vmo_stream_leave(consumer));
    }
    AS_A;
    assert_ok(vmo_stream_close(producer));
}

/* ---- The life of a frame ------------------------------------------------------------------------ */

static void frames_in_order(void **state)
{
    const struct fake_live before = fake_live();
    struct vmo_producer *producer = producer_make(&lossless);
    struct vmo_consumer *consumer = NULL;
    vmo_consumer_t name;
    struct vmo_frame frame;

    (void)state;
    consumer = joined(producer, 0, &name);
    assert_status(take(consumer, 0, &frame), VMO_ERR_TIMED_OUT);
    for (uint64_t s = 1; s <= 20; s++) {
        produce(producer, (uint8_t)s);
        frame = taken(consumer, s, 0);
        assert_ok(vmo_stream_release(consumer, &frame));
        assert_status(vmo_stream_release(consumer, &frame), VMO_ERR_BAD_HANDLE);
    }
    closed(producer, consumer);
    assert_int_equal(fake_live().mappings, before.mappings);
    assert_int_equal(fake_live().caps, before.caps);
}

static void released_in_any_order(void **state)
{
    struct vmo_producer *producer = producer_make(&lossless);
    vmo_consumer_t name;
    struct vmo_consumer *consumer = joined(producer, 0, &name);
    struct vmo_loan loan = {0};
    vmo_consumer_t about = {0};
    struct vmo_frame frame;

    (void)state;
    for (uint8_t byte = 1; byte <= 3; byte++) {
        produce(producer, byte);
    }
    assert_status(vmo_stream_loan(producer, SOON_NS, &loan, &about), VMO_ERR_TIMED_OUT);
    assert_int_equal(about.id, name.id);
    struct vmo_frame first = taken(consumer, 1, 0);
    struct vmo_frame second = taken(consumer, 2, 0);
    assert_status(take(consumer, 0, &frame), VMO_ERR_BUSY);
    assert_ok(vmo_stream_release(consumer, &second));
    produce(producer, 4); /* in the second one's buffer */
    assert_int_equal(first.data[0], 1);
    assert_status(vmo_stream_loan(producer, 0, &loan, NULL), VMO_ERR_TIMED_OUT);
    frame = taken(consumer, 3, 0);
    assert_ok(vmo_stream_release(consumer, &first));
    assert_ok(vmo_stream_release(consumer, &frame));
    frame = taken(consumer, 4, 0);
    closed(producer, consumer);
}

/* The buffer that came free last is used first, while its bytes are in a cache. */
static void last_in_first_out(void **state)
{
    struct vmo_producer *producer = producer_make(&lossless);
    vmo_consumer_t name;
    struct vmo_consumer *consumer = joined(producer, 0, &name);
    const uint8_t *at = NULL;

    (void)state;
    for (uint64_t s = 1; s <= 5; s++) {
        produce(producer, (uint8_t)s);
        const struct vmo_frame frame = taken(consumer, s, 0);
        assert_true(at == NULL || at == frame.data);
        at = frame.data;
        assert_ok(vmo_stream_release(consumer, &frame));
    }
    closed(producer, consumer);
}

static void latest_overwrites(void **state)
{
    struct vmo_producer *producer = producer_make(&latest);
    vmo_consumer_t name;
    struct vmo_consumer *consumer = joined(producer, 0, &name);
    struct vmo_stream_counters counters;

    (void)state;
    produce(producer, 1);
    const struct vmo_frame held = taken(consumer, 1, 0);
    for (uint8_t byte = 2; byte <= 9; byte++) {
        produce(producer, byte);
        assert_int_equal(held.data[0], 1);
    }
    assert_ok(vmo_stream_counters_read(producer, &counters));
    assert_int_equal(counters.published, 9);
    assert_int_equal(counters.recycled, 5); /* 2 to 6; 7 to 9 have a buffer each */
    assert_ok(vmo_stream_release(consumer, &held));
    const struct vmo_frame next = taken(consumer, 7, 5);
    assert_ok(vmo_stream_release(consumer, &next));
    const struct vmo_frame after = taken(consumer, 8, 0);
    assert_ok(vmo_stream_release(consumer, &after));
    closed(producer, consumer);
}

/* The newest frame stays, so that a consumer that comes late finds one. */
static void latest_keeps_the_newest(void **state)
{
    struct vmo_producer *producer = producer_make(&latest);
    vmo_consumer_t name;
    struct vmo_consumer *consumer = joined(producer, 0, &name);
    struct vmo_loan loans[4];

    (void)state;
    produce(producer, 1);
    for (uint32_t i = 0; i < 3; i++) {
        assert_ok(vmo_stream_loan(producer, 0, &loans[i], NULL));
    }
    assert_status(vmo_stream_loan(producer, SOON_NS, &loans[3], NULL), VMO_ERR_BUSY);
    const struct vmo_frame frame = taken(consumer, 1, 0);
    assert_ok(vmo_stream_release(consumer, &frame));
    closed(producer, consumer);
}

static void loans(void **state)
{
    struct vmo_producer *producer = producer_make(&lossless);
    vmo_consumer_t name;
    struct vmo_consumer *consumer = joined(producer, 0, &name);
    struct vmo_loan loan[3];
    struct vmo_loan none = {.id = 77};

    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        assert_ok(vmo_stream_loan(producer, 0, &loan[i], NULL));
        loan[i].data[0] = (uint8_t)(i + 1);
        loan[i].data[PAGE - 1] = (uint8_t)(i + 1);
    }
    assert_status(vmo_stream_loan(producer, SOON_NS, &none, NULL), VMO_ERR_BUSY);
    assert_int_equal(none.id, 77);
    assert_status(vmo_stream_publish(producer, &loan[2], PAGE + 1, 3), VMO_ERR_BOUNDS);
    assert_ok(vmo_stream_publish(producer, &loan[2], PAGE, 3));
    assert_ok(vmo_stream_drop(producer, &loan[1]));
    assert_status(vmo_stream_drop(producer, &loan[1]), VMO_ERR_BAD_HANDLE);
    assert_status(vmo_stream_publish(producer, &loan[1], PAGE, 2), VMO_ERR_BAD_HANDLE);
    assert_status(vmo_stream_publish(producer, &loan[2], PAGE, 3), VMO_ERR_BAD_HANDLE);
    assert_ok(vmo_stream_publish(producer, &loan[0], PAGE, 1));
    const struct vmo_frame first = taken(consumer, 1, 0);
    assert_int_equal(first.tag, 3);
    assert_int_equal(taken(consumer, 2, 0).tag, 1);
    closed(producer, consumer);
}

/* ---- Consumers come and go ---------------------------------------------------------------------- */

static void a_late_consumer_starts_late(void **state)
{
    struct vmo_producer *producer = producer_make(&lossless);
    vmo_consumer_t names[2];
    struct vmo_consumer *first = joined(producer, 0, &names[0]);
    struct vmo_frame frame;

    (void)state;
    produce(producer, 1);
    struct vmo_consumer *second = joined(producer, 1, &names[1]);
    assert_status(take(second, 0, &frame), VMO_ERR_TIMED_OUT);
    produce(producer, 2);
    frame = taken(second, 2, 0);
    assert_ok(vmo_stream_release(second, &frame));
    frame = taken(first, 1, 0);
    assert_ok(vmo_stream_release(first, &frame));
    AS_A;
    assert_status(vmo_stream_offer(producer, world.to_b, TAG, SOON_NS, &names[0]), VMO_ERR_TABLE_FULL);
    AS_B;
    assert_ok(vmo_stream_leave(second));
    AS_A;
    second = joined(producer, 2, &names[1]); /* the seat is free again */
    produce(producer, 3);
    (void)taken(second, 3, 0);
    AS_B;
    assert_ok(vmo_stream_leave(second));
    closed(producer, first);
}

static void expelled(void **state)
{
    struct vmo_producer *producer = producer_make(&lossless);
    vmo_consumer_t name;
    vmo_consumer_t about;
    struct vmo_consumer *consumer = joined(producer, 0, &name);
    struct vmo_loan loan;
    struct vmo_frame other;

    (void)state;
    for (uint8_t byte = 1; byte <= 3; byte++) {
        produce(producer, byte);
    }
    const struct vmo_frame frame = taken(consumer, 1, 0);
    assert_status(vmo_stream_loan(producer, 0, &loan, &about), VMO_ERR_TIMED_OUT);
    assert_ok(vmo_stream_expel(producer, about));
    assert_status(vmo_stream_expel(producer, name), VMO_ERR_BAD_HANDLE);
    produce(producer, 4);
    assert_status(take(consumer, 0, &other), VMO_ERR_EXPELLED);
    assert_status(vmo_stream_release(consumer, &frame), VMO_ERR_EXPELLED);
    assert_status(vmo_stream_release(consumer, &frame), VMO_ERR_BAD_HANDLE);
    closed(producer, consumer);
}

static void the_end(void **state)
{
    struct vmo_producer *producer = producer_make(&lossless);
    vmo_consumer_t name;
    struct vmo_consumer *consumer = joined(producer, 0, &name);
    struct vmo_frame frame;

    (void)state;
    produce(producer, 1);
    produce(producer, 2);
    AS_A;
    assert_ok(vmo_stream_close(producer));
    frame = taken(consumer, 1, 0);
    const struct vmo_frame second = taken(consumer, 2, 0);
    assert_ok(vmo_stream_release(consumer, &frame));
    assert_status(take(consumer, SOON_NS, &frame), VMO_ERR_PEER_GONE);
    assert_int_equal(second.data[0], 2); /* stays readable */
    AS_B;
    assert_ok(vmo_stream_leave(consumer));
    assert_status(take(consumer, SOON_NS, &frame), VMO_ERR_BAD_HANDLE);
    AS_A;
}

static void a_consumer_ends(void **state)
{
    struct vmo_producer *producer = producer_make(&lossless);
    vmo_consumer_t name;
    vmo_consumer_t about = {0};
    struct vmo_loan loan;

    (void)state;
    (void)joined(producer, 0, &name);
    for (uint8_t byte = 1; byte <= 3; byte++) {
        produce(producer, byte);
    }
    AS_A;
    fake_kill_peer(0);
    assert_status(vmo_stream_loan(producer, SOON_NS, &loan, &about), VMO_ERR_PEER_GONE);
    assert_int_equal(about.id, name.id);
    assert_ok(vmo_stream_loan(producer, 0, &loan, NULL));
    assert_ok(vmo_stream_close(producer));
}

/* ---- Lies --------------------------------------------------------------------------------------- */

/* The page in which the consumer of storage 0 says what it holds: b's view that it may write. */
static struct stream_page *page_of_b;

static void find_page(void *context, const struct vmo_live *live)
{
    (void)context;
    if (live->kind == VMO_LIVE_VIEW && live->rights == VMO_RIGHTS_ALL) {
        page_of_b = (void *)vmo_view_data_rw(world.b, live->view);
    }
}

static void lies_are_found(const struct vmo_stream_options *options, uint64_t before, uint64_t lie)
{
    struct vmo_producer *producer = producer_make(options);
    vmo_consumer_t name;
    vmo_consumer_t about = {0};
    struct vmo_consumer *consumer = joined(producer, 0, &name);
    struct vmo_loan loan;

    AS_B;
    assert_ok(vmo_registry_each(world.b, find_page, NULL));
    AS_A;
    for (uint8_t byte = 1; byte <= options->buffers; byte++) {
        produce(producer, byte);
    }
    for (uint32_t b = 0; before && b < options->buffers; b++) {
        atomic_store(&page_of_b->word[b], before);
    }
    if (before) {
        assert_status(vmo_stream_loan(producer, 0, &loan, &about), VMO_ERR_TIMED_OUT);
    }
    for (uint32_t b = 0; b < options->buffers; b++) {
        atomic_store(&page_of_b->word[b], lie);
    }
    assert_status(vmo_stream_loan(producer, 0, &loan, &about), VMO_ERR_PROTOCOL);
    assert_int_equal(about.id, name.id);
    assert_ok(vmo_stream_loan(producer, 0, &loan, &about)); /* without the liar */
    closed(producer, consumer);
}

static void a_word_ahead(void **state)
{
    (void)state;
    lies_are_found(&lossless, 0, 9);
}

static void a_word_that_shrinks(void **state)
{
    (void)state;
    lies_are_found(&lossless, 2, 1);
}

static void a_word_of_all_ones(void **state)
{
    (void)state;
    lies_are_found(&lossless, 0, UINT64_MAX);
    lies_are_found(&latest, 0, UINT64_MAX);
}

/* More frames claimed than the hold limit allows: with honest consumers LATEST always finds a buffer. */
static void a_hoarder(void **state)
{
    struct vmo_producer *producer = producer_make(&latest);
    vmo_consumer_t name;
    vmo_consumer_t about = {0};
    struct vmo_consumer *consumer = joined(producer, 0, &name);
    struct vmo_loan loan;

    (void)state;
    AS_B;
    assert_ok(vmo_registry_each(world.b, find_page, NULL));
    AS_A;
    for (uint8_t byte = 1; byte <= 4; byte++) {
        produce(producer, byte); /* frame b + 1 lies in buffer b */
    }
    for (uint32_t b = 0; b < 4; b++) {
        atomic_store(&page_of_b->word[b], 2 * (uint64_t)(b + 1));
    }
    assert_status(vmo_stream_loan(producer, 0, &loan, &about), VMO_ERR_PROTOCOL);
    assert_int_equal(about.id, name.id);
    closed(producer, consumer);
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, world_make, world_drop)
#define IN_SMALL_WORLD(test) cmocka_unit_test_setup_teardown(test, world_make_small, world_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(frames_in_order),
        IN_WORLD(released_in_any_order),
        IN_SMALL_WORLD(released_in_any_order),
        IN_WORLD(last_in_first_out),
        IN_WORLD(latest_overwrites),
        IN_SMALL_WORLD(latest_overwrites),
        IN_WORLD(latest_keeps_the_newest),
        IN_WORLD(loans),
        IN_WORLD(a_late_consumer_starts_late),
        IN_WORLD(expelled),
        IN_WORLD(the_end),
        IN_WORLD(a_consumer_ends),
        IN_WORLD(a_word_ahead),
        IN_WORLD(a_word_that_shrinks),
        IN_WORLD(a_word_of_all_ones),
        IN_WORLD(a_hoarder),
    };
    return cmocka_run_group_tests_name("unit/stream", tests, NULL, NULL);
}
