/* SPDX-License-Identifier: Apache-2.0 */
/* Seals: every rule of vmo.h, enforced by the kernel and by the library (R7). */
#include "unit.h"

#define LEN (PAGE + 9)

static void assert_seal(const struct vmo_registry *registry, vmo_t vmo, vmo_seal_strength strength,
                        vmo_enforcer by)
{
    vmo_seal_strength found = (vmo_seal_strength)99;
    vmo_enforcer enforcer = (vmo_enforcer)99;

    assert_ok(vmo_seal_of(registry, vmo, &found));
    assert_ok(vmo_seal_enforced_by(registry, vmo, &enforcer));
    assert_int_equal(found, strength);
    assert_int_equal(enforcer, by);
}

static vmo_enforcer enforcer_here(void)
{
    return fake_config()->has_alias ? VMO_BY_KERNEL : VMO_BY_LIBRARY;
}

static void assert_rights(const struct vmo_registry *registry, vmo_t vmo, uint32_t expected)
{
    uint32_t rights = 99;

    assert_ok(vmo_rights(registry, vmo, &rights));
    assert_int_equal(rights, expected);
}

static void unsealed(void **state)
{
    const vmo_t vmo = vmo_filled(LEN);

    (void)state;
    assert_seal(world.a, vmo, VMO_SEAL_NONE, VMO_BY_NOBODY);
    assert_refused_quietly(vmo_seal_of(world.a, vmo, NULL), VMO_ERR_INVALID);
    assert_refused_quietly(vmo_seal_enforced_by(world.a, vmo, NULL), VMO_ERR_INVALID);
}

static void strengths_refused(void **state)
{
    static const int others[] = {VMO_SEAL_NONE, 3, -1, 256, 257, INT32_MAX};
    const vmo_t vmo = vmo_filled(LEN);

    (void)state;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_refused_quietly(vmo_seal(world.a, vmo, (vmo_seal_strength)others[i]), VMO_ERR_INVALID);
    }
    assert_seal(world.a, vmo, VMO_SEAL_NONE, VMO_BY_NOBODY);
}

/* After PEERS the owner still writes, by vmo_write and by a view. VMOs are handed over read-only. */
static void peers(void **state)
{
    const vmo_t vmo = vmo_filled(LEN);
    const struct vmo_message writable = {.vmo = vmo, .rights = VMO_RIGHTS_ALL};
    struct vmo_ticket ticket = {.name = 7};
    vmo_view_t rw = NO_VIEW, later = NO_VIEW;

    (void)state;
    assert_ok(vmo_map_rw(world.a, vmo, RANGE(0, 4), &rw));
    assert_ok(vmo_seal(world.a, vmo, VMO_SEAL_PEERS)); /* the owner may have writable views */
    assert_seal(world.a, vmo, VMO_SEAL_PEERS, enforcer_here());
    assert_rights(world.a, vmo, VMO_RIGHTS_ALL);
    vmo_view_data_rw(world.a, rw)[0] = 0x42;
    assert_ok(vmo_write(world.a, vmo, RANGE(1, 1), "C"));
    assert_ok(vmo_map_rw(world.a, vmo, RANGE(PAGE, 1), &later));
    assert_refused_quietly(vmo_send(world.a, world.to_b, &writable, SOON_NS), VMO_ERR_SEALED);
    assert_refused_quietly(vmo_transfer(world.a, vmo, world.to_b, VMO_RIGHTS_ALL, &ticket), VMO_ERR_SEALED);
    assert_int_equal(ticket.name, 7);
    const vmo_t theirs = hand_over(vmo, VMO_RIGHT_READ);
    AS_B;
    assert_seal(world.b, theirs, VMO_SEAL_PEERS, enforcer_here());
    assert_rights(world.b, theirs, VMO_RIGHT_READ);
    assert_refused_quietly(vmo_write(world.b, theirs, RANGE(0, 1), "x"), VMO_ERR_RIGHTS);
    assert_refused_quietly(vmo_map_rw(world.b, theirs, RANGE(0, 1), &later), VMO_ERR_RIGHTS);
    assert_ok(vmo_map_ro(world.b, theirs, RANGE(0, LEN), &later));
    assert_memory_equal(vmo_view_data(world.b, later), "BC", 2);
    assert_pattern(vmo_view_data(world.b, later) + 2, 2, LEN - 2);
}

static void forever(void **state)
{
    const vmo_t vmo = vmo_filled(LEN);
    vmo_view_t view = {7, 7};
    uint8_t bytes[LEN];

    (void)state;
    assert_ok(vmo_seal(world.a, vmo, VMO_SEAL_FOREVER));
    assert_seal(world.a, vmo, VMO_SEAL_FOREVER, enforcer_here());
    assert_rights(world.a, vmo, VMO_RIGHT_READ);
    assert_refused_quietly(vmo_write(world.a, vmo, RANGE(0, 1), "x"), VMO_ERR_SEALED);
    assert_refused_quietly(vmo_write(world.a, vmo, RANGE(0, 0), "x"), VMO_ERR_SEALED);
    assert_refused_quietly(vmo_map_rw(world.a, vmo, RANGE(0, 1), &view), VMO_ERR_SEALED);
    assert_int_equal(view.id, 7);
    assert_ok(vmo_read(world.a, vmo, RANGE(0, LEN), bytes));
    assert_pattern(bytes, 0, LEN);
    assert_ok(vmo_map_ro(world.a, vmo, RANGE(0, LEN), &view));
    assert_pattern(vmo_view_data(world.a, view), 0, LEN);
    assert_ok(vmo_unmap(world.a, view));
    const vmo_t theirs = hand_over(vmo, VMO_RIGHT_READ);
    AS_B;
    /* Only the sender knows that no other task can write. */
    assert_seal(world.b, theirs, VMO_SEAL_FOREVER, VMO_BY_LIBRARY);
    assert_refused_quietly(vmo_write(world.b, theirs, RANGE(0, 1), "x"), VMO_ERR_SEALED);
    assert_refused_quietly(vmo_map_rw(world.b, theirs, RANGE(0, 1), &view), VMO_ERR_SEALED);
}

/* The kernel enforces FOREVER because no writable capability is left. So no task can destroy the VMO. */
static void forever_cannot_be_destroyed(void **state)
{
    const vmo_t vmo = vmo_filled(LEN);
    const uint32_t caps = fake_live().caps;

    (void)state;
    assert_ok(vmo_seal(world.a, vmo, VMO_SEAL_FOREVER));
    assert_int_equal(fake_live().caps, caps); /* the alias replaced the owner's capability */
    assert_int_equal(fake_live().mappings, 0);
    assert_refused_quietly(vmo_destroy(world.a, vmo), VMO_ERR_SEALED);
    assert_ok(vmo_close(world.a, vmo));
    assert_int_equal(fake_live().caps, 0);
    assert_int_equal(fake_live().lost, 1);
}

/* PEERS keeps the owner's capability: the VMO can be destroyed, together with its alias. */
static void peers_can_be_destroyed(void **state)
{
    const struct fake_live before = fake_live();
    const vmo_t vmo = vmo_filled(LEN);

    (void)state;
    assert_ok(vmo_seal(world.a, vmo, VMO_SEAL_PEERS));
    assert_int_equal(fake_live().caps, 2);
    assert_ok(vmo_destroy(world.a, vmo));
    const struct fake_live after = fake_live();
    assert_memory_equal(&after, &before, sizeof(after));
}

static void order_of_strengths(void **state)
{
    const vmo_t vmo = vmo_filled(LEN);

    (void)state;
    assert_ok(vmo_seal(world.a, vmo, VMO_SEAL_PEERS));
    const struct snapshot sealed = snapshot_take();
    assert_ok(vmo_seal(world.a, vmo, VMO_SEAL_PEERS)); /* the same seal again is valid */
    snapshot_check(&sealed, "the same seal", __FILE__, __LINE__);
    assert_ok(vmo_seal(world.a, vmo, VMO_SEAL_FOREVER));
    const struct snapshot for_ever = snapshot_take();
    assert_ok(vmo_seal(world.a, vmo, VMO_SEAL_FOREVER));
    snapshot_check(&for_ever, "the same seal", __FILE__, __LINE__);
    assert_refused_quietly(vmo_seal(world.a, vmo, VMO_SEAL_PEERS), VMO_ERR_SEALED);
    assert_refused_quietly(vmo_seal(world.a, vmo, VMO_SEAL_NONE), VMO_ERR_INVALID);
    assert_seal(world.a, vmo, VMO_SEAL_FOREVER, enforcer_here());
}

/* FOREVER is refused while any view exists, even a read-only one. An unused mapping is no view. */
static void views_forbid_forever(void **state)
{
    const vmo_t vmo = vmo_filled(LEN);
    vmo_view_t rw = NO_VIEW, ro = NO_VIEW, part = NO_VIEW;

    (void)state;
    assert_ok(vmo_map_rw(world.a, vmo, RANGE(0, 2), &rw));
    assert_ok(vmo_map_ro(world.a, vmo, RANGE(0, 2), &ro));
    assert_ok(vmo_slice(world.a, rw, RANGE(0, 1), &part));
    assert_refused_quietly(vmo_seal(world.a, vmo, VMO_SEAL_FOREVER), VMO_ERR_BUSY);
    assert_ok(vmo_unmap(world.a, rw));
    assert_refused_quietly(vmo_seal(world.a, vmo, VMO_SEAL_FOREVER), VMO_ERR_BUSY);
    assert_ok(vmo_unmap(world.a, part));
    assert_refused_quietly(vmo_seal(world.a, vmo, VMO_SEAL_FOREVER), VMO_ERR_BUSY);
    assert_seal(world.a, vmo, VMO_SEAL_NONE, VMO_BY_NOBODY);
    assert_rights(world.a, vmo, VMO_RIGHTS_ALL);
    assert_ok(vmo_unmap(world.a, ro));
    assert_ok(vmo_seal(world.a, vmo, VMO_SEAL_FOREVER));
}

/* A peer that once had WRITE may have kept a writable mapping, so the VMO can no longer be sealed. */
static void writable_hand_over_forbids(void **state)
{
    const vmo_t vmo = vmo_filled(LEN);
    const vmo_t by_transfer = vmo_filled(LEN);
    struct vmo_ticket ticket;
    const vmo_t theirs = hand_over(vmo, VMO_RIGHTS_ALL);

    (void)state;
    assert_refused_quietly(vmo_seal(world.a, vmo, VMO_SEAL_PEERS), VMO_ERR_BUSY);
    assert_refused_quietly(vmo_seal(world.a, vmo, VMO_SEAL_FOREVER), VMO_ERR_BUSY);
    AS_B;
    assert_ok(vmo_close(world.b, theirs));
    AS_A;
    assert_refused_quietly(vmo_seal(world.a, vmo, VMO_SEAL_PEERS), VMO_ERR_BUSY);
    assert_seal(world.a, vmo, VMO_SEAL_NONE, VMO_BY_NOBODY);
    assert_ok(vmo_transfer(world.a, by_transfer, world.to_b, VMO_RIGHTS_ALL, &ticket));
    assert_refused_quietly(vmo_seal(world.a, by_transfer, VMO_SEAL_PEERS), VMO_ERR_BUSY);
}

/* A read-only hand-over, or a refused writable one, does not prevent a seal. */
static void read_only_hand_over_allows(void **state)
{
    const vmo_t vmo = vmo_filled(LEN);
    const struct vmo_message writable = {.vmo = vmo, .rights = VMO_RIGHTS_ALL};

    (void)state;
    (void)hand_over(vmo, VMO_RIGHT_READ);
    fake_fail_call(1, VMO_ERR_QUEUE_FULL);
    assert_refused(vmo_send(world.a, world.to_b, &writable, SOON_NS), VMO_ERR_QUEUE_FULL);
    assert_ok(vmo_seal(world.a, vmo, VMO_SEAL_FOREVER));
}

static void received_cannot_be_sealed(void **state)
{
    const vmo_t vmo = vmo_filled(LEN);
    const vmo_t read_only = hand_over(vmo, VMO_RIGHT_READ);
    const vmo_t both = hand_over(vmo, VMO_RIGHTS_ALL);

    (void)state;
    AS_B;
    assert_refused_quietly(vmo_seal(world.b, read_only, VMO_SEAL_PEERS), VMO_ERR_RIGHTS);
    assert_refused_quietly(vmo_seal(world.b, both, VMO_SEAL_FOREVER), VMO_ERR_RIGHTS);
    assert_refused_quietly(vmo_destroy(world.b, read_only), VMO_ERR_RIGHTS);
    assert_refused_quietly(vmo_destroy(world.b, both), VMO_ERR_RIGHTS);
    assert_seal(world.b, both, VMO_SEAL_NONE, VMO_BY_NOBODY);
}

/* A sealed VMO that a receiver hands on is still sealed and read-only, with the same enforcer. */
static void handed_on(void **state)
{
    const vmo_t vmo = vmo_filled(LEN);
    struct vmo_incoming incoming;

    (void)state;
    assert_ok(vmo_seal(world.a, vmo, VMO_SEAL_PEERS));
    const vmo_t theirs = hand_over(vmo, VMO_RIGHT_READ);
    struct vmo_message message = {.vmo = theirs, .rights = VMO_RIGHTS_ALL};
    AS_B;
    assert_refused_quietly(vmo_send(world.b, world.to_a, &message, SOON_NS), VMO_ERR_SEALED);
    message.rights = VMO_RIGHT_READ;
    assert_ok(vmo_send(world.b, world.to_a, &message, SOON_NS));
    AS_A;
    assert_ok(vmo_recv(world.a, world.to_b, &incoming, SOON_NS));
    assert_seal(world.a, incoming.vmo, VMO_SEAL_PEERS, enforcer_here());
    assert_refused_quietly(vmo_seal(world.a, incoming.vmo, VMO_SEAL_FOREVER), VMO_ERR_RIGHTS);
}

static void no_slot_for_the_alias(void **state)
{
    const vmo_t vmo = vmo_filled(LEN);

    (void)state;
    fake_config()->slots = 5; /* bootstrap, three for the peer, the owner's */
    assert_refused(vmo_seal(world.a, vmo, VMO_SEAL_PEERS), VMO_ERR_NO_SLOTS);
    assert_refused(vmo_seal(world.a, vmo, VMO_SEAL_FOREVER), VMO_ERR_NO_SLOTS);
    assert_seal(world.a, vmo, VMO_SEAL_NONE, VMO_BY_NOBODY);
    assert_rights(world.a, vmo, VMO_RIGHTS_ALL);
    fake_config()->slots = 6;
    assert_ok(vmo_seal(world.a, vmo, VMO_SEAL_FOREVER));
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, world_make, world_drop)
#define IN_BOTH(test) IN_WORLD(test), cmocka_unit_test_setup_teardown(test, world_make_small, world_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_BOTH(unsealed),
        IN_BOTH(strengths_refused),
        IN_BOTH(peers),
        IN_BOTH(forever),
        IN_WORLD(forever_cannot_be_destroyed),
        IN_WORLD(peers_can_be_destroyed),
        IN_BOTH(order_of_strengths),
        IN_BOTH(views_forbid_forever),
        IN_BOTH(writable_hand_over_forbids),
        IN_BOTH(read_only_hand_over_allows),
        IN_BOTH(received_cannot_be_sealed),
        IN_BOTH(handed_on),
        IN_WORLD(no_slot_for_the_alias),
    };
    return cmocka_run_group_tests_name("unit/seals", tests, NULL, NULL);
}
