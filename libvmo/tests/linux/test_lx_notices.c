/* SPDX-License-Identifier: Apache-2.0 */
/* Notices (lx_packet.h): when a sender gives them, and what a receiver does by them. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lx_packet.h"
#include "lx_test.h"
#include "wire.h"

#define QUIET_AFTER 8
#define STEADY (F_SEAL_GROW | F_SEAL_SHRINK)

static vmo_status send_plain(uint32_t tag)
{
    const struct vmo_message message = {.tag = tag};

    return vmo_send(rig.registry, rig.peer, &message, PAST_NS);
}

static vmo_status receive(struct vmo_incoming *in)
{
    return vmo_recv(rig.registry, rig.peer, in, PAST_NS);
}

static void far_notice(uint32_t value, const int *descriptor)
{
    const struct lx_packet notice = {LX_NOTICE, value};

    far_send(&notice, sizeof(notice), descriptor, descriptor ? 1 : 0);
}

/* ---- The sender ---------------------------------------------------------------------------------------- */

static void assert_far_notice(uint32_t value)
{
    struct lx_packet packet = {0, 99};

    assert_int_equal(recv(rig.far, &packet, sizeof(packet), MSG_DONTWAIT), sizeof(packet));
    assert_int_equal(packet.magic, LX_NOTICE);
    assert_int_equal(packet.value, value);
}

static void assert_far_tag(uint32_t tag)
{
    struct wire wire;

    assert_int_equal(recv(rig.far, &wire, sizeof(wire), MSG_DONTWAIT), sizeof(wire));
    assert_int_equal(wire.tag, tag);
}

static void assert_far_empty(void)
{
    uint8_t byte;

    assert_int_equal(recv(rig.far, &byte, 1, MSG_DONTWAIT), -1);
}

static void given_after_plain_messages_and_before_a_vmo(void **state)
{
    const vmo_t vmo = filled(PAGE);
    const struct vmo_message with_vmo = {.tag = 50, .vmo = vmo, .rights = VMO_RIGHT_READ};
    struct vmo_ticket ticket;
    struct lx_packet grant;

    (void)state;
    for (int round = 0; round < 2; round++) {
        for (uint32_t tag = 1; tag <= QUIET_AFTER; tag++) {
            assert_ok(send_plain(tag));
            assert_far_tag(tag);
        }
        assert_far_notice(LX_NONE_FOLLOW);
        assert_ok(send_plain(20));
        assert_far_tag(20);
        assert_far_empty();
        if (round == 0) {
            assert_ok(vmo_send(rig.registry, rig.peer, &with_vmo, PAST_NS));
            assert_far_notice(LX_SOME_FOLLOW);
            assert_far_tag(50);
        } else {
            assert_ok(vmo_transfer(rig.registry, vmo, rig.peer, VMO_RIGHT_READ, &ticket));
            assert_far_notice(LX_SOME_FOLLOW);
            assert_int_equal(recv(rig.far, &grant, sizeof(grant), MSG_DONTWAIT), sizeof(grant));
            assert_int_equal(grant.magic, LX_GRANT);
        }
    }
    assert_ok(vmo_send(rig.registry, rig.peer, &with_vmo, PAST_NS));
    assert_far_tag(50);
    assert_far_empty();
    assert_ok(vmo_destroy(rig.registry, vmo));
}

/* ---- The receiver -------------------------------------------------------------------------------------- */

/* Receives while the process has room for so many descriptors more. */
static vmo_status receive_with_room(rlim_t room, struct vmo_incoming *in)
{
    struct rlimit before;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    const int lowest = dup(rig.far);
    assert_true(lowest >= 0);
    close(lowest);
    const struct rlimit low = {(rlim_t)lowest + room, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    const vmo_status status = receive(in);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    return status;
}

static void obeyed_without_losing_a_descriptor(void **state)
{
    const struct wire plain = wire_data(1);
    const struct wire handle = wire_handle(PAGE, VMO_RIGHTS_ALL, VMO_SEAL_NONE);
    const int memory = memory_with(PAGE, STEADY);
    struct vmo_incoming in;

    (void)state;
    skip_under_valgrind();
    far_notice(LX_NONE_FOLLOW, NULL);
    far_send(&plain, sizeof(plain), NULL, 0);
    assert_ok(receive_with_room(0, &in));
    far_notice(LX_SOME_FOLLOW, NULL);
    far_send(&handle, sizeof(handle), &memory, 1);
    assert_status(receive_with_room(0, &in), VMO_ERR_NO_SLOTS);
    assert_ok(receive(&in));
    assert_ok(vmo_close(rig.registry, in.vmo));
    assert_int_equal(close(memory), 0);
}

static void a_descriptor_against_the_notice(void **state)
{
    const struct wire plain = wire_data(7);
    const struct wire handle = wire_handle(PAGE, VMO_RIGHTS_ALL, VMO_SEAL_NONE);
    const int memory = memory_with(PAGE, STEADY);
    struct vmo_incoming in;

    (void)state;
    skip_under_valgrind();
    far_notice(LX_NONE_FOLLOW, NULL);
    far_send(&handle, sizeof(handle), &memory, 1);
    assert_ok(receive(&in)); /* there is room */
    assert_ok(vmo_close(rig.registry, in.vmo));
    far_send(&handle, sizeof(handle), &memory, 1);
    far_send(&plain, sizeof(plain), NULL, 0);
    assert_status(receive_with_room(0, &in), VMO_ERR_PROTOCOL); /* dropped */
    assert_ok(receive(&in));
    assert_int_equal(in.tag, 7);
    assert_int_equal(close(memory), 0);
}

/* A message that was taken cannot stay queued for want of a free entry. */
static void no_entry_for_it(void **state)
{
    const struct wire handle = wire_handle(PAGE, VMO_RIGHTS_ALL, VMO_SEAL_NONE);
    const int memory = memory_with(PAGE, STEADY);
    static const uint8_t byte = 1;
    struct vmo_incoming in;
    vmo_t wrapped[16];

    (void)state;
    for (size_t i = 0; i < 16; i++) {
        assert_ok(vmo_wrap_bytes(rig.registry, &byte, 1, &wrapped[i]));
    }
    far_notice(LX_NONE_FOLLOW, NULL);
    far_send(&handle, sizeof(handle), &memory, 1);
    assert_status(receive(&in), VMO_ERR_PROTOCOL);
    assert_status(receive(&in), VMO_ERR_TIMED_OUT);
    for (size_t i = 0; i < 16; i++) {
        assert_ok(vmo_close(rig.registry, wrapped[i]));
    }
    assert_int_equal(close(memory), 0);
}

/* A notice that carries a descriptor does not hold, and leaves none behind: the teardown counts. */
static void malformed(void **state)
{
    const struct wire plain = wire_data(7);
    const int memory = memory_with(PAGE, STEADY);
    struct vmo_incoming in;

    (void)state;
    far_notice(LX_NONE_FOLLOW, &memory);
    far_send(&plain, sizeof(plain), NULL, 0);
    assert_ok(receive(&in));
    far_notice(LX_NONE_FOLLOW, NULL);
    far_notice(LX_NONE_FOLLOW, &memory);
    far_send(&plain, sizeof(plain), NULL, 0);
    assert_ok(receive(&in));
    assert_int_equal(close(memory), 0);
}

/* A peer that sends nothing else cannot block a call. */
static void flood_is_bounded(void **state)
{
    const struct wire plain = wire_data(7);
    struct vmo_incoming in;
    vmo_status status = VMO_ERR_TIMED_OUT;
    int tries = 0;

    (void)state;
    for (int i = 0; i < 100; i++) {
        far_notice((uint32_t)i % 2, NULL);
    }
    far_send(&plain, sizeof(plain), NULL, 0);
    for (; status == VMO_ERR_TIMED_OUT && tries < 100; tries++) {
        status = receive(&in);
    }
    assert_ok(status);
    assert_int_equal(tries, 12); /* nine packets a call */
}

static void before_a_transfer(void **state)
{
    vmo_peer_t to_near;
    struct vmo_registry *far = far_make(&to_near);
    struct vmo_incoming in;
    struct vmo_ticket ticket;
    const vmo_t vmo = filled(PAGE);
    vmo_t got = VMO_NONE;

    (void)state;
    for (uint32_t tag = 1; tag <= QUIET_AFTER; tag++) {
        assert_ok(send_plain(tag));
        assert_ok(vmo_recv(far, to_near, &in, PAST_NS));
    }
    assert_status(vmo_recv(far, to_near, &in, PAST_NS), VMO_ERR_TIMED_OUT);
    assert_ok(vmo_transfer(rig.registry, vmo, rig.peer, VMO_RIGHT_READ, &ticket));
    assert_ok(vmo_accept(far, to_near, &ticket, &got));
    assert_ok(vmo_close(far, got));
    far_drop(to_near);
    assert_ok(vmo_destroy(rig.registry, vmo));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_make, rig_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(given_after_plain_messages_and_before_a_vmo),
        CASE(obeyed_without_losing_a_descriptor),
        CASE(a_descriptor_against_the_notice),
        CASE(no_entry_for_it),
        CASE(malformed),
        CASE(flood_is_bounded),
        CASE(before_a_transfer),
    };
    return cmocka_run_group_tests_name("lx_notices", tests, NULL, NULL);
}
