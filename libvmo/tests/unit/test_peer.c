/* SPDX-License-Identifier: Apache-2.0 */
/* Peers: spawn, wait, kill and close; deadlines; full queues; VMOs in flight when a peer ends. */
#include "unit.h"

#define LEN (PAGE + 5)

static const struct vmo_program program = {"elf", 3, 4};

static void spawn_refused(void **state)
{
    const struct vmo_program bad[] = {
        {NULL, 3, 4}, {"elf", 0, 4}, {"elf", 3, 0}, {"elf", 3, 1025}, {"elf", 3, UINT32_MAX}};
    vmo_peer_t peer = {7, 7};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_refused_quietly(vmo_peer_spawn(world.a, &bad[i], &peer), VMO_ERR_INVALID);
    }
    assert_refused_quietly(vmo_peer_spawn(world.a, NULL, &peer), VMO_ERR_INVALID);
    assert_refused_quietly(vmo_peer_spawn(world.a, &program, NULL), VMO_ERR_INVALID);
    assert_refused_quietly(vmo_peer_spawn(NULL, &program, &peer), VMO_ERR_INVALID);
    fake_config()->slots = 6; /* two free; a peer needs three */
    assert_refused(vmo_peer_spawn(world.a, &program, &peer), VMO_ERR_NO_SLOTS);
    fake_config()->slots = 7;
    assert_int_equal(peer.id, 7);
    assert_ok(vmo_peer_spawn(world.a, &(struct vmo_program){"elf", 3, 1024}, &peer));
}

static void table_of_peers_full(void **state)
{
    const struct vmo_limits limits = {.objects = 1, .mappings = 1, .views = 1, .peers = 1};
    vmo_peer_t peer = {7, 7};

    (void)state;
    fake_reset();
    world_remake(&limits);
    assert_refused_quietly(vmo_peer_spawn(world.a, &program, &peer), VMO_ERR_TABLE_FULL);
    AS_B;
    assert_refused_quietly(vmo_peer_parent(world.b, &peer), VMO_ERR_TABLE_FULL);
    assert_int_equal(peer.id, 7);
    AS_A;
    assert_ok(vmo_peer_close(world.a, world.to_b));
    assert_ok(vmo_peer_spawn(world.a, &program, &peer));
}

/* A child outlives its channel: it can still be killed and waited for. */
static void child_after_its_channel(void **state)
{
    struct be_peer peer;
    int32_t status = 99;

    (void)state;
    const struct fake_live before = fake_live();
    assert_ok(be_spawn(&program, &peer));
    assert_ok(be_peer_hangup(&peer));
    assert_ok(be_peer_hangup(&peer));
    assert_status(be_peer_wait(&peer, 0, &status), VMO_ERR_TIMED_OUT);
    assert_false(be_peer_unreaped(&peer));
    assert_ok(be_peer_kill(&peer));
    assert_ok(be_peer_kill(&peer)); /* it has ended already */
    assert_true(be_peer_unreaped(&peer));
    assert_ok(be_peer_wait(&peer, 0, &status));
    assert_int_equal(status, -9);
    assert_status(be_peer_kill(&peer), VMO_ERR_UNSUPPORTED);
    assert_ok(be_peer_close(&peer));
    const struct fake_live after = fake_live();
    assert_memory_equal(&after, &before, sizeof(after));
    AS_B;
    assert_status(be_peer_kill(&world.raw_b), VMO_ERR_UNSUPPORTED); /* not a child */
}

/* Each call that needs the channel is refused. */
static void assert_no_channel(struct vmo_registry *registry, vmo_peer_t peer, vmo_t vmo)
{
    const struct vmo_message plain = {.tag = 1};
    const struct vmo_message carrying = {.tag = 1, .vmo = vmo, .rights = VMO_RIGHT_READ};
    struct vmo_incoming incoming;
    struct vmo_ticket ticket;

    assert_refused(vmo_send(registry, peer, &plain, UINT64_MAX), VMO_ERR_PEER_GONE);
    assert_refused(vmo_send(registry, peer, &carrying, UINT64_MAX), VMO_ERR_PEER_GONE);
    assert_refused(vmo_recv(registry, peer, &incoming, UINT64_MAX), VMO_ERR_PEER_GONE);
    assert_refused(vmo_transfer(registry, vmo, peer, VMO_RIGHT_READ, &ticket), VMO_ERR_PEER_GONE);
}

static void hang_up_then_wait(void **state)
{
    const vmo_t vmo = vmo_filled(LEN);
    const struct vmo_message message = {.tag = 1, .vmo = vmo, .rights = VMO_RIGHT_READ};
    struct vmo_incoming incoming;
    int32_t status = 99;

    (void)state;
    assert_ok(vmo_seal(world.a, vmo, VMO_SEAL_PEERS));
    assert_ok(vmo_send(world.a, world.to_b, &message, SOON_NS));
    assert_refused_quietly(vmo_destroy(world.a, vmo), VMO_ERR_STILL_SHARED);
    fake_fail_call(1, VMO_ERR_NO_SLOTS);
    assert_refused(vmo_peer_hangup(world.a, world.to_b), VMO_ERR_NO_SLOTS);
    assert_ok(vmo_peer_hangup(world.a, world.to_b));
    assert_no_channel(world.a, world.to_b, vmo);
    assert_ok(vmo_peer_hangup(world.a, world.to_b));
    assert_ok(vmo_destroy(world.a, vmo)); /* its message is discarded */
    AS_B;
    assert_refused(vmo_recv(world.b, world.to_a, &incoming, UINT64_MAX), VMO_ERR_PEER_GONE);
    AS_A;
    assert_refused(vmo_peer_wait(world.a, world.to_b, SOON_NS, &status), VMO_ERR_TIMED_OUT);
    fake_kill_peer(7);
    assert_ok(vmo_peer_wait(world.a, world.to_b, SOON_NS, &status));
    assert_int_equal(status, 7);
    assert_refused(vmo_registry_fini(world.a), VMO_ERR_BUSY);
    assert_ok(vmo_peer_close(world.a, world.to_b));
    assert_refused_quietly(vmo_peer_hangup(world.a, world.to_b), VMO_ERR_BAD_HANDLE);
    assert_refused_quietly(vmo_peer_kill(world.a, world.to_b), VMO_ERR_BAD_HANDLE);
}

static void kill_then_wait(void **state)
{
    const vmo_t vmo = vmo_filled(LEN);
    int32_t status = 99;

    (void)state;
    AS_B;
    assert_refused(vmo_peer_kill(world.b, world.to_a), VMO_ERR_UNSUPPORTED); /* not a child */
    AS_A;
    fake_fail_call(1, VMO_ERR_BACKEND);
    assert_refused(vmo_peer_kill(world.a, world.to_b), VMO_ERR_BACKEND);
    assert_ok(vmo_peer_kill(world.a, world.to_b));
    assert_ok(vmo_peer_kill(world.a, world.to_b));
    assert_refused(vmo_recv(world.a, world.to_b, &(struct vmo_incoming){0}, UINT64_MAX), VMO_ERR_PEER_GONE);
    assert_ok(vmo_peer_wait(world.a, world.to_b, 0, &status));
    assert_int_equal(status, -9);
    assert_refused(vmo_peer_kill(world.a, world.to_b), VMO_ERR_UNSUPPORTED);
    assert_ok(vmo_peer_close(world.a, world.to_b));
    assert_ok(vmo_destroy(world.a, vmo));
}

static void parent_refused(void **state)
{
    vmo_peer_t peer = {7, 7};

    (void)state;
    assert_refused(vmo_peer_parent(world.a, &peer), VMO_ERR_UNSUPPORTED); /* side 0 has no parent */
    assert_refused_quietly(vmo_peer_parent(world.a, NULL), VMO_ERR_INVALID);
    assert_refused_quietly(vmo_peer_parent(NULL, &peer), VMO_ERR_INVALID);
    assert_int_equal(peer.id, 7);
}

static void wait_for_a_child(void **state)
{
    int32_t status = 7;

    (void)state;
    assert_refused_quietly(vmo_peer_wait(world.a, world.to_b, SOON_NS, NULL), VMO_ERR_INVALID);
    assert_refused(vmo_peer_wait(world.a, world.to_b, 0, &status), VMO_ERR_TIMED_OUT);
    assert_refused(vmo_peer_wait(world.a, world.to_b, SOON_NS, &status), VMO_ERR_TIMED_OUT);
    assert_true(vmo_now_ns(world.a) >= SOON_NS);
    assert_int_equal(status, 7);
    AS_B;
    assert_refused(vmo_peer_wait(world.b, world.to_a, SOON_NS, &status), VMO_ERR_UNSUPPORTED);
    AS_A;
    fake_kill_peer(-22);
    assert_ok(vmo_peer_wait(world.a, world.to_b, 0, &status));
    assert_int_equal(status, -22);
    status = 7;
    assert_refused(vmo_peer_wait(world.a, world.to_b, SOON_NS, &status), VMO_ERR_UNSUPPORTED); /* reaped */
    assert_int_equal(status, 7);
    assert_ok(vmo_peer_close(world.a, world.to_b));
}

static void end_b(void *context)
{
    uint64_t *polls = context;

    if (++*polls == 5) {
        AS_A;
        fake_kill_peer(3);
    }
}

static void wait_until_the_child_ends(void **state)
{
    uint64_t polls = 0;
    int32_t status = 7;

    (void)state;
    fake_on_poll(end_b, &polls);
    assert_ok(vmo_peer_wait(world.a, world.to_b, UINT64_MAX, &status));
    assert_int_equal(status, 3);
    assert_int_equal(polls, 5);
}

static void receive_times_out(void **state)
{
    struct vmo_incoming incoming, untouched;

    (void)state;
    memset(&incoming, 0xab, sizeof(incoming));
    memset(&untouched, 0xab, sizeof(untouched));
    assert_refused(vmo_recv(world.a, world.to_b, &incoming, SOON_NS), VMO_ERR_TIMED_OUT);
    assert_true(vmo_now_ns(world.a) >= SOON_NS);
    assert_refused(vmo_recv(world.a, world.to_b, &incoming, 0), VMO_ERR_TIMED_OUT);
    assert_memory_equal(&incoming, &untouched, sizeof(incoming));
}

/* A queued message is received even after the deadline. */
static void receive_what_is_there(void **state)
{
    const struct vmo_message message = {.tag = 3};
    struct vmo_incoming incoming;

    (void)state;
    assert_ok(vmo_send(world.a, world.to_b, &message, 0));
    AS_B;
    assert_ok(vmo_recv(world.b, world.to_a, &incoming, 0));
    assert_int_equal(incoming.tag, 3);
}

static void fill_queue(uint32_t messages)
{
    for (uint32_t i = 0; i < messages; i++) {
        const struct vmo_message message = {.tag = i};
        assert_ok(vmo_send(world.a, world.to_b, &message, 0));
    }
}

static void queue_full_times_out(void **state)
{
    const vmo_t vmo = vmo_filled(LEN);
    const struct vmo_message message = {.tag = 99, .vmo = vmo, .rights = VMO_RIGHTS_ALL};
    struct vmo_incoming incoming;

    (void)state;
    fill_queue(fake_config()->depth);
    assert_refused(vmo_send(world.a, world.to_b, &message, SOON_NS), VMO_ERR_TIMED_OUT);
    assert_true(vmo_now_ns(world.a) >= SOON_NS);
    assert_ok(vmo_seal(world.a, vmo, VMO_SEAL_PEERS)); /* nothing writable was sent */
    AS_B;
    for (uint32_t i = 0; i < fake_config()->depth; i++) {
        assert_ok(vmo_recv(world.b, world.to_a, &incoming, SOON_NS));
        assert_int_equal(incoming.tag, i);
    }
    assert_refused(vmo_recv(world.b, world.to_a, &incoming, 0), VMO_ERR_TIMED_OUT);
    AS_A;
    assert_ok(vmo_destroy(world.a, vmo));
}

static void receive_one(void *context)
{
    uint64_t *polls = context;
    struct vmo_incoming incoming;

    if (++*polls == 4) {
        AS_B;
        assert_ok(vmo_recv(world.b, world.to_a, &incoming, 0));
        assert_int_equal(incoming.tag, 0);
    }
}

static void queue_full_waits(void **state)
{
    const struct vmo_message message = {.tag = 99};
    uint64_t polls = 0;

    (void)state;
    fill_queue(fake_config()->depth);
    fake_on_poll(receive_one, &polls);
    assert_ok(vmo_send(world.a, world.to_b, &message, SOON_NS));
    assert_int_equal(polls, 4);
    assert_int_equal(fake_live().queued, fake_config()->depth);
}

/* vmo_send also waits while the kernel's limit of queued bytes is reached; the status names this limit. */
static void queue_of_too_many_bytes(void **state)
{
    const struct vmo_message message = {.tag = 1, .vmo = vmo_filled(LEN), .rights = VMO_RIGHTS_ALL};

    (void)state;
    fill_queue(2);
    fake_config()->queued_bytes_max = 95;
    uint64_t polls = 0;
    assert_refused(vmo_send(world.a, world.to_b, &message, SOON_NS), VMO_ERR_QUEUE_FULL);
    assert_true(vmo_now_ns(world.a) >= SOON_NS);
    fake_on_poll(receive_one, &polls);
    assert_ok(vmo_send(world.a, world.to_b, &message, UINT64_MAX));
    assert_int_equal(polls, 4);
    fake_on_poll(NULL, NULL);
    fake_config()->queued_bytes_max = 96;
    assert_ok(vmo_send(world.a, world.to_b, &message, UINT64_MAX));
}

static void no_slot_for_the_clone(void **state)
{
    const vmo_t vmo = vmo_filled(LEN);
    const struct vmo_message writable = {.vmo = vmo, .rights = VMO_RIGHTS_ALL};
    const struct vmo_message read_only = {.vmo = vmo, .rights = VMO_RIGHT_READ};
    const struct vmo_message bare = {.tag = 1};

    (void)state;
    fake_config()->slots = 5;
    assert_refused(vmo_send(world.a, world.to_b, &writable, SOON_NS), VMO_ERR_NO_SLOTS);
    assert_refused(vmo_send(world.a, world.to_b, &read_only, SOON_NS), VMO_ERR_NO_SLOTS);
    assert_ok(vmo_send(world.a, world.to_b, &bare, SOON_NS));
    fake_config()->slots = 7;
    assert_ok(vmo_send(world.a, world.to_b, &read_only, SOON_NS));
}

/* The messages of an ended peer are still received; then it is gone. Nothing can be sent to it. */
static void peer_gone(void **state)
{
    const struct vmo_message message = {.tag = 4};
    const struct vmo_message with_vmo = {.vmo = vmo_filled(LEN), .rights = VMO_RIGHT_READ};
    struct vmo_incoming incoming;

    (void)state;
    assert_ok(vmo_seal(world.a, with_vmo.vmo, VMO_SEAL_PEERS));
    AS_B;
    assert_ok(vmo_send(world.b, world.to_a, &message, SOON_NS));
    AS_A;
    fake_kill_peer(0);
    assert_refused(vmo_send(world.a, world.to_b, &message, SOON_NS), VMO_ERR_PEER_GONE);
    assert_refused(vmo_send(world.a, world.to_b, &with_vmo, SOON_NS), VMO_ERR_PEER_GONE);
    assert_ok(vmo_recv(world.a, world.to_b, &incoming, SOON_NS));
    assert_int_equal(incoming.tag, 4);
    assert_refused(vmo_recv(world.a, world.to_b, &incoming, UINT64_MAX), VMO_ERR_PEER_GONE);
    assert_ok(vmo_destroy(world.a, with_vmo.vmo)); /* it was never sent */
}

static void peer_ends_during_receive(void **state)
{
    struct vmo_incoming incoming;
    uint64_t polls = 0;

    (void)state;
    fake_on_poll(end_b, &polls);
    assert_status(vmo_recv(world.a, world.to_b, &incoming, UINT64_MAX), VMO_ERR_PEER_GONE);
    assert_int_equal(polls, 5);
}

static void parent_closes(void **state)
{
    const struct vmo_message message = {.tag = 4};
    struct vmo_incoming incoming;

    (void)state;
    assert_ok(vmo_send(world.a, world.to_b, &message, SOON_NS));
    assert_ok(vmo_peer_close(world.a, world.to_b));
    assert_int_equal(fake_live().queued, 0);
    AS_B;
    assert_refused(vmo_recv(world.b, world.to_a, &incoming, UINT64_MAX), VMO_ERR_PEER_GONE);
    assert_refused(vmo_send(world.b, world.to_a, &message, UINT64_MAX), VMO_ERR_PEER_GONE);
    assert_ok(vmo_peer_close(world.b, world.to_a));
    assert_refused_quietly(vmo_peer_close(world.b, world.to_a), VMO_ERR_BAD_HANDLE);
    AS_A;
    assert_ok(vmo_registry_fini(world.a));
    AS_B;
    assert_ok(vmo_registry_fini(world.b));
    assert_int_equal(fake_live().slots, 2); /* the two bootstrap slots */
}

/* K-29: until the channel is closed, a sent VMO is not destroyed, and the kernel is not asked. */
static void sent_vmo_cannot_be_destroyed(void **state)
{
    const vmo_t vmo = vmo_filled(LEN);
    const vmo_t other = vmo_filled(LEN);
    const vmo_t theirs = hand_over(vmo, VMO_RIGHT_READ);
    const struct vmo_message message = {.vmo = other, .rights = VMO_RIGHT_READ};

    (void)state;
    assert_refused_quietly(vmo_destroy(world.a, vmo), VMO_ERR_STILL_SHARED);
    AS_B;
    assert_ok(vmo_close(world.b, theirs));
    AS_A;
    assert_refused_quietly(vmo_destroy(world.a, vmo), VMO_ERR_STILL_SHARED);
    assert_ok(vmo_send(world.a, world.to_b, &message, SOON_NS)); /* stays in the queue */
    assert_refused_quietly(vmo_destroy(world.a, other), VMO_ERR_STILL_SHARED);
    assert_ok(vmo_peer_close(world.a, world.to_b)); /* discards the queue */
    assert_ok(vmo_destroy(world.a, vmo));
    assert_ok(vmo_destroy(world.a, other));
    assert_int_equal(fake_live().objects + fake_live().lost, 0);
}

/* When a child closes the channel, its message stays in its parent's queue: the VMO is in flight for good. */
static void vmo_sent_to_the_parent_cannot_be_destroyed(void **state)
{
    vmo_t vmo = VMO_NONE;

    (void)state;
    AS_B;
    assert_ok(vmo_create(world.b, LEN, &vmo));
    assert_ok(vmo_peer_allow(world.b, world.to_a));
    const struct vmo_message message = {.vmo = vmo, .rights = VMO_RIGHT_READ};
    assert_ok(vmo_send(world.b, world.to_a, &message, SOON_NS));
    assert_ok(vmo_peer_close(world.b, world.to_a));
    assert_refused_quietly(vmo_destroy(world.b, vmo), VMO_ERR_STILL_SHARED);
    assert_ok(vmo_close(world.b, vmo));
}

/* After the peer is closed, the kernel decides by the capabilities and mappings that the peer still has. */
static void kernel_knows_other_holders(void **state)
{
    const vmo_t vmo = vmo_filled(LEN);
    const vmo_t theirs = hand_over(vmo, VMO_RIGHT_READ);
    vmo_view_t view = NO_VIEW;

    (void)state;
    AS_B;
    assert_ok(vmo_map_ro(world.b, theirs, RANGE(0, 1), &view));
    AS_A;
    assert_ok(vmo_peer_close(world.a, world.to_b));
    assert_status(vmo_destroy(world.a, vmo), VMO_ERR_STILL_SHARED);
    assert_refused(vmo_destroy(world.a, vmo), VMO_ERR_STILL_SHARED);
    AS_B;
    assert_ok(vmo_close(world.b, theirs));
    AS_A;
    assert_refused(vmo_destroy(world.a, vmo), VMO_ERR_STILL_MAPPED);
    AS_B;
    assert_pattern(vmo_view_data(world.b, view), 0, 1);
    assert_ok(vmo_unmap(world.b, view));
    AS_A;
    assert_ok(vmo_destroy(world.a, vmo));
}

/* The mappings of an ended child go when it is waited for (K-29). */
static void dead_peer_holds_until_reaped(void **state)
{
    const vmo_t vmo = vmo_filled(LEN);
    int32_t status = 0;

    (void)state;
    (void)hand_over(vmo, VMO_RIGHT_READ);
    fake_kill_peer(0);
    assert_refused_quietly(vmo_destroy(world.a, vmo), VMO_ERR_STILL_SHARED);
    assert_ok(vmo_peer_close(world.a, world.to_b));
    assert_status(vmo_destroy(world.a, vmo), VMO_ERR_STILL_MAPPED);
    assert_status(vmo_peer_wait(world.a, world.to_b, SOON_NS, &status), VMO_ERR_BAD_HANDLE);
}

static void wait_then_close_then_destroy(void **state)
{
    const struct fake_live before = fake_live();
    const vmo_t vmo = vmo_filled(LEN);
    int32_t status = 0;

    (void)state;
    (void)hand_over(vmo, VMO_RIGHT_READ);
    fake_kill_peer(0);
    assert_ok(vmo_peer_wait(world.a, world.to_b, SOON_NS, &status));
    assert_ok(vmo_peer_close(world.a, world.to_b));
    assert_ok(vmo_destroy(world.a, vmo));
    assert_ok(vmo_registry_fini(world.a));
    const struct fake_live after = fake_live();
    assert_int_equal(after.objects + after.lost + after.caps + after.mappings + after.queued, 0);
    assert_int_equal(after.slots, 1);
    assert_true(after.slots < before.slots);
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, world_make, world_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(spawn_refused),
        IN_WORLD(table_of_peers_full),
        IN_WORLD(child_after_its_channel),
        IN_WORLD(hang_up_then_wait),
        IN_WORLD(kill_then_wait),
        IN_WORLD(parent_refused),
        IN_WORLD(wait_for_a_child),
        IN_WORLD(wait_until_the_child_ends),
        IN_WORLD(receive_times_out),
        IN_WORLD(receive_what_is_there),
        IN_WORLD(queue_full_times_out),
        IN_WORLD(queue_full_waits),
        IN_WORLD(queue_of_too_many_bytes),
        IN_WORLD(no_slot_for_the_clone),
        IN_WORLD(peer_gone),
        IN_WORLD(peer_ends_during_receive),
        IN_WORLD(parent_closes),
        IN_WORLD(sent_vmo_cannot_be_destroyed),
        IN_WORLD(vmo_sent_to_the_parent_cannot_be_destroyed),
        IN_WORLD(kernel_knows_other_holders),
        IN_WORLD(dead_peer_holds_until_reaped),
        IN_WORLD(wait_then_close_then_destroy),
    };
    return cmocka_run_group_tests_name("unit/peer", tests, NULL, NULL);
}
