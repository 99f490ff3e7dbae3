/* SPDX-License-Identifier: Apache-2.0 */
/* The same object again: what a receiver makes of a VMO that it holds. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lx_abi.h"
#include "lx_test.h"
#include "wire.h"

#define STEADY (F_SEAL_GROW | F_SEAL_SHRINK)
#define MANY 300

static vmo_status receive(struct vmo_incoming *in)
{
    return vmo_recv(rig.registry, rig.peer, in, PAST_NS);
}

/* The far end sends memory with this claim. */
static void far_memory(int memory, uint64_t len_bytes, uint32_t rights, vmo_seal_strength seal)
{
    const struct wire handle = wire_handle(len_bytes, rights, seal);

    far_send(&handle, sizeof(handle), &memory, 1);
}

static vmo_t received(int memory, uint64_t len_bytes, uint32_t rights, vmo_seal_strength seal)
{
    struct vmo_incoming in;

    far_memory(memory, len_bytes, rights, seal);
    assert_ok(receive(&in));
    return in.vmo;
}

struct asked {
    vmo_t vmo;
    uint32_t handles;
};

static void ask(void *context, const struct vmo_live *live)
{
    struct asked *asked = context;

    if (live->kind == VMO_LIVE_VMO && live->vmo.id == asked->vmo.id) {
        asked->handles = live->handles;
    }
}

static uint32_t handles_in(struct vmo_registry *registry, vmo_t vmo)
{
    struct asked asked = {vmo, 0};

    assert_ok(vmo_registry_each(registry, ask, &asked));
    return asked.handles;
}

static uint32_t handles_of(vmo_t vmo)
{
    return handles_in(rig.registry, vmo);
}

static void gets_a_handle_and_the_kept_mapping(void **state)
{
    const int memory = memory_with(2 * PAGE, STEADY);
    const vmo_t first = received(memory, PAGE + 5, VMO_RIGHT_READ, VMO_SEAL_NONE);
    vmo_view_t view;
    vmo_view_t again;

    (void)state;
    assert_ok(vmo_map_ro(rig.registry, first, RANGE(0, PAGE + 5), &view));
    const uint8_t *at = vmo_view_data(rig.registry, view);
    assert_ok(vmo_unmap(rig.registry, view));
    const struct seen before = look();
    const vmo_t second = received(memory, PAGE + 5, VMO_RIGHT_READ, VMO_SEAL_NONE);
    assert_int_not_equal(second.id, first.id);
    assert_int_equal(handles_of(first), 2);
    assert_ok(vmo_map_ro(rig.registry, second, RANGE(0, PAGE + 5), &again));
    assert_ptr_equal(vmo_view_data(rig.registry, again), at);
    const struct seen now = look();
    assert_int_equal(now.descriptors, before.descriptors);
    assert_int_equal(now.mappings, before.mappings);
    assert_int_equal(now.counters.bulk_bytes, before.counters.bulk_bytes + 2 * PAGE);
    assert_ok(vmo_close(rig.registry, first)); /* the other handle keeps the object */
    assert_int_equal(vmo_view_data(rig.registry, again)[0], 0);
    assert_ok(vmo_unmap(rig.registry, again));
    assert_ok(vmo_close(rig.registry, second));
    const vmo_t third = received(memory, PAGE + 5, VMO_RIGHT_READ, VMO_SEAL_NONE); /* not held any more */
    assert_int_equal(handles_of(third), 1);
    assert_ok(vmo_close(rig.registry, third));
    assert_int_equal(close(memory), 0);
}

static void rights_are_the_new_messages(void **state)
{
    const int memory = memory_with(PAGE, STEADY);
    const int reader = reopen(memory, O_RDONLY);
    const vmo_t first = received(reader, PAGE, VMO_RIGHT_READ, VMO_SEAL_NONE);
    const vmo_t second = received(memory, PAGE, VMO_RIGHTS_ALL, VMO_SEAL_NONE);
    const vmo_t third = received(memory, PAGE, VMO_RIGHT_READ, VMO_SEAL_NONE);
    const vmo_t fourth = received(reader, PAGE, VMO_RIGHTS_ALL, VMO_SEAL_NONE); /* it cannot write */
    const vmo_t handles[] = {first, second, third, fourth};
    const uint8_t byte = 77;
    uint8_t seen = 0;
    uint32_t rights = 0;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        assert_ok(vmo_rights(rig.registry, handles[i], &rights));
        assert_int_equal(rights, i == 1 ? VMO_RIGHTS_ALL : VMO_RIGHT_READ);
        assert_int_equal(handles_of(handles[i]), 4);
    }
    assert_status(vmo_write(rig.registry, first, RANGE(0, 1), &byte), VMO_ERR_RIGHTS);
    assert_ok(vmo_write(rig.registry, second, RANGE(0, 1), &byte));
    assert_ok(vmo_read(rig.registry, first, RANGE(0, 1), &seen));
    assert_int_equal(seen, 77);
    for (size_t i = 0; i < 4; i++) {
        assert_ok(vmo_close(rig.registry, handles[i]));
    }
    assert_int_equal(close(reader), 0);
    assert_int_equal(close(memory), 0);
}

static void assert_seal(vmo_t vmo, vmo_seal_strength expected)
{
    vmo_seal_strength seal;
    vmo_enforcer by;

    assert_ok(vmo_seal_of(rig.registry, vmo, &seal));
    assert_int_equal(seal, expected);
    assert_ok(vmo_seal_enforced_by(rig.registry, vmo, &by));
    assert_int_equal(by, expected == VMO_SEAL_NONE ? VMO_BY_NOBODY : VMO_BY_KERNEL);
}

static void size_and_seals_are_looked_at_again(void **state)
{
    const int memory = memory_with(PAGE, STEADY);
    struct vmo_incoming in;
    vmo_t handles[3];

    (void)state;
    handles[0] = received(memory, PAGE, VMO_RIGHT_READ, VMO_SEAL_NONE);
    far_memory(memory, PAGE, VMO_RIGHT_READ, VMO_SEAL_PEERS); /* it is not */
    assert_status(receive(&in), VMO_ERR_PROTOCOL);
    far_memory(memory, PAGE, VMO_RIGHT_READ, VMO_SEAL_FOREVER);
    assert_status(receive(&in), VMO_ERR_PROTOCOL);
    far_memory(memory, 2 * PAGE, VMO_RIGHT_READ, VMO_SEAL_NONE);
    assert_status(receive(&in), VMO_ERR_PROTOCOL);
    assert_seal(handles[0], VMO_SEAL_NONE);
    assert_int_equal(handles_of(handles[0]), 1);
    assert_int_equal(fcntl(memory, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), 0);
    handles[1] = received(memory, PAGE, VMO_RIGHT_READ, VMO_SEAL_PEERS);
    assert_seal(handles[0], VMO_SEAL_PEERS);
    assert_int_equal(fcntl(memory, F_ADD_SEALS, F_SEAL_WRITE), 0);
    handles[2] = received(memory, PAGE, VMO_RIGHT_READ, VMO_SEAL_FOREVER);
    assert_seal(handles[0], VMO_SEAL_FOREVER);
    assert_int_equal(handles_of(handles[0]), 3);
    for (size_t i = 0; i < 3; i++) {
        assert_ok(vmo_close(rig.registry, handles[i]));
    }
    assert_int_equal(close(memory), 0);
}

/* Another length or a weaker seal than the object has: a VMO of its own. */
static void claims_that_differ(void **state)
{
    const int memory = memory_with(PAGE, STEADY | F_SEAL_FUTURE_WRITE);
    const vmo_t sealed = received(memory, PAGE, VMO_RIGHT_READ, VMO_SEAL_PEERS);
    const vmo_t shorter = received(memory, PAGE - 1, VMO_RIGHT_READ, VMO_SEAL_PEERS);
    const vmo_t weaker = received(memory, PAGE, VMO_RIGHT_READ, VMO_SEAL_NONE);
    const vmo_t again = received(memory, PAGE, VMO_RIGHT_READ, VMO_SEAL_PEERS);
    uint64_t len = 0;

    (void)state;
    assert_int_equal(handles_of(sealed), 2);
    assert_int_equal(handles_of(shorter), 1);
    assert_int_equal(handles_of(weaker), 1);
    assert_ok(vmo_len(rig.registry, shorter, &len));
    assert_int_equal(len, PAGE - 1);
    assert_ok(vmo_close(rig.registry, sealed));
    assert_ok(vmo_close(rig.registry, shorter));
    assert_ok(vmo_close(rig.registry, weaker));
    assert_ok(vmo_close(rig.registry, again));
    assert_int_equal(close(memory), 0);
}

static void another_peers_is_another(void **state)
{
    const int memory = memory_with(PAGE, STEADY);
    const struct wire handle = wire_handle(PAGE, VMO_RIGHT_READ, VMO_SEAL_NONE);
    const vmo_t first = received(memory, PAGE, VMO_RIGHT_READ, VMO_SEAL_NONE);
    const int far = rig.far;
    struct vmo_incoming in;
    vmo_peer_t other;
    int ends[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    assert_ok(vmo_peer_open(rig.registry, ends[0], &other));
    rig.far = ends[1];
    far_send(&handle, sizeof(handle), &memory, 1);
    rig.far = far;
    assert_ok(vmo_recv(rig.registry, other, &in, PAST_NS));
    assert_int_equal(handles_of(first), 1);
    assert_int_equal(handles_of(in.vmo), 1);
    assert_ok(vmo_close(rig.registry, in.vmo));
    assert_ok(vmo_close(rig.registry, first));
    assert_ok(vmo_peer_close(rig.registry, other));
    assert_int_equal(close(ends[1]), 0);
    assert_int_equal(close(memory), 0);
}

/* What was handed over comes back. */
static void ones_own_comes_back(void **state)
{
    vmo_peer_t to_near;
    struct vmo_registry *far = far_make(&to_near);
    const vmo_t vmo = filled(PAGE);
    struct vmo_message message = {.vmo = vmo, .rights = VMO_RIGHTS_ALL};
    struct vmo_incoming in;
    struct vmo_incoming back;
    struct vmo_ticket ticket;
    vmo_t accepted = VMO_NONE;

    (void)state;
    assert_ok(vmo_peer_allow(far, to_near));
    assert_ok(vmo_send(rig.registry, rig.peer, &message, PAST_NS));
    assert_ok(vmo_recv(far, to_near, &in, PAST_NS));
    message = (struct vmo_message){.vmo = in.vmo, .rights = VMO_RIGHT_READ};
    assert_ok(vmo_send(far, to_near, &message, PAST_NS));
    assert_ok(receive(&back));
    assert_int_equal(handles_of(vmo), 2);
    assert_ok(vmo_transfer(far, in.vmo, to_near, VMO_RIGHT_READ, &ticket));
    assert_ok(vmo_accept(rig.registry, rig.peer, &ticket, &accepted));
    assert_int_equal(handles_of(vmo), 3);
    assert_ok(vmo_close(rig.registry, accepted));
    assert_status(vmo_destroy(rig.registry, vmo), VMO_ERR_STILL_SHARED);
    assert_ok(vmo_close(rig.registry, back.vmo));
    assert_ok(vmo_destroy(rig.registry, vmo));
    assert_ok(vmo_close(far, in.vmo));
    far_drop(to_near);
}

static void no_handle_free(void **state)
{
    const int memory = memory_with(PAGE, STEADY);
    const vmo_t first = received(memory, PAGE, VMO_RIGHT_READ, VMO_SEAL_NONE);
    vmo_t more[31];
    struct vmo_incoming in;

    (void)state;
    for (size_t i = 0; i < 31; i++) {
        assert_ok(vmo_dup(rig.registry, first, VMO_RIGHT_READ, &more[i]));
    }
    far_memory(memory, PAGE, VMO_RIGHT_READ, VMO_SEAL_NONE);
    assert_refused(receive(&in), VMO_ERR_TABLE_FULL);
    assert_ok(vmo_close(rig.registry, more[30]));
    assert_ok(receive(&in)); /* it stayed queued */
    assert_ok(vmo_close(rig.registry, in.vmo));
    for (size_t i = 0; i < 30; i++) {
        assert_ok(vmo_close(rig.registry, more[i]));
    }
    assert_ok(vmo_close(rig.registry, first));
    assert_int_equal(close(memory), 0);
}

/* Each of many is found as long as it is held, whatever was closed before. */
static void many_are_told_apart(void **state)
{
    static int memories[MANY];
    static vmo_t held[MANY];
    const struct vmo_limits limits = {.objects = MANY, .mappings = 1, .views = 1, .peers = 1};
    struct vmo_registry *registry;
    struct vmo_incoming in;
    vmo_peer_t peer;
    uint32_t random = 7;
    int ends[2];
    const int far = rig.far;

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    assert_ok(vmo_registry_new(&limits, &registry));
    assert_ok(vmo_peer_open(registry, ends[0], &peer));
    rig.far = ends[1];
    for (int i = 0; i < MANY; i++) {
        memories[i] = memory_with(PAGE, STEADY);
    }
    for (int round = 0; round < 4 * MANY; round++) {
        random = random * 1664525 + 1013904223;
        const size_t which = (random >> 8) % MANY;
        far_memory(memories[which], PAGE, VMO_RIGHT_READ, VMO_SEAL_NONE);
        assert_ok(vmo_recv(registry, peer, &in, PAST_NS));
        assert_int_equal(handles_in(registry, in.vmo), held[which].id != 0 ? 2 : 1);
        if (held[which].id != 0) {
            assert_ok(vmo_close(registry, in.vmo));
            assert_ok(vmo_close(registry, held[which]));
            held[which] = VMO_NONE;
        } else {
            held[which] = in.vmo;
        }
    }
    for (int i = 0; i < MANY; i++) {
        assert_ok(held[i].id != 0 ? vmo_close(registry, held[i]) : VMO_OK);
        assert_int_equal(close(memories[i]), 0);
    }
    rig.far = far;
    assert_ok(vmo_peer_close(registry, peer));
    assert_ok(vmo_registry_free(registry));
    assert_int_equal(close(ends[1]), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_make, rig_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(gets_a_handle_and_the_kept_mapping),
        CASE(rights_are_the_new_messages),
        CASE(size_and_seals_are_looked_at_again),
        CASE(claims_that_differ),
        CASE(another_peers_is_another),
        CASE(ones_own_comes_back),
        CASE(no_handle_free),
        CASE(many_are_told_apart),
    };
    return cmocka_run_group_tests_name("lx_again", tests, NULL, NULL);
}
