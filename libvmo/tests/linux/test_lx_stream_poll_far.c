/* SPDX-License-Identifier: Apache-2.0 */
/* Pollable streams between processes: no signal is lost, and each side sees the other one's end. */
#define _GNU_SOURCE
#include "linux/stream_poll.h"

#define ROUND_FRAMES 20000

/* Waits without a limit but the watchdog: a signal that is lost ends the test red. */
static void wait_for(int fd)
{
    struct pollfd look = {.fd = fd, .events = POLLIN};

    assert_int_equal(poll(&look, 1, -1), 1);
}

static struct vmo_producer *create_pollable(vmo_stream_policy policy)
{
    struct vmo_stream_options options = options_of(policy, 1);
    struct vmo_producer *made = NULL;

    assert_ok(vmo_stream_create(registry, &options, producer_storage, sizeof(producer_storage), &made));
    assert_ok(vmo_stream_offer(made, children[0].peer, TAG, after_ms(60000), &name));
    return made;
}

static void read_by_poll(void)
{
    struct vmo_frame frame;
    uint64_t expected = 1;
    int fd = -1;

    consumer = join();
    DEMAND(vmo_stream_fd(consumer, &fd) == VMO_OK);
    for (;;) {
        const vmo_status status = vmo_stream_take(consumer, 0, &frame);
        if (status == VMO_ERR_TIMED_OUT) {
            wait_for(fd);
            continue;
        }
        if (status == VMO_ERR_PEER_GONE) {
            break;
        }
        DEMAND(status == VMO_OK && frame.sequence - frame.lost == expected && holds(&frame));
        expected = frame.sequence + 1;
        DEMAND(vmo_stream_release(consumer, &frame) == VMO_OK);
    }
    DEMAND(expected == ROUND_FRAMES + 1);
    DEMAND(vmo_stream_leave(consumer) == VMO_OK);
}

static void both_poll(vmo_stream_policy policy)
{
    struct vmo_loan loan;

    start(read_by_poll, NULL);
    producer = create_pollable(policy);
    for (uint64_t s = 1; s <= ROUND_FRAMES;) {
        const vmo_status status = vmo_stream_loan(producer, 0, &loan, NULL);
        if (status == VMO_ERR_TIMED_OUT) {
            wait_for(producer_fd());
            continue;
        }
        assert_ok(status);
        assert_ok(fill_and_publish(producer, &loan, s++));
    }
    assert_ok(vmo_stream_close(producer));
    assert_int_equal(reap(0), 0);
    finish(1);
}

static void no_signal_is_lost(void **state)
{
    (void)state;
    both_poll(VMO_STREAM_BACKPRESSURE);
    both_poll(VMO_STREAM_LATEST);
}

static void die_at_once(void)
{
    (void)join();
    (void)raise(SIGKILL);
}

static void the_consumer_dies(void **state)
{
    vmo_consumer_t about = {0};
    struct vmo_loan loan;

    (void)state;
    start(die_at_once, NULL);
    producer = create_pollable(VMO_STREAM_BACKPRESSURE);
    publish();
    publish();
    vmo_status status = VMO_ERR_TIMED_OUT;
    while (status == VMO_ERR_TIMED_OUT) {
        status = vmo_stream_loan(producer, 0, &loan, &about);
        if (status == VMO_ERR_TIMED_OUT) {
            wait_for(producer_fd());
        }
    }
    assert_status(status, VMO_ERR_PEER_GONE);
    assert_int_equal(about.id, name.id);
    assert_int_equal(seen(producer_fd()), 0);
    assert_int_equal(reap(0), -SIGKILL);
    assert_ok(vmo_stream_close(producer));
    finish(1);
}

static void die_offering(void)
{
    children[0].peer = to_parent;
    (void)create_pollable(VMO_STREAM_LATEST);
    (void)raise(SIGKILL);
}

static void the_producer_dies(void **state)
{
    struct vmo_incoming offer;
    struct vmo_frame frame;

    (void)state;
    start(die_offering, NULL);
    assert_ok(vmo_recv(registry, children[0].peer, &offer, after_ms(60000)));
    assert_ok(vmo_stream_join(registry, children[0].peer, &offer, consumer_storage, sizeof(consumer_storage),
                              after_ms(60000), &consumer));
    vmo_status status = VMO_ERR_TIMED_OUT;
    while (status == VMO_ERR_TIMED_OUT) {
        status = vmo_stream_take(consumer, 0, &frame);
        if (status == VMO_ERR_TIMED_OUT) {
            wait_for(consumer_fd());
        }
    }
    assert_status(status, VMO_ERR_PEER_GONE);
    assert_int_equal(reap(0), -SIGKILL);
    assert_ok(vmo_stream_leave(consumer));
    finish(1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_signal_is_lost),
        cmocka_unit_test(the_consumer_dies),
        cmocka_unit_test(the_producer_dies),
    };

    (void)alarm(WATCHDOG_S);
    return cmocka_run_group_tests_name("linux/stream_poll_far", tests, NULL, NULL);
}
