/* SPDX-License-Identifier: Apache-2.0 */
/* Streams: what a peer may write into the shared memory, and what follows. */
#include "stream_pair.h"

/* The page in which the consumer of storage 0 says what it holds: b's view that it may write. */
static struct stream_page *page_of_b;

static void find_page(void *context, const struct vmo_live *live)
{
    (void)context;
    if (live->kind == VMO_LIVE_VIEW && live->rights == VMO_RIGHTS_ALL) {
        page_of_b = (void *)vmo_view_data_rw(world.b, live->view);
    }
}

/* Takes and releases the frames up to this one. */
static void take_all(struct vmo_consumer *consumer, uint64_t last)
{
    for (uint64_t s = 1; s <= last; s++) {
        const struct vmo_frame frame = taken(consumer, s, 0);
        assert_ok(vmo_stream_release(consumer, &frame));
    }
}

/* Every word says `before` (0: as it is), then `lie`. */
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
    for (uint8_t byte = 1; byte <= (before ? 2 : 1) * options->buffers; byte++) {
        produce(producer, byte);
        if (byte == options->buffers && before) {
            take_all(consumer, byte);
        }
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
    lies_are_found(&lossless, 8, 7); /* of frames 4 to 6 */
}

static void a_word_of_all_ones(void **state)
{
    (void)state;
    lies_are_found(&lossless, 0, UINT64_MAX);
    lies_are_found(&latest, 0, UINT64_MAX);
}

/* A frame that was published before this consumer joined is none of its own. */
static void a_word_from_before_the_join(void **state)
{
    struct vmo_producer *producer = producer_make(&lossless);
    vmo_consumer_t names[2];
    vmo_consumer_t about = {0};
    struct vmo_consumer *first = joined(producer, 0, &names[0]);
    struct vmo_loan loan;

    (void)state;
    for (uint8_t byte = 1; byte <= 3; byte++) {
        produce(producer, byte);
    }
    take_all(first, 3);
    struct vmo_consumer *second = joined(producer, 1, &names[1]);
    AS_B;
    assert_ok(vmo_registry_each(world.b, find_page, NULL)); /* the second one's is the last */
    AS_A;
    for (uint8_t byte = 4; byte <= 6; byte++) {
        produce(producer, byte);
    }
    for (uint32_t b = 0; b < lossless.buffers; b++) {
        atomic_store(&page_of_b->word[b], 2 * 1 + 1);
    }
    AS_B;
    for (uint64_t s = 4; s <= 6; s++) {
        const struct vmo_frame frame = taken(first, s, 0);
        AS_B;
        assert_ok(vmo_stream_release(first, &frame));
    }
    AS_A;
    assert_status(vmo_stream_loan(producer, 0, &loan, &about), VMO_ERR_PROTOCOL);
    assert_int_equal(about.id, names[1].id);
    AS_B;
    assert_ok(vmo_stream_leave(second));
    closed(producer, first);
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

/* Every word of a page at random, again and again: whatever it says, only its own consumer suffers. */
static void a_page_at_random(void **state)
{
    const struct vmo_stream_options *const both[] = {&lossless, &latest};
    uint32_t expelled_count = 0;

    (void)state;
    fake_config()->arena_bytes = UINT64_MAX / 2; /* what was sent is not given back before its channel ends */
    for (uint32_t round = 0; round < 2000; round++) {
        struct vmo_producer *producer = producer_make(both[round % 2]);
        vmo_consumer_t liar;
        vmo_consumer_t honest;
        vmo_consumer_t about;
        struct vmo_loan loan;
        struct vmo_consumer *false_one = joined(producer, 0, &liar);
        AS_B;
        assert_ok(vmo_registry_each(world.b, find_page, NULL));
        AS_A;
        struct vmo_consumer *consumer = joined(producer, 1, &honest);
        uint64_t sequence = 0;
        bool live = true;
        for (uint32_t turn = 0; turn < 6; turn++) {
            uint64_t *words = (void *)page_of_b;
            for (uint32_t i = 0; live && i < sizeof(*page_of_b) / sizeof(*words); i++) {
                words[i] = (uint64_t)(round * 2654435761u + turn * 40503u + i * 97u) >> (i % 13)
                                                                                            << (turn % 3);
            }
            const vmo_status status = vmo_stream_loan(producer, 0, &loan, &about);
            if (status == VMO_OK) {
                memset(loan.data, (uint8_t)++sequence, PAGE);
                assert_ok(vmo_stream_publish(producer, &loan, PAGE, (uint8_t)sequence));
                const struct vmo_frame frame = taken(consumer, sequence, 0);
                assert_ok(vmo_stream_release(consumer, &frame));
                continue;
            }
            assert_int_equal(about.id, liar.id);
            if (status == VMO_ERR_TIMED_OUT) {
                assert_ok(vmo_stream_expel(producer, liar));
            } else {
                assert_status(status, VMO_ERR_PROTOCOL);
            }
            live = false;
            expelled_count++;
        }
        AS_B;
        assert_ok(vmo_stream_leave(false_one));
        closed(producer, consumer);
    }
    assert_true(expelled_count > 1000);
}

/* Every word of the control block at random: the consumer answers by a status, and its frames lie in the
 * pool. */
static void a_control_block_at_random(void **state)
{
    const struct vmo_stream_options *const both[] = {&lossless, &latest};
    uint32_t frames = 0;

    (void)state;
    fake_config()->arena_bytes = UINT64_MAX / 2; /* what was sent is not given back before its channel ends */
    for (uint32_t round = 0; round < 4000; round++) {
        struct vmo_producer *producer = producer_make(both[round % 2]);
        vmo_consumer_t name;
        struct vmo_consumer *consumer = joined(producer, 0, &name);
        uint64_t *words = (void *)producer->control;
        struct vmo_frame frame;
        const size_t count = stream_control_bytes(producer->mask + 1) / sizeof(*words);
        for (size_t i = 0; i < count; i++) {
            const uint64_t random = round * UINT64_C(0x9E3779B97F4A7C15) + i * UINT64_C(0xD1342543DE82EF95);
            words[i] = round % 3 ? random >> (i * 7 + round) % 64 : random;
        }
        if (round % 5) {
            for (uint32_t seat = 0; seat < VMO_STREAM_CONSUMERS_MAX; seat++) {
                producer->control->expelled[seat] = 0;
            }
            producer->control->closed = 0;
        }
        for (uint32_t e = 0; round % 5 && e <= producer->mask; e++) {
            producer->control->ring[e].sequence = e ? e : producer->mask + 1;
            producer->control->ring[e].where =
                stream_where((round + e) % 7, (round * 40503u + e) % (2 * PAGE));
        }
        for (uint32_t turn = 0; turn < 4; turn++) {
            const vmo_status status = take(consumer, turn % 2 ? SOON_NS : 0, &frame);
            if (status == VMO_OK) {
                frames++;
                assert_true(frame.data >= producer->pool && frame.len_bytes <= PAGE);
                assert_true((uint64_t)(frame.data - producer->pool) < both[round % 2]->buffers * PAGE);
                (void)frame.data[PAGE - 1];
                const vmo_status released = vmo_stream_release(consumer, &frame);
                assert_true(released == VMO_OK || released == VMO_ERR_EXPELLED);
            } else {
                assert_true(status == VMO_ERR_TIMED_OUT || status == VMO_ERR_PROTOCOL ||
                            status == VMO_ERR_EXPELLED || status == VMO_ERR_PEER_GONE);
            }
        }
        closed(producer, consumer);
    }
    assert_true(frames > 100);
}

/* An entry names the buffer that the consumer holds. */
static void a_held_buffer_again(void **state)
{
    struct vmo_producer *producer = producer_make(&lossless);
    vmo_consumer_t name;
    struct vmo_consumer *consumer = joined(producer, 0, &name);
    struct vmo_frame none;

    (void)state;
    produce(producer, 1);
    produce(producer, 2);
    const struct vmo_frame first = taken(consumer, 1, 0);
    atomic_store(&producer->control->ring[2].where, stream_where(first.buffer, PAGE));
    assert_status(take(consumer, 0, &none), VMO_ERR_PROTOCOL);
    AS_B;
    assert_ok(vmo_stream_release(consumer, &first));
    closed(producer, consumer);
}

static void published_past_the_last_frame(void **state)
{
    struct vmo_producer *producer = producer_make(&latest);
    vmo_consumer_t name;
    struct vmo_consumer *consumer = joined(producer, 0, &name);
    struct vmo_frame none;

    (void)state;
    atomic_store(&producer->control->published, VMO_STREAM_FRAMES_MAX + 1);
    assert_status(take(consumer, 0, &none), VMO_ERR_PROTOCOL);
    closed(producer, consumer);
}

static vmo_status join_with(const struct vmo_incoming *offer, const struct stream_offer *terms)
{
    struct vmo_incoming false_one = *offer;
    struct vmo_consumer *consumer = NULL;

    memcpy(false_one.body, terms, sizeof(*terms));
    return vmo_stream_join(world.b, world.to_a, &false_one, consumer_storage[1], VMO_STREAM_CONSUMER_BYTES,
                           SOON_NS, &consumer);
}

/* Each field of an offer is checked before the second message is received, so the honest offer still holds.
 */
static void an_offer_that_lies(void **state)
{
    struct vmo_producer *producer = producer_make(&lossless);
    struct vmo_consumer *consumer = NULL;
    struct vmo_incoming offer;
    struct stream_offer terms;
    vmo_consumer_t name;

    (void)state;
    AS_A;
    assert_ok(vmo_stream_offer(producer, world.to_b, TAG, SOON_NS, &name));
    AS_B;
    assert_ok(vmo_recv(world.b, world.to_a, &offer, SOON_NS));
    memcpy(&terms, offer.body, sizeof(terms));
#define LIE(field, value)                                                                                    \
    do {                                                                                                     \
        struct stream_offer lie = terms;                                                                     \
        lie.field = (value);                                                                                 \
        assert_status(join_with(&offer, &lie), VMO_ERR_PROTOCOL);                                            \
    } while (0)
    LIE(policy, 2);
    LIE(seat, VMO_STREAM_CONSUMERS_MAX);
    LIE(buffers, 0);
    LIE(buffers, lossless.buffers + 1);
    LIE(hold, 0);
    LIE(hold, lossless.buffers + 1);
    LIE(looks, VMO_STREAM_LOOKS_MAX + 1);
    LIE(start, 0);
    LIE(start, VMO_STREAM_FRAMES_MAX + 1);
    LIE(capacity_bytes, 0);
    LIE(capacity_bytes, 100);
    LIE(capacity_bytes, 2 * PAGE);
    LIE(capacity_bytes, UINT64_C(1) << STREAM_LENGTH_BITS);
#undef LIE
    assert_ok(vmo_stream_join(world.b, world.to_a, &offer, consumer_storage[0], VMO_STREAM_CONSUMER_BYTES,
                              SOON_NS, &consumer));
    closed(producer, consumer);
}

/* A producer that makes the offer by hand, of a pool that fits it. */
static void offered_by_hand(uint32_t buffers, bool sealed, vmo_status wanted)
{
    const struct stream_offer terms = {.magic = STREAM_MAGIC,
                                       .part = STREAM_OFFER_POOL,
                                       .generation = 1,
                                       .buffers = buffers,
                                       .hold = 1,
                                       .capacity_bytes = PAGE,
                                       .start = 1};
    const uint64_t len_bytes = buffers * PAGE + stream_control_bytes(stream_ring_entries(buffers));
    struct vmo_message message = {.rights = VMO_RIGHT_READ, .body = &terms, .body_bytes = sizeof(terms)};
    struct vmo_incoming offer;

    AS_A;
    assert_ok(vmo_create(world.a, len_bytes, &message.vmo));
    if (sealed) {
        assert_ok(vmo_seal(world.a, message.vmo, VMO_SEAL_PEERS));
    }
    assert_ok(vmo_send(world.a, world.to_b, &message, SOON_NS));
    AS_B;
    assert_ok(vmo_recv(world.b, world.to_a, &offer, SOON_NS));
    assert_status(join_with(&offer, &terms), wanted);
    assert_ok(vmo_close(world.b, offer.vmo));
    AS_A;
    assert_ok(vmo_close(world.a, message.vmo));
}

static void a_pool_that_lies(void **state)
{
    (void)state;
    offered_by_hand(3, false, VMO_ERR_NOT_SEALED);
    offered_by_hand(VMO_STREAM_BUFFERS_MAX + 1, true, VMO_ERR_PROTOCOL); /* a page has fewer words */
    offered_by_hand(3, true, VMO_ERR_TIMED_OUT);                         /* the second message is missing */
}

static vmo_status join_again(const struct vmo_incoming *offer)
{
    struct vmo_consumer *consumer = NULL;

    return vmo_stream_join(world.b, world.to_a, offer, consumer_storage[1], VMO_STREAM_CONSUMER_BYTES,
                           SOON_NS, &consumer);
}

/* An offer is good for one join. The second one hurts neither the first nor, past an expel, the producer. */
static void joins_twice(void **state)
{
    struct vmo_producer *producer = producer_make(&lossless);
    vmo_consumer_t names[2];
    vmo_consumer_t about = {0};
    struct vmo_consumer *consumer = NULL;
    struct vmo_incoming offer;
    struct vmo_incoming rest;
    struct vmo_loan loan;

    (void)state;
    AS_A;
    assert_ok(vmo_stream_offer(producer, world.to_b, TAG, SOON_NS, &names[0]));
    AS_B;
    assert_ok(vmo_recv(world.b, world.to_a, &offer, SOON_NS));
    assert_ok(vmo_stream_join(world.b, world.to_a, &offer, consumer_storage[0], VMO_STREAM_CONSUMER_BYTES,
                              SOON_NS, &consumer));
    assert_status(join_again(&offer), VMO_ERR_TIMED_OUT);
    AS_A;
    assert_ok(vmo_stream_offer(producer, world.to_b, TAG, SOON_NS, &names[1]));
    AS_B;
    assert_status(join_again(&offer), VMO_ERR_PROTOCOL); /* takes the pool's message for the page's */
    assert_ok(vmo_recv(world.b, world.to_a, &rest, SOON_NS));
    assert_ok(vmo_close(world.b, rest.vmo));
    AS_A;
    for (uint8_t byte = 1; byte <= 3; byte++) {
        produce(producer, byte);
    }
    take_all(consumer, 3);
    assert_status(vmo_stream_loan(producer, 0, &loan, &about), VMO_ERR_TIMED_OUT);
    assert_int_equal(about.id, names[1].id);
    assert_ok(vmo_stream_expel(producer, about));
    assert_ok(vmo_stream_loan(producer, 0, &loan, &about));
    closed(producer, consumer);
}

/* Two frames are held and none released: LATEST goes on with the others, as often as it likes. */
static void holds_all(void **state)
{
    static const struct vmo_stream_options two = {
        .policy = VMO_STREAM_LATEST, .buffers = 4, .consumers = 1, .hold = 2, .capacity_bytes = PAGE};
    struct vmo_producer *producer = producer_make(&two);
    vmo_consumer_t name;
    struct vmo_frame none;
    struct vmo_consumer *consumer = joined(producer, 0, &name);

    (void)state;
    produce(producer, 1);
    produce(producer, 2);
    const struct vmo_frame first = taken(consumer, 1, 0);
    const struct vmo_frame second = taken(consumer, 2, 0);
    for (uint32_t s = 3; s <= 1000; s++) {
        produce(producer, (uint8_t)s);
    }
    assert_status(take(consumer, SOON_NS, &none), VMO_ERR_BUSY);
    assert_int_equal(first.data[0], 1);
    assert_int_equal(second.data[PAGE - 1], 2);
    assert_ok(vmo_stream_release(consumer, &first));
    (void)taken(consumer, 999, 996);
    closed(producer, consumer);
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, world_make, world_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(a_word_ahead),
        IN_WORLD(a_word_that_shrinks),
        IN_WORLD(a_word_of_all_ones),
        IN_WORLD(a_word_from_before_the_join),
        IN_WORLD(a_hoarder),
        IN_WORLD(joins_twice),
        IN_WORLD(holds_all),
        IN_WORLD(a_page_at_random),
        IN_WORLD(a_control_block_at_random),
        IN_WORLD(a_held_buffer_again),
        IN_WORLD(published_past_the_last_frame),
        IN_WORLD(an_offer_that_lies),
        IN_WORLD(a_pool_that_lies),
    };
    return cmocka_run_group_tests_name("unit/stream_lies", tests, NULL, NULL);
}
