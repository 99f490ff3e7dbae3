/* SPDX-License-Identifier: Apache-2.0 */
/* Transfer by ticket, and the checks of vmo_accept (R6). */
#include "unit.h"

#define LEN (PAGE + 5)

static struct vmo_ticket ticket_for(vmo_t vmo, uint32_t rights)
{
    struct vmo_ticket ticket;

    memset(&ticket, 0xab, sizeof(ticket));
    assert_ok(vmo_transfer(world.a, vmo, world.to_b, rights, &ticket));
    return ticket;
}

static void read_only_and_writable(void **state)
{
    const vmo_t vmo = vmo_filled(LEN);
    vmo_t theirs = VMO_NONE;
    vmo_view_t view = NO_VIEW;
    uint64_t len = 0;
    uint32_t rights = 0;

    (void)state;
    for (uint32_t asked = VMO_RIGHT_READ; asked <= VMO_RIGHTS_ALL; asked += 2) {
        const uint64_t bulk = counters_of(world.a).bulk_bytes;
        const struct vmo_ticket ticket = ticket_for(vmo, asked);
        assert_int_equal(ticket.len_bytes, LEN);
        assert_int_equal(ticket.rights, asked);
        assert_int_equal(ticket.seal, VMO_SEAL_NONE);
        assert_int_equal(counters_of(world.a).bulk_bytes, bulk + 2 * PAGE);
        AS_B;
        assert_ok(vmo_accept(world.b, world.to_a, &ticket, &theirs));
        assert_int_equal(counters_of(world.b).bulk_bytes, bulk + 2 * PAGE);
        assert_ok(vmo_len(world.b, theirs, &len));
        assert_ok(vmo_rights(world.b, theirs, &rights));
        assert_int_equal(len, LEN);
        assert_int_equal(rights, asked);
        assert_ok(vmo_map_ro(world.b, theirs, RANGE(0, LEN), &view));
        assert_pattern(vmo_view_data(world.b, view), 0, LEN);
        assert_refused_quietly(vmo_destroy(world.b, theirs), VMO_ERR_RIGHTS);
        AS_A;
    }
    assert_int_equal(counters_of(world.a).control_bytes, 0);
}

static void sealed(void **state)
{
    const vmo_t vmo = vmo_filled(LEN);
    vmo_t theirs = VMO_NONE;
    vmo_seal_strength strength = VMO_SEAL_NONE;
    vmo_enforcer by = VMO_BY_NOBODY;

    (void)state;
    assert_ok(vmo_seal(world.a, vmo, VMO_SEAL_FOREVER));
    const struct vmo_ticket ticket = ticket_for(vmo, VMO_RIGHT_READ);
    assert_int_equal(ticket.seal, VMO_SEAL_FOREVER);
    AS_B;
    assert_ok(vmo_accept(world.b, world.to_a, &ticket, &theirs));
    assert_ok(vmo_seal_of(world.b, theirs, &strength));
    assert_ok(vmo_seal_enforced_by(world.b, theirs, &by));
    assert_int_equal(strength, VMO_SEAL_FOREVER);
    assert_int_equal(by, VMO_BY_LIBRARY); /* only the sender knows that no task can write */
}

static void transfer_refused(void **state)
{
    const vmo_t vmo = vmo_filled(LEN);
    struct vmo_ticket ticket = {.name = 7};
    static const uint32_t rights[] = {0, VMO_RIGHT_WRITE, 4, 7, UINT32_MAX};

    (void)state;
    for (size_t i = 0; i < sizeof(rights) / sizeof(rights[0]); i++) {
        assert_refused_quietly(vmo_transfer(world.a, vmo, world.to_b, rights[i], &ticket), VMO_ERR_INVALID);
    }
    assert_refused_quietly(vmo_transfer(world.a, vmo, world.to_b, VMO_RIGHT_READ, NULL), VMO_ERR_INVALID);
    assert_refused_quietly(vmo_transfer(world.a, vmo, NO_PEER, VMO_RIGHT_READ, &ticket), VMO_ERR_BAD_HANDLE);
    assert_refused_quietly(vmo_transfer(world.a, VMO_NONE, world.to_b, VMO_RIGHT_READ, &ticket),
                           VMO_ERR_BAD_HANDLE);
    fake_config()->has_transfer = false;
    assert_refused(vmo_transfer(world.a, vmo, world.to_b, VMO_RIGHTS_ALL, &ticket), VMO_ERR_UNSUPPORTED);
    fake_config()->has_transfer = true;
    fake_kill_peer(1);
    assert_refused(vmo_transfer(world.a, vmo, world.to_b, VMO_RIGHTS_ALL, &ticket), VMO_ERR_PEER_GONE);
    assert_int_equal(ticket.name, 7);
    assert_ok(vmo_seal(world.a, vmo, VMO_SEAL_PEERS)); /* a refused transfer does not count */
}

static void to_the_parent(void **state)
{
    struct vmo_ticket ticket = {.name = 7};
    vmo_t mine = VMO_NONE;

    (void)state;
    AS_B;
    assert_ok(vmo_create(world.b, 1, &mine));
    assert_refused(vmo_transfer(world.b, mine, world.to_a, VMO_RIGHTS_ALL, &ticket), VMO_ERR_UNSUPPORTED);
}

static void no_slot_at_the_receiver(void **state)
{
    const vmo_t vmo = vmo_filled(LEN);
    struct vmo_ticket ticket = {.name = 7};
    vmo_t theirs[2] = {VMO_NONE, VMO_NONE};

    (void)state;
    fake_config()->slots = 5;
    AS_B;
    assert_ok(vmo_create(world.b, 1, &theirs[0]));
    assert_ok(vmo_create(world.b, 1, &theirs[1]));
    AS_A;
    assert_refused(vmo_transfer(world.a, vmo, world.to_b, VMO_RIGHTS_ALL, &ticket), VMO_ERR_NO_SLOTS);
    assert_int_equal(ticket.name, 7);
}

/* A transferred VMO is not in flight: the kernel knows that the peer holds it. */
static void transferred_vmo_cannot_be_destroyed(void **state)
{
    const vmo_t vmo = vmo_filled(LEN);
    const struct vmo_ticket ticket = ticket_for(vmo, VMO_RIGHT_READ);
    vmo_t theirs = VMO_NONE;

    (void)state;
    assert_status(vmo_destroy(world.a, vmo), VMO_ERR_STILL_SHARED);
    AS_B;
    assert_ok(vmo_accept(world.b, world.to_a, &ticket, &theirs));
    assert_ok(vmo_close(world.b, theirs));
    AS_A;
    assert_ok(vmo_destroy(world.a, vmo));
    assert_int_equal(fake_live().objects + fake_live().lost, 0);
}

/* Names of another capability, or of none. Side b has its bootstrap endpoint in slot 0, its channel in 1
 * and 2. */
static void wrong_names(void **state)
{
    static const uint32_t names[] = {0, 1, 2, 5, 63, 64, 255, INT32_MAX, UINT32_C(1) << 31, UINT32_MAX};
    const vmo_t vmo = vmo_filled(LEN);
    struct vmo_ticket ticket = ticket_for(vmo, VMO_RIGHT_READ);
    const struct vmo_ticket good = ticket;
    vmo_t out = {7, 7};

    (void)state;
    assert_int_equal(ticket.name, 3);
    AS_B;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        ticket.name = names[i];
        assert_refused(vmo_accept(world.b, world.to_a, &ticket, &out), VMO_ERR_PROTOCOL);
    }
    assert_int_equal(out.id, 7);
    assert_ok(vmo_accept(world.b, world.to_a, &good, &out));
}

/* A name is refused if this registry already has that slot, as owner or alias, accepted or created. */
static void names_already_held(void **state)
{
    const vmo_t vmo = vmo_filled(LEN);
    struct vmo_ticket ticket = ticket_for(vmo, VMO_RIGHT_READ);
    vmo_t out = {7, 7}, own = VMO_NONE;

    (void)state;
    AS_B;
    assert_ok(vmo_create(world.b, LEN, &own)); /* slot 4 */
    assert_ok(vmo_accept(world.b, world.to_a, &ticket, &out));
    const vmo_t first = out;
    assert_refused(vmo_accept(world.b, world.to_a, &ticket, &out), VMO_ERR_PROTOCOL);
    ticket.name = 4;
    assert_refused(vmo_accept(world.b, world.to_a, &ticket, &out), VMO_ERR_PROTOCOL);
    if (fake_config()->has_alias) {
        assert_ok(vmo_seal(world.b, own, VMO_SEAL_PEERS)); /* alias in slot 5 */
        ticket.name = 5;
        assert_refused(vmo_accept(world.b, world.to_a, &ticket, &out), VMO_ERR_PROTOCOL);
    }
    assert_int_equal(out.id, first.id);
    assert_ok(vmo_destroy(world.b, own));
}

static void tickets_refused(void **state)
{
    static const struct {
        uint64_t len_bytes;
        uint16_t rights, seal;
        vmo_status expected;
    } rows[] = {
        {0, 1, 0, VMO_ERR_PROTOCOL},           {2 * PAGE + 1, 1, 0, VMO_ERR_PROTOCOL},
        {UINT64_MAX, 1, 0, VMO_ERR_TOO_LARGE}, {LEN, 0, 0, VMO_ERR_PROTOCOL},
        {LEN, 2, 0, VMO_ERR_PROTOCOL},         {LEN, 4, 0, VMO_ERR_PROTOCOL},
        {LEN, 1, 3, VMO_ERR_PROTOCOL},         {LEN, 3, 1, VMO_ERR_PROTOCOL},
    };
    const vmo_t vmo = vmo_filled(LEN);
    const struct vmo_ticket good = ticket_for(vmo, VMO_RIGHT_READ);
    vmo_t out = {7, 7};

    (void)state;
    AS_B;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct vmo_ticket ticket = good;
        ticket.len_bytes = rows[i].len_bytes;
        ticket.rights = rows[i].rights;
        ticket.seal = rows[i].seal;
        assert_refused(vmo_accept(world.b, world.to_a, &ticket, &out), rows[i].expected);
    }
    assert_refused_quietly(vmo_accept(world.b, world.to_a, NULL, &out), VMO_ERR_INVALID);
    assert_refused_quietly(vmo_accept(world.b, world.to_a, &good, NULL), VMO_ERR_INVALID);
    assert_refused_quietly(vmo_accept(NULL, world.to_b, &good, &out), VMO_ERR_BAD_HANDLE);
    assert_int_equal(out.id, 7);
    assert_ok(vmo_accept(world.b, world.to_a, &good, &out)); /* the refusals left the capability */
}

static void no_room_to_accept(void **state)
{
    const vmo_t vmo = vmo_filled(LEN);
    const struct vmo_ticket ticket = ticket_for(vmo, VMO_RIGHT_READ);
    vmo_t vmos[8], out = {7, 7};

    (void)state;
    AS_B;
    for (size_t i = 0; i < 8; i++) {
        assert_ok(vmo_create(world.b, 1, &vmos[i]));
    }
    assert_refused(vmo_accept(world.b, world.to_a, &ticket, &out), VMO_ERR_TABLE_FULL);
    assert_int_equal(out.id, 7);
    assert_ok(vmo_destroy(world.b, vmos[5]));
    assert_ok(vmo_accept(world.b, world.to_a, &ticket, &out));
}

/* A ticket can be the body of a message. */
static void ticket_as_a_body(void **state)
{
    const vmo_t vmo = vmo_filled(LEN);
    const struct vmo_ticket ticket = ticket_for(vmo, VMO_RIGHT_READ);
    const struct vmo_message message = {.body = &ticket, .body_bytes = sizeof(ticket)};
    struct vmo_incoming incoming;
    struct vmo_ticket got;
    vmo_t theirs = VMO_NONE;

    (void)state;
    assert_ok(vmo_send(world.a, world.to_b, &message, SOON_NS));
    AS_B;
    assert_ok(vmo_recv(world.b, world.to_a, &incoming, SOON_NS));
    assert_int_equal(incoming.body_bytes, sizeof(got));
    memcpy(&got, incoming.body, sizeof(got));
    assert_ok(vmo_accept(world.b, world.to_a, &got, &theirs));
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, world_make, world_drop)
#define IN_BOTH(test) IN_WORLD(test), cmocka_unit_test_setup_teardown(test, world_make_small, world_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_BOTH(read_only_and_writable),
        IN_BOTH(sealed),
        IN_BOTH(transfer_refused),
        IN_WORLD(to_the_parent),
        IN_WORLD(no_slot_at_the_receiver),
        IN_WORLD(transferred_vmo_cannot_be_destroyed),
        IN_BOTH(wrong_names),
        IN_WORLD(names_already_held),
        IN_BOTH(tickets_refused),
        IN_WORLD(no_room_to_accept),
        IN_BOTH(ticket_as_a_body),
    };
    return cmocka_run_group_tests_name("unit/transfer", tests, NULL, NULL);
}
