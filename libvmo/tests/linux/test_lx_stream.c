/* SPDX-License-Identifier: Apache-2.0 */
/* Streams between processes, and peers that die or sleep. STREAM_FRAMES (100000) frames go through the long
 * runs. */
#define _GNU_SOURCE
#include <inttypes.h>

#include "linux/stream_children.h"

/* Both policies' frames, in tenths. run-tests.py reads the lines. */
static void say_part(uint64_t sent)
{
    const uint64_t tenth = frames / 5;
    if (tenth != 0 && sent % tenth == 0) {
        printf("# %" PRIu64 " of %" PRIu64 " frames\n", sent, 2 * frames);
        (void)fflush(stdout);
    }
}

static void two_readers(vmo_stream_policy policy)
{
    struct vmo_stream_counters counters;
    struct vmo_loan loan;
    vmo_consumer_t names[2];

    start(read_all, read_all);
    struct vmo_producer *producer = create(policy, names, 2);
    for (uint64_t s = 1; s <= frames; s++) {
        assert_ok(vmo_stream_loan(producer, after_ms(60000), &loan, NULL));
        assert_ok(fill_and_publish(producer, &loan, s));
        say_part(policy == VMO_STREAM_LATEST ? frames + s : s);
    }
    assert_ok(vmo_stream_counters_read(producer, &counters));
    assert_true(policy == VMO_STREAM_LATEST || counters.recycled == 0);
    assert_int_equal(counters.expelled, 0);
    assert_ok(vmo_stream_close(producer));
    assert_int_equal(reap(0), 0);
    assert_int_equal(reap(1), 0);
    finish(2);
}

static void backpressure(void **state)
{
    (void)state;
    two_readers(VMO_STREAM_BACKPRESSURE);
}

static void latest(void **state)
{
    (void)state;
    two_readers(VMO_STREAM_LATEST);
}

/* ---- Peers that die or sleep -------------------------------------------------------------------- */

static void die_holding_all(void)
{
    struct vmo_consumer *consumer = join();
    struct vmo_frame frame;

    DEMAND(vmo_stream_take(consumer, after_ms(60000), &frame) == VMO_OK);
    DEMAND(vmo_stream_take(consumer, after_ms(60000), &frame) == VMO_OK);
    (void)raise(SIGKILL);
}

static void a_consumer_dies(void **state)
{
    vmo_consumer_t name;
    vmo_consumer_t about = {0};
    struct vmo_loan loan;

    (void)state;
    start(die_holding_all, NULL);
    struct vmo_producer *producer = create(VMO_STREAM_BACKPRESSURE, &name, 1);
    for (uint64_t s = 1; s <= 4; s++) {
        assert_ok(vmo_stream_loan(producer, after_ms(60000), &loan, NULL));
        assert_ok(fill_and_publish(producer, &loan, s));
    }
    assert_status(vmo_stream_loan(producer, after_ms(60000), &loan, &about), VMO_ERR_PEER_GONE);
    assert_int_equal(about.id, name.id);
    assert_ok(vmo_stream_loan(producer, 0, &loan, NULL));
    assert_int_equal(reap(0), -SIGKILL);
    assert_ok(vmo_stream_close(producer));
    finish(1);
}

static void die_publishing(void)
{
    vmo_consumer_t name;
    struct vmo_loan loan;

    children[0].peer = to_parent;
    struct vmo_producer *producer = create(VMO_STREAM_BACKPRESSURE, &name, 1);
    for (uint64_t s = 1; s <= 3; s++) {
        assert_ok(vmo_stream_loan(producer, 0, &loan, NULL));
        assert_ok(fill_and_publish(producer, &loan, s));
    }
    (void)raise(SIGKILL); /* as one that dies between publish and bell: nobody is told */
}

static void a_producer_dies(void **state)
{
    struct vmo_consumer *consumer = NULL;
    struct vmo_incoming offer;
    struct vmo_frame frame[3];

    (void)state;
    start(die_publishing, NULL);
    assert_ok(vmo_recv(registry, children[0].peer, &offer, after_ms(60000)));
    assert_ok(vmo_stream_join(registry, children[0].peer, &offer, consumer_storage, sizeof(consumer_storage),
                              after_ms(60000), &consumer));
    assert_int_equal(reap(0), -SIGKILL);
    for (uint32_t i = 0; i < 3; i++) {
        assert_ok(vmo_stream_take(consumer, after_ms(60000), &frame[i]));
        assert_true(holds(&frame[i]));
        if (i != 1) {
            assert_ok(vmo_stream_release(consumer, &frame[i]));
        }
    }
    assert_status(vmo_stream_take(consumer, after_ms(60000), &frame[0]), VMO_ERR_PEER_GONE);
    assert_status(vmo_stream_take(consumer, 0, &frame[0]), VMO_ERR_PEER_GONE);
    assert_true(holds(&frame[1]));
    assert_ok(vmo_stream_leave(consumer));
    finish(1);
}

/* Joins, waits for a word, and finds that it was expelled meanwhile. */
static void never_read(void)
{
    struct vmo_consumer *consumer = join();
    struct vmo_incoming word;
    struct vmo_frame frame;

    DEMAND(vmo_recv(registry, to_parent, &word, after_ms(60000)) == VMO_OK);
    DEMAND(vmo_stream_take(consumer, after_ms(60000), &frame) == VMO_ERR_EXPELLED);
    DEMAND(vmo_stream_leave(consumer) == VMO_OK);
}

static void a_consumer_never_reads(void **state)
{
    const struct vmo_message word = {.tag = 1};
    vmo_consumer_t name;
    vmo_consumer_t about = {0};
    struct vmo_loan loan;

    (void)state;
    start(never_read, NULL);
    struct vmo_producer *producer = create(VMO_STREAM_BACKPRESSURE, &name, 1);
    for (uint64_t s = 1; s <= 4; s++) {
        assert_ok(vmo_stream_loan(producer, 0, &loan, NULL));
        assert_ok(fill_and_publish(producer, &loan, s));
    }
    assert_status(vmo_stream_loan(producer, after_ms(5), &loan, &about), VMO_ERR_TIMED_OUT);
    assert_int_equal(about.id, name.id);
    assert_ok(vmo_stream_expel(producer, about));
    assert_ok(vmo_stream_loan(producer, 0, &loan, NULL));
    assert_ok(vmo_send(registry, children[0].peer, &word, after_ms(60000)));
    assert_int_equal(reap(0), 0);
    assert_ok(vmo_stream_close(producer));
    finish(1);
}

int main(void)
{
    const char *given = getenv("STREAM_FRAMES");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(backpressure),           cmocka_unit_test(latest),
        cmocka_unit_test(a_consumer_dies),        cmocka_unit_test(a_producer_dies),
        cmocka_unit_test(a_consumer_never_reads),
    };

    if (given != NULL) {
        frames = strtoull(given, NULL, 10);
    }
    return cmocka_run_group_tests_name("linux/stream", tests, NULL, NULL);
}
