/* SPDX-License-Identifier: Apache-2.0 */
/* vmo_peer_require: a VMO with a weaker seal is dropped before any other check (R7). */
#include "unit.h"

#define LEN (PAGE + 5)

static void demand(vmo_seal_strength strength)
{
    AS_B;
    assert_ok(vmo_peer_require(world.b, world.to_a, strength));
    AS_A;
}

static vmo_t sealed(vmo_seal_strength strength)
{
    const vmo_t vmo = vmo_filled(LEN);

    if (strength != VMO_SEAL_NONE) {
        assert_ok(vmo_seal(world.a, vmo, strength));
    }
    return vmo;
}

static void dropped(vmo_seal_strength strength, vmo_seal_strength demanded)
{
    const vmo_t vmo = sealed(strength);
    const struct vmo_message message = {.vmo = vmo, .rights = VMO_RIGHT_READ};
    struct vmo_incoming incoming = {.tag = 99};

    demand(demanded);
    assert_ok(vmo_send(world.a, world.to_b, &message, SOON_NS));
    const struct fake_live then = fake_live();
    AS_B;
    assert_status(vmo_recv(world.b, world.to_a, &incoming, SOON_NS), VMO_ERR_NOT_SEALED);
    AS_A;
    assert_int_equal(incoming.tag, 99);
    assert_int_equal(fake_live().caps, then.caps);
    assert_int_equal(fake_live().mappings, then.mappings);
    assert_int_equal(fake_live().queued, 0);
}

static void too_weak(void **state)
{
    (void)state;
    dropped(VMO_SEAL_NONE, VMO_SEAL_PEERS);
    dropped(VMO_SEAL_NONE, VMO_SEAL_FOREVER);
    dropped(VMO_SEAL_PEERS, VMO_SEAL_FOREVER);
}

static void strong_enough(void **state)
{
    (void)state;
    demand(VMO_SEAL_PEERS);
    assert_int_not_equal(hand_over(sealed(VMO_SEAL_PEERS), VMO_RIGHT_READ).id, 0);
    assert_int_not_equal(hand_over(sealed(VMO_SEAL_FOREVER), VMO_RIGHT_READ).id, 0);
    demand(VMO_SEAL_FOREVER);
    assert_int_not_equal(hand_over(sealed(VMO_SEAL_FOREVER), VMO_RIGHT_READ).id, 0);
    demand(VMO_SEAL_NONE);
    assert_int_not_equal(hand_over(sealed(VMO_SEAL_NONE), VMO_RIGHTS_ALL).id, 0);
}

static void weak_ticket_refused(void **state)
{
    const vmo_t vmo = vmo_filled(LEN);
    struct vmo_ticket ticket;
    vmo_t theirs = {99, 99};

    (void)state;
    demand(VMO_SEAL_PEERS);
    assert_ok(vmo_transfer(world.a, vmo, world.to_b, VMO_RIGHT_READ, &ticket));
    AS_B;
    assert_refused(vmo_accept(world.b, world.to_a, &ticket, &theirs), VMO_ERR_NOT_SEALED);
    assert_int_equal(theirs.id, 99);
    assert_ok(vmo_peer_require(world.b, world.to_a, VMO_SEAL_NONE));
    assert_ok(vmo_accept(world.b, world.to_a, &ticket, &theirs));
    AS_A;
}

static void refused(void **state)
{
    (void)state;
    assert_refused_quietly(vmo_peer_require(world.a, world.to_b, (vmo_seal_strength)3), VMO_ERR_INVALID);
    assert_refused_quietly(vmo_peer_require(world.a, NO_PEER, VMO_SEAL_PEERS), VMO_ERR_BAD_HANDLE);
    assert_refused_quietly(vmo_peer_require(NULL, world.to_b, VMO_SEAL_PEERS), VMO_ERR_BAD_HANDLE);
}

/* A demand ends with its peer: the next peer in the entry has none. */
static void demand_ends_with_the_peer(void **state)
{
    const struct vmo_program program = {"elf", 3, 4};
    vmo_peer_t other = NO_PEER;

    (void)state;
    assert_ok(vmo_peer_require(world.a, world.to_b, VMO_SEAL_FOREVER));
    assert_ok(vmo_peer_close(world.a, world.to_b));
    assert_ok(vmo_peer_spawn(world.a, &program, &other));
    fake_side(2);
    const struct vmo_limits limits = {.objects = 2, .mappings = 2, .views = 2, .peers = 1};
    static _Alignas(16) uint8_t storage[VMO_REGISTRY_BYTES(2, 2, 2, 1)];
    struct vmo_registry *child = NULL;
    vmo_peer_t parent = NO_PEER;
    vmo_t vmo = VMO_NONE;
    assert_ok(vmo_registry_init(storage, sizeof(storage), &limits, &child));
    assert_ok(vmo_peer_parent(child, &parent));
    assert_ok(vmo_peer_allow(child, parent));
    assert_ok(vmo_create(child, 1, &vmo));
    const struct vmo_message message = {.vmo = vmo, .rights = VMO_RIGHT_READ};
    assert_ok(vmo_send(child, parent, &message, SOON_NS));
    AS_A;
    struct vmo_incoming incoming;
    assert_ok(vmo_recv(world.a, other, &incoming, SOON_NS));
}

static void opened_by_descriptor(void **state)
{
    vmo_peer_t peer = {99, 99};

    (void)state;
    assert_refused(vmo_peer_open(world.a, 5, &peer), VMO_ERR_UNSUPPORTED);
    assert_refused_quietly(vmo_peer_open(world.a, -1, &peer), VMO_ERR_INVALID);
    assert_refused_quietly(vmo_peer_open(world.a, 5, NULL), VMO_ERR_INVALID);
    assert_refused_quietly(vmo_peer_open(NULL, 5, &peer), VMO_ERR_INVALID);
    const struct vmo_limits no_peers = {.objects = 1, .mappings = 1, .views = 1};
    static _Alignas(16) uint8_t storage[VMO_REGISTRY_BYTES(1, 1, 1, 0)];
    struct vmo_registry *registry = NULL;
    assert_ok(vmo_registry_init(storage, sizeof(storage), &no_peers, &registry));
    assert_refused_quietly(vmo_peer_open(registry, 5, &peer), VMO_ERR_TABLE_FULL);
    fake_fail_call(1, VMO_ERR_NO_SLOTS);
    assert_refused(vmo_peer_open(world.a, 5, &peer), VMO_ERR_NO_SLOTS);
    assert_int_equal(peer.id, 99);
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, world_make, world_drop)
#define IN_BOTH(test) IN_WORLD(test), cmocka_unit_test_setup_teardown(test, world_make_small, world_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_BOTH(too_weak),
        IN_BOTH(strong_enough),
        IN_BOTH(weak_ticket_refused),
        IN_BOTH(refused),
        IN_BOTH(demand_ends_with_the_peer),
        IN_WORLD(opened_by_descriptor),
    };
    return cmocka_run_group_tests_name("unit/require", tests, NULL, NULL);
}
