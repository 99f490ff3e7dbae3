/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for many peers: what poll finds, and what it does not take. */
#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lx_program.h"
#include "vmo/descriptor.h"

#define MESSAGE VMO_POLL_MESSAGE
#define ROOM VMO_POLL_ROOM
#define ENDED VMO_POLL_ENDED

static struct vmo_polled polled(vmo_peer_t peer, uint32_t wanted)
{
    return (struct vmo_polled){peer, wanted, 77};
}

/* Polls one peer. */
static void assert_found(vmo_peer_t peer, uint32_t wanted, uint32_t found, uint64_t deadline_ns)
{
    struct vmo_polled one = polled(peer, wanted);

    assert_ok(vmo_poll(rig.registry, &one, 1, deadline_ns));
    assert_int_equal(one.found, found);
}

static void assert_nothing(vmo_peer_t peer, uint32_t wanted)
{
    struct vmo_polled one = polled(peer, wanted);

    assert_refused(vmo_poll(rig.registry, &one, 1, PAST_NS), VMO_ERR_TIMED_OUT);
    assert_int_equal(one.found, 77);
}

static void far_says(uint32_t tag)
{
    const struct wire data = wire_data(tag);

    far_send(&data, sizeof(data), NULL, 0);
}

static void receive(uint32_t tag)
{
    struct vmo_incoming in;

    assert_ok(vmo_recv(rig.registry, rig.peer, &in, PAST_NS));
    assert_int_equal(in.tag, tag);
}

static void message_is_found_until_it_is_received(void **state)
{
    (void)state;
    assert_nothing(rig.peer, MESSAGE);
    far_says(5);
    assert_nothing(rig.peer, 0);
    assert_found(rig.peer, MESSAGE, MESSAGE, PAST_NS);
    assert_found(rig.peer, MESSAGE | ROOM, MESSAGE | ROOM, VMO_FOREVER_NS);
    receive(5);
    assert_nothing(rig.peer, MESSAGE);
}

static void full_queue_has_no_room(void **state)
{
    struct wire data;
    size_t len = 0;

    (void)state;
    const uint32_t sent = fill_queue();
    assert_nothing(rig.peer, MESSAGE | ROOM);
    for (uint32_t i = 0; i < sent; i++) {
        assert_int_equal(far_recv(&data, sizeof(data), &len), -1);
    }
    assert_found(rig.peer, ROOM, ROOM, PAST_NS);
}

/* The last message is found beside the end. */
static void end_and_the_last_message(void **state)
{
    (void)state;
    far_says(6);
    far_close();
    assert_found(rig.peer, MESSAGE | ROOM, MESSAGE | ENDED, VMO_FOREVER_NS);
    assert_found(rig.peer, 0, ENDED, VMO_FOREVER_NS);
    receive(6);
    assert_found(rig.peer, MESSAGE | ROOM, ENDED, VMO_FOREVER_NS);
}

static void half_closed(void **state)
{
    (void)state;
    assert_int_equal(shutdown(rig.far, SHUT_WR), 0);
    assert_found(rig.peer, MESSAGE, ENDED, VMO_FOREVER_NS);
}

static void hung_up_on(void **state)
{
    int fd = -7;

    (void)state;
    assert_ok(vmo_peer_hangup(rig.registry, rig.peer));
    assert_found(rig.peer, MESSAGE | ROOM, ENDED, VMO_FOREVER_NS);
    assert_refused(vmo_peer_fd(rig.registry, rig.peer, &fd), VMO_ERR_PEER_GONE);
    assert_int_equal(fd, -7);
}

/* The second of three peers has something, and only that one is told so. */
static void one_of_many(void **state)
{
    struct vmo_polled all[3];
    int far[2];

    (void)state;
    for (int i = 0; i < 2; i++) {
        int ends[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
        assert_ok(vmo_peer_open(rig.registry, ends[0], &all[i].peer));
        far[i] = ends[1];
    }
    all[2].peer = rig.peer;
    for (int i = 0; i < 3; i++) {
        all[i] = polled(all[i].peer, MESSAGE);
    }
    const struct wire data = wire_data(1);
    assert_int_equal(send(far[1], &data, sizeof(data), 0), sizeof(data));
    assert_ok(vmo_poll(rig.registry, all, 3, VMO_FOREVER_NS));
    assert_int_equal(all[0].found, 0);
    assert_int_equal(all[1].found, MESSAGE);
    assert_int_equal(all[2].found, 0);
    for (int i = 0; i < 2; i++) {
        assert_ok(vmo_peer_close(rig.registry, all[i].peer));
        assert_int_equal(close(far[i]), 0);
    }
}

static void deadline_is_kept(void **state)
{
    struct vmo_polled one = polled(rig.peer, MESSAGE);

    (void)state;
    const uint64_t deadline = be_now_ns() + UINT64_C(3000000);
    assert_refused(vmo_poll(rig.registry, &one, 1, deadline), VMO_ERR_TIMED_OUT);
    assert_true(be_now_ns() >= deadline);
}

static void arguments(void **state)
{
    struct vmo_polled all[VMO_POLL_MAX + 1];

    (void)state;
    for (size_t i = 0; i <= VMO_POLL_MAX; i++) {
        all[i] = polled(rig.peer, MESSAGE);
    }
    far_says(1);
    assert_refused(vmo_poll(NULL, all, 1, PAST_NS), VMO_ERR_INVALID);
    assert_refused(vmo_poll(rig.registry, NULL, 1, PAST_NS), VMO_ERR_INVALID);
    assert_refused(vmo_poll(rig.registry, all, 0, PAST_NS), VMO_ERR_INVALID);
    assert_refused(vmo_poll(rig.registry, all, VMO_POLL_MAX + 1, PAST_NS), VMO_ERR_TOO_LARGE);
    all[1].wanted = ENDED;
    assert_refused(vmo_poll(rig.registry, all, 2, PAST_NS), VMO_ERR_INVALID);
    all[1] = polled((vmo_peer_t){0}, MESSAGE);
    assert_refused(vmo_poll(rig.registry, all, 2, PAST_NS), VMO_ERR_BAD_HANDLE);
    assert_int_equal(all[0].found, 77);
    all[1] = polled(rig.peer, MESSAGE);
    assert_ok(vmo_poll(rig.registry, all, VMO_POLL_MAX, PAST_NS));
    assert_int_equal(all[VMO_POLL_MAX - 1].found, MESSAGE);
    receive(1);
}

static void limit_below_the_count(void **state)
{
    struct vmo_polled all[VMO_POLL_MAX];
    struct rlimit old;

    (void)state;
    skip_under_valgrind();
    for (size_t i = 0; i < VMO_POLL_MAX; i++) {
        all[i] = polled(rig.peer, MESSAGE);
    }
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    const struct rlimit few = {.rlim_cur = 2 * VMO_POLL_MAX - 1, .rlim_max = old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    assert_refused(vmo_poll(rig.registry, all, VMO_POLL_MAX, VMO_FOREVER_NS), VMO_ERR_NO_SLOTS);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
}

static void descriptor_is_borrowed(void **state)
{
    struct pollfd one = {.events = POLLIN};

    (void)state;
    assert_ok(vmo_peer_fd(rig.registry, rig.peer, &one.fd));
    assert_int_equal(one.fd, rig.near);
    assert_int_equal(poll(&one, 1, 0), 0);
    far_says(3);
    assert_int_equal(poll(&one, 1, 0), 1);
    assert_int_equal(one.revents, POLLIN);
    receive(3);
    assert_refused(vmo_peer_fd(rig.registry, rig.peer, NULL), VMO_ERR_INVALID);
    assert_refused(vmo_peer_fd(rig.registry, (vmo_peer_t){0}, &one.fd), VMO_ERR_BAD_HANDLE);
}

/* The grandchild keeps the channel open, so only the pidfd, or waitid, shows the child's end. */
static void end_of_a_child(void **state)
{
    (void)state;
    skip_under_valgrind();
    for (int without = 0; without < 2; without++) {
        lx_features_without(without ? LX_PIDFD : 0);
        const vmo_peer_t peer = spawned("leave-open");
        /* half of the time after which the grandchild gives up */
        assert_found(peer, MESSAGE, ENDED, be_now_ns() + UINT64_C(10000000000));
        assert_int_equal(waited_for(peer), 5);
        assert_ok(vmo_peer_close(rig.registry, peer));
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_make, rig_drop)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CASE(message_is_found_until_it_is_received),
        CASE(full_queue_has_no_room),
        CASE(end_and_the_last_message),
        CASE(half_closed),
        CASE(hung_up_on),
        CASE(one_of_many),
        CASE(deadline_is_kept),
        CASE(arguments),
        CASE(limit_below_the_count),
        CASE(descriptor_is_borrowed),
        CASE(end_of_a_child),
    };

    return argc > 0 && program_load(argv[0]) ? cmocka_run_group_tests_name("lx_poll", tests, NULL, NULL) : 1;
}
