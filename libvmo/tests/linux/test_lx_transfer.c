/* SPDX-License-Identifier: Apache-2.0 */
/* Transfers on Linux: parked on arrival, accepted by name, bounded. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lx_test.h"

#define STEADY (F_SEAL_GROW | F_SEAL_SHRINK)

static vmo_status accept_here(const struct vmo_ticket *ticket, vmo_t *out)
{
    return vmo_accept(rig.registry, rig.peer, ticket, out);
}

static struct vmo_ticket ticket_of(uint32_t name)
{
    return (struct vmo_ticket){.len_bytes = PAGE, .name = name, .rights = VMO_RIGHT_READ, .seal = 0};
}

/* The far end transfers a VMO under this name. */
static void grant(uint32_t name)
{
    const struct wire_grant packet = {WIRE_GRANT_MAGIC, name};
    const int memory = memory_with(PAGE, STEADY);

    assert_int_equal(pwrite(memory, &name, sizeof(name), 0), sizeof(name));
    far_send(&packet, sizeof(packet), &memory, 1);
    assert_int_equal(close(memory), 0);
}

static void assert_accepts(uint32_t name)
{
    const struct vmo_ticket ticket = ticket_of(name);
    vmo_t vmo = VMO_NONE;
    uint32_t held = 0;

    assert_ok(accept_here(&ticket, &vmo));
    assert_ok(vmo_read(rig.registry, vmo, RANGE(0, sizeof(held)), &held));
    assert_int_equal(held, name);
    assert_ok(vmo_close(rig.registry, vmo));
}

static void both_ways(void **state)
{
    vmo_peer_t to_near;
    struct vmo_registry *far = far_make(&to_near);
    const vmo_t vmo = filled(PAGE + 1);
    struct vmo_ticket ticket = {0};
    struct vmo_ticket back = {0};
    struct vmo_incoming in;
    vmo_t there = VMO_NONE;
    vmo_t again = VMO_NONE;
    uint8_t bytes[16];

    (void)state;
    assert_ok(vmo_seal(rig.registry, vmo, VMO_SEAL_FOREVER));
    assert_ok(vmo_peer_require(far, to_near, VMO_SEAL_FOREVER));
    assert_ok(vmo_transfer(rig.registry, vmo, rig.peer, VMO_RIGHT_READ, &ticket));
    assert_int_equal(ticket.name, 1);
    assert_int_equal(ticket.len_bytes, PAGE + 1);
    assert_ok(vmo_send(rig.registry, rig.peer,
                       &(struct vmo_message){.tag = 3, .body = &ticket, .body_bytes = sizeof(ticket)},
                       PAST_NS));
    assert_ok(vmo_recv(far, to_near, &in, PAST_NS)); /* the transfer before it is parked, not returned */
    memcpy(&back, in.body, sizeof(back));
    assert_ok(vmo_accept(far, to_near, &back, &there));
    assert_ok(vmo_read(far, there, RANGE(PAGE - 8, 9), bytes));
    assert_pattern(bytes, PAGE - 8, 9);
    assert_status(vmo_accept(far, to_near, &back, &again), VMO_ERR_PROTOCOL); /* accepted already */
    assert_ok(vmo_transfer(far, there, to_near, VMO_RIGHT_READ, &back));
    assert_int_equal(back.name, 1); /* each direction has its own names */
    assert_ok(accept_here(&back, &again));
    assert_ok(vmo_close(rig.registry, again));
    assert_ok(vmo_close(far, there));
    assert_ok(vmo_close(rig.registry, vmo));
    far_drop(to_near);
}

static void unknown_names(void **state)
{
    const uint32_t names[] = {0, 2, 8, 9, UINT32_MAX};
    vmo_t vmo = VMO_NONE;

    (void)state;
    grant(1);
    assert_accepts(1);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const struct vmo_ticket ticket = ticket_of(names[i]);
        assert_refused(accept_here(&ticket, &vmo), VMO_ERR_PROTOCOL);
    }
    assert_int_equal(vmo.id, VMO_NONE.id);
}

static void any_order(void **state)
{
    const uint32_t order[] = {5, 1, 8, 2, 7, 3, 6, 4};

    (void)state;
    for (uint32_t name = 1; name <= 8; name++) {
        grant(name);
    }
    for (size_t i = 0; i < 8; i++) {
        assert_accepts(order[i]);
    }
    for (uint32_t name = 9; name < 100; name++) { /* accepted transfers free their places */
        grant(name);
        assert_accepts(name);
    }
}

static void ninth_evicts_the_first(void **state)
{
    struct vmo_incoming in;
    vmo_t vmo = VMO_NONE;
    const struct vmo_ticket dropped = ticket_of(1);

    (void)state;
    for (uint32_t name = 1; name <= 9; name++) {
        grant(name);
    }
    const uint32_t before = look().descriptors;
    assert_status(vmo_recv(rig.registry, rig.peer, &in, PAST_NS), VMO_ERR_TIMED_OUT);
    assert_int_equal(look().descriptors, before + 8);
    assert_refused(accept_here(&dropped, &vmo), VMO_ERR_PROTOCOL);
    assert_accepts(9);
    assert_accepts(2);
    grant(10);
    assert_accepts(10);
    assert_accepts(8);
} /* closing the peer closes the rest; rig_drop counts descriptors */

/* A ticket may arrive by another channel, before the transfer is received. */
static void accepted_before_a_receive(void **state)
{
    const struct wire word = wire_data(6);
    const struct vmo_ticket behind = ticket_of(2);
    struct vmo_incoming in;
    vmo_t vmo = VMO_NONE;

    (void)state;
    grant(1);
    assert_accepts(1);
    far_send(&word, sizeof(word), NULL, 0);
    grant(2);
    assert_refused(accept_here(&behind, &vmo), VMO_ERR_PROTOCOL); /* a message is queued before it */
    assert_ok(vmo_recv(rig.registry, rig.peer, &in, PAST_NS));
    assert_int_equal(in.tag, 6);
    assert_accepts(2);
}

static void refused_ticket_can_be_corrected(void **state)
{
    struct vmo_ticket ticket = ticket_of(1);
    vmo_t vmo = VMO_NONE;
    vmo_t fill[16];

    (void)state;
    grant(1);
    ticket.len_bytes = PAGE + 1;
    const uint32_t before = look().descriptors;
    assert_status(accept_here(&ticket, &vmo), VMO_ERR_PROTOCOL);
    assert_int_equal(look().descriptors, before + 1); /* parked */
    ticket.len_bytes = PAGE;
    ticket.seal = VMO_SEAL_FOREVER;
    assert_refused(accept_here(&ticket, &vmo), VMO_ERR_PROTOCOL);
    for (size_t i = 0; i < 16; i++) {
        assert_ok(vmo_wrap_bytes(rig.registry, "b", 1, &fill[i]));
    }
    ticket.seal = VMO_SEAL_NONE;
    assert_refused(accept_here(&ticket, &vmo), VMO_ERR_TABLE_FULL);
    for (size_t i = 0; i < 16; i++) {
        assert_ok(vmo_close(rig.registry, fill[i]));
    }
    assert_accepts(1);
    assert_int_equal(look().descriptors, before);
}

/* ---- False transfers ---------------------------------------------------------------------------- */

static void malformed_transfers(void **state)
{
    const int memory = memory_with(PAGE, STEADY);
    const int two[] = {memory, memory};
    struct wire_grant packet = {WIRE_GRANT_MAGIC, 1};
    struct vmo_incoming in;
    vmo_t vmo = VMO_NONE;
    const struct vmo_ticket ticket = ticket_of(1);

    (void)state;
    const struct seen before = look();
    far_send(&packet, sizeof(packet), NULL, 0); /* no descriptor */
    assert_status(vmo_recv(rig.registry, rig.peer, &in, PAST_NS), VMO_ERR_PROTOCOL);
    far_send(&packet, sizeof(packet), NULL, 0);
    assert_status(accept_here(&ticket, &vmo), VMO_ERR_PROTOCOL);
    far_send(&packet, sizeof(packet), two, 2);
    assert_status(vmo_recv(rig.registry, rig.peer, &in, PAST_NS), VMO_ERR_PROTOCOL);
    far_send(&packet, sizeof(packet), two, 2);
    assert_status(accept_here(&ticket, &vmo), VMO_ERR_PROTOCOL);
    const uint32_t wrong[] = {0, UINT32_MAX, UINT32_C(1) << 31};
    for (size_t i = 0; i < 3; i++) { /* none is newer than the last name, 0 */
        packet.name = wrong[i];
        far_send(&packet, sizeof(packet), &memory, 1);
        assert_status(vmo_recv(rig.registry, rig.peer, &in, PAST_NS), VMO_ERR_PROTOCOL);
    }
    packet = (struct wire_grant){WIRE_GRANT_MAGIC + 1, 1}; /* an unknown magic number */
    far_send(&packet, sizeof(packet), &memory, 1);
    assert_status(vmo_recv(rig.registry, rig.peer, &in, PAST_NS), VMO_ERR_PROTOCOL);
    const struct seen after = look();
    assert_int_equal(after.descriptors, before.descriptors);
    assert_int_equal(after.mappings, before.mappings);
    grant(1);
    assert_accepts(1);
    packet = (struct wire_grant){WIRE_GRANT_MAGIC, 1}; /* the same name a second time */
    far_send(&packet, sizeof(packet), &memory, 1);
    assert_status(vmo_recv(rig.registry, rig.peer, &in, PAST_NS), VMO_ERR_PROTOCOL);
    assert_int_equal(close(memory), 0);
}

/* If another holder of the socket takes a transfer, later transfers still succeed. */
static void lost_transfer_leaves_the_others(void **state)
{
    struct wire_grant stolen;
    struct vmo_incoming in;
    vmo_t vmo = VMO_NONE;
    const struct vmo_ticket gone = ticket_of(2);

    (void)state;
    grant(1);
    assert_accepts(1);
    grant(2);
    assert_int_equal(recv(rig.near, &stolen, sizeof(stolen), MSG_DONTWAIT), sizeof(stolen));
    grant(3);
    grant(4);
    assert_accepts(3);
    assert_refused(accept_here(&gone, &vmo), VMO_ERR_PROTOCOL);
    assert_status(vmo_recv(rig.registry, rig.peer, &in, PAST_NS), VMO_ERR_TIMED_OUT);
    assert_accepts(4);
}

/* A transfer stays queued until a descriptor is free. Later names still match. */
static void no_descriptor_for_a_transfer(void **state)
{
    const struct wire word = wire_data(6);
    const struct vmo_ticket first = ticket_of(1);
    struct rlimit before;
    struct vmo_incoming in;
    vmo_t vmo = VMO_NONE;

    (void)state;
    skip_under_valgrind();
    grant(1);
    grant(2);
    far_send(&word, sizeof(word), NULL, 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    const struct seen seen = look();
    const struct rlimit none = {0, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    const vmo_status accepted = accept_here(&first, &vmo);
    const vmo_status received = vmo_recv(rig.registry, rig.peer, &in, PAST_NS);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_status(accepted, VMO_ERR_NO_SLOTS);
    assert_status(received, VMO_ERR_NO_SLOTS);
    assert_same(&seen, "vmo_accept", __FILE__, __LINE__);
    assert_accepts(1);
    assert_ok(vmo_recv(rig.registry, rig.peer, &in, PAST_NS));
    assert_int_equal(in.tag, 6);
    assert_accepts(2);
    grant(3);
    assert_accepts(3);
}

/* A peer that sends only transfers cannot block a receiver past its deadline. */
static void flood_of_transfers_is_bounded(void **state)
{
    struct vmo_incoming in;
    const struct wire word = wire_data(8);

    (void)state;
    for (uint32_t name = 1; name <= 20; name++) {
        grant(name);
    }
    far_send(&word, sizeof(word), NULL, 0);
    /* Each call takes nine transfers. */
    assert_status(vmo_recv(rig.registry, rig.peer, &in, PAST_NS), VMO_ERR_TIMED_OUT);
    assert_status(vmo_recv(rig.registry, rig.peer, &in, PAST_NS), VMO_ERR_TIMED_OUT);
    assert_ok(vmo_recv(rig.registry, rig.peer, &in, PAST_NS));
    assert_int_equal(in.tag, 8);
}

static void full_queue_is_refused_at_once(void **state)
{
    const vmo_t vmo = filled(PAGE);
    struct vmo_ticket ticket = {.name = 99};

    (void)state;
    const uint32_t sent = fill_queue();
    assert_refused(vmo_transfer(rig.registry, vmo, rig.peer, VMO_RIGHT_READ, &ticket), VMO_ERR_QUEUE_FULL);
    assert_int_equal(ticket.name, 99);
    for (uint32_t i = 0; i < sent; i++) {
        struct wire wire;
        assert_int_equal(far_hear(&wire, sizeof(wire), MSG_DONTWAIT), sizeof(wire));
    }
    assert_ok(vmo_transfer(rig.registry, vmo, rig.peer, VMO_RIGHT_READ, &ticket));
    assert_int_equal(ticket.name, 1); /* the refused transfer used up no name */
    assert_ok(vmo_destroy(rig.registry, vmo));
}

/* Names wrap after 2^32 - 1 to 1, since 0 is no name. */
static void names_wrap(void **state)
{
    int ends[2];
    struct be_peer here;
    struct be_peer there;
    struct be_object sent;
    struct be_object got = BE_NO_OBJECT;
    uint32_t name = 0;

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    assert_ok(be_peer_open(ends[0], &here));
    assert_ok(be_peer_open(ends[1], &there));
    here.transfers_sent = UINT32_MAX;
    there.transfers_seen = UINT32_MAX;
    assert_ok(be_create(PAGE, NULL, &sent));
    assert_ok(be_transfer(&sent, true, &here, &name));
    assert_int_equal(name, 1);
    assert_ok(be_transfer_peek(&there, 1, &got));
    be_transfer_consume(&there, 1);
    be_transfer_consume(&there, 1); /* a second call does nothing */
    assert_ok(be_close(&got));
    assert_ok(be_close(&sent));
    assert_ok(be_peer_close(&here));
    assert_ok(be_peer_close(&there));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_make, rig_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(both_ways),
        CASE(unknown_names),
        CASE(any_order),
        CASE(ninth_evicts_the_first),
        CASE(accepted_before_a_receive),
        CASE(refused_ticket_can_be_corrected),
        CASE(malformed_transfers),
        CASE(lost_transfer_leaves_the_others),
        CASE(no_descriptor_for_a_transfer),
        CASE(flood_of_transfers_is_bounded),
        CASE(full_queue_is_refused_at_once),
        CASE(names_wrap),
    };
    return cmocka_run_group_tests_name("lx_transfer", tests, NULL, NULL);
}
