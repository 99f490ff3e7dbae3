/* SPDX-License-Identifier: Apache-2.0 */
/* Streams: the rules of vmo/stream.h, one call at a time, both ends in one thread. */
#include "stream_pair.h"

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
        assert_true(loan[i].data >= loan[0].data); /* the pool's first buffer comes first */
        loan[i].data[0] = (uint8_t)(i + 1);
        loan[i].data[PAGE - 1] = (uint8_t)(i + 1);
    }
    assert_status(vmo_stream_loan(producer, SOON_NS, &none, NULL), VMO_ERR_BUSY);
    assert_int_equal(none.id, 77);
    assert_status(vmo_stream_publish(producer, &loan[2], PAGE + 1, 3), VMO_ERR_BOUNDS);
    assert_ok(vmo_stream_publish(producer, &loan[2], PAGE, 3));
    assert_ok(vmo_stream_drop(producer, &loan[1]));
    assert_status(vmo_stream_drop(producer, &loan[1]), VMO_ERR_BAD_HANDLE);
    for (uint64_t id = 0; id <= 3 * VMO_STREAM_BUFFERS_MAX; id++) {
        const struct vmo_loan forged = {.data = loan[1].data, .capacity_bytes = PAGE, .id = id};
        if (id != loan[0].id && id != loan[2].id) {
            assert_status(vmo_stream_publish(producer, &forged, 1, 0), VMO_ERR_BAD_HANDLE);
        }
    }
    assert_status(vmo_stream_publish(producer, &loan[1], PAGE, 2), VMO_ERR_BAD_HANDLE);
    assert_status(vmo_stream_publish(producer, &loan[2], PAGE, 3), VMO_ERR_BAD_HANDLE);
    assert_ok(vmo_stream_publish(producer, &loan[0], PAGE, 1));
    const struct vmo_frame first = taken(consumer, 1, 0);
    assert_int_equal(first.tag, 3);
    assert_int_equal(taken(consumer, 2, 0).tag, 1);
    closed(producer, consumer);
}

/* While both sides are busy, a frame costs no call of the kernel and leaves nothing behind. */
static void million_frames(const struct vmo_stream_options *options)
{
    struct vmo_producer *producer = producer_make(options);
    vmo_consumer_t name;
    struct vmo_consumer *consumer = joined(producer, 0, &name);
    const struct fake_live live = fake_live();
    const uint32_t calls = fake_call_count();

    for (uint64_t s = 1; s <= 500000; s++) {
        struct vmo_loan loan;
        struct vmo_frame frame;
        assert_true(vmo_stream_loan(producer, SOON_NS, &loan, NULL) == VMO_OK);
        loan.data[0] = (uint8_t)s;
        assert_true(vmo_stream_publish(producer, &loan, 1, s) == VMO_OK);
        assert_true(vmo_stream_take(consumer, SOON_NS, &frame) == VMO_OK);
        assert_true(frame.sequence == s && frame.lost == 0 && frame.data[0] == (uint8_t)s);
        assert_true(vmo_stream_release(consumer, &frame) == VMO_OK);
    }
    const struct fake_live after = fake_live();
    assert_int_equal(fake_call_count(), calls);
    assert_memory_equal(&live, &after, sizeof(live));
    closed(producer, consumer);
}

static void a_million_frames(void **state)
{
    (void)state;
    million_frames(&lossless);
    million_frames(&latest);
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
    AS_B;
    assert_ok(vmo_stream_leave(consumer));
    consumer = joined(producer, 1, &name); /* the next one in its seat is not expelled */
    produce(producer, 5);
    (void)taken(consumer, 5, 0);
    closed(producer, consumer);
}

/* A consumer's page has no seal, and comes all the same to one that demands seals of this peer. */
static void seals_are_demanded(void **state)
{
    struct vmo_producer *producer = producer_make(&lossless);
    struct vmo_message message = {.rights = VMO_RIGHT_READ};
    struct vmo_incoming incoming;
    vmo_consumer_t name;

    (void)state;
    AS_B;
    assert_ok(vmo_peer_require(world.b, world.to_a, VMO_SEAL_PEERS));
    struct vmo_consumer *consumer = joined(producer, 0, &name);
    produce(producer, 1);
    (void)taken(consumer, 1, 0);
    assert_ok(vmo_create(world.a, PAGE, &message.vmo));
    assert_ok(vmo_send(world.a, world.to_b, &message, SOON_NS));
    assert_ok(vmo_close(world.a, message.vmo));
    AS_B;
    assert_status(vmo_recv(world.b, world.to_a, &incoming, SOON_NS), VMO_ERR_NOT_SEALED);
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
    assert_ok(vmo_peer_close(world.a, world.to_b));
    assert_ok(vmo_stream_close(producer)); /* what the child still maps is closed, if not given back */
}

/* Counts the looks of a wait. After the first one, other tasks run until far past the deadline. */
static uint32_t looks_made;
static void others_run(void *context)
{
    looks_made++;
    fake_config()->step_ns = SOON_NS;
    (void)context;
}

/* A wait reads the clock when other tasks may have run, not only before it sleeps. */
static void a_wait_ends_in_time(void **state)
{
    struct vmo_stream_options options = lossless;
    options.looks = VMO_STREAM_LOOKS_MAX;
    struct vmo_producer *producer = producer_make(&options);
    vmo_consumer_t name;
    struct vmo_consumer *consumer = joined(producer, 0, &name);
    const uint64_t step_ns = fake_config()->step_ns;
    struct vmo_frame frame;
    struct vmo_loan loan;

    (void)state;
    fake_on_poll(others_run, NULL);
    assert_status(take(consumer, vmo_now_ns(world.a) + 1, &frame), VMO_ERR_TIMED_OUT);
    assert_in_range(looks_made, 1, 3);
    fake_config()->step_ns = step_ns;
    for (uint8_t byte = 1; byte <= 3; byte++) {
        produce(producer, byte);
    }
    looks_made = 0;
    assert_status(vmo_stream_loan(producer, vmo_now_ns(world.a) + 1, &loan, NULL), VMO_ERR_TIMED_OUT);
    assert_in_range(looks_made, 1, 3);
    fake_config()->step_ns = step_ns;
    fake_on_poll(NULL, NULL);
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
        IN_WORLD(a_million_frames),
        IN_WORLD(a_late_consumer_starts_late),
        IN_WORLD(expelled),
        IN_WORLD(seals_are_demanded),
        IN_WORLD(the_end),
        IN_WORLD(a_consumer_ends),
        IN_WORLD(a_wait_ends_in_time),
    };
    return cmocka_run_group_tests_name("unit/stream", tests, NULL, NULL);
}
