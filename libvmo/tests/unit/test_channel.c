/* SPDX-License-Identifier: Apache-2.0 */
/* Messages, with and without a VMO (R6, R13). */
#include "unit.h"

#define LEN (2 * PAGE + 40)
#define HEADER_BYTES 32

static void bodies(void **state)
{
    static const uint16_t lengths[] = {0, 1, 447, VMO_BODY_MAX_BYTES};
    uint8_t body[VMO_BODY_MAX_BYTES];
    struct vmo_incoming incoming;
    uint64_t control = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(body); i++) {
        body[i] = pattern_at(i);
    }
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        const struct vmo_message message = {
            .tag = (uint32_t)i, .body = lengths[i] ? body : NULL, .body_bytes = lengths[i]};
        assert_ok(vmo_send(world.a, world.to_b, &message, SOON_NS));
        control += HEADER_BYTES + lengths[i];
        assert_int_equal(counters_of(world.a).control_bytes, control);
    }
    AS_B;
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        memset(&incoming, 0xab, sizeof(incoming));
        assert_ok(vmo_recv(world.b, world.to_a, &incoming, SOON_NS));
        assert_int_equal(incoming.tag, i);
        assert_int_equal(incoming.vmo.id, 0);
        assert_int_equal(incoming.body_bytes, lengths[i]);
        assert_pattern(incoming.body, 0, lengths[i]);
    }
    assert_int_equal(counters_of(world.b).control_bytes, control);
    assert_int_equal(counters_of(world.a).bulk_bytes, 0);
    assert_int_equal(counters_of(world.b).bulk_bytes, 0);
}

static void messages_refused(void **state)
{
    static const uint8_t body[VMO_BODY_MAX_BYTES + 1];
    const vmo_t vmo = vmo_filled(LEN);
    struct vmo_message message = {.body = body, .body_bytes = VMO_BODY_MAX_BYTES + 1};

    (void)state;
    assert_refused_quietly(vmo_send(world.a, world.to_b, &message, SOON_NS), VMO_ERR_TOO_LARGE);
    message.body_bytes = UINT16_MAX;
    assert_refused_quietly(vmo_send(world.a, world.to_b, &message, SOON_NS), VMO_ERR_TOO_LARGE);
    message = (struct vmo_message){.body = NULL, .body_bytes = 1};
    assert_refused_quietly(vmo_send(world.a, world.to_b, &message, SOON_NS), VMO_ERR_INVALID);
    assert_refused_quietly(vmo_send(world.a, world.to_b, NULL, SOON_NS), VMO_ERR_INVALID);
    message = (struct vmo_message){.rights = VMO_RIGHT_READ}; /* rights without a VMO */
    assert_refused_quietly(vmo_send(world.a, world.to_b, &message, SOON_NS), VMO_ERR_INVALID);
    message = (struct vmo_message){.vmo = {vmo.id + 1, vmo.registry}, .rights = VMO_RIGHT_READ};
    assert_refused_quietly(vmo_send(world.a, world.to_b, &message, SOON_NS), VMO_ERR_BAD_HANDLE);
    static const uint32_t rights[] = {0, VMO_RIGHT_WRITE, 4, 5, 7, 0x10001, UINT32_MAX};
    for (size_t i = 0; i < sizeof(rights) / sizeof(rights[0]); i++) {
        message = (struct vmo_message){.vmo = vmo, .rights = rights[i]};
        assert_refused_quietly(vmo_send(world.a, world.to_b, &message, SOON_NS), VMO_ERR_INVALID);
    }
    assert_refused_quietly(vmo_recv(world.a, world.to_b, NULL, SOON_NS), VMO_ERR_INVALID);
}

/* The receiver gets the same memory, with the original length and the rights sent. */
static void message_carries_a_vmo(void **state)
{
    const uint32_t rights[] = {VMO_RIGHT_READ, VMO_RIGHTS_ALL};
    const vmo_t vmo = vmo_filled(LEN);
    vmo_view_t mine = NO_VIEW, theirs = NO_VIEW;
    uint64_t len = 0, size = 0;
    uint32_t found = 0;

    (void)state;
    assert_ok(vmo_map_ro(world.a, vmo, RANGE(0, LEN), &mine));
    for (size_t i = 0; i < 2; i++) {
        const vmo_t received = hand_over(vmo, rights[i]);
        AS_B;
        assert_ok(vmo_len(world.b, received, &len));
        assert_ok(vmo_size(world.b, received, &size));
        assert_ok(vmo_rights(world.b, received, &found));
        assert_int_equal(len, LEN);
        assert_int_equal(size, 3 * PAGE);
        assert_int_equal(found, rights[i]);
        assert_ok(vmo_map_ro(world.b, received, RANGE(0, LEN), &theirs));
        assert_ptr_equal(vmo_view_data(world.b, theirs), vmo_view_data(world.a, mine)); /* not a copy */
        assert_ok(vmo_unmap(world.b, theirs));
        AS_A;
        assert_int_equal(counters_of(world.a).bulk_bytes, (i + 1) * 3 * PAGE);
        assert_int_equal(counters_of(world.b).bulk_bytes, (i + 1) * 3 * PAGE);
    }
    assert_int_equal(counters_of(world.a).copies, 0);
    assert_int_equal(counters_of(world.b).copies, 0);
}

/* The first view reuses the mapping that be_verify made. */
static void verify_mapping_is_kept(void **state)
{
    const vmo_t received = hand_over(vmo_filled(LEN), VMO_RIGHT_READ);
    vmo_view_t view = NO_VIEW;

    (void)state;
    AS_B;
    const struct fake_live before = fake_live();
    const uint32_t calls = fake_call_count();
    assert_ok(vmo_map_ro(world.b, received, RANGE(0, LEN), &view));
    assert_int_equal(fake_call_count(), calls);
    assert_int_equal(fake_live().mappings, before.mappings);
    assert_int_equal(counters_of(world.b).map_hits, 1);
    assert_int_equal(counters_of(world.b).map_misses, 0);
    assert_ok(vmo_unmap(world.b, view));
    assert_ok(vmo_close(world.b, received));
    assert_int_equal(fake_live().mappings, before.mappings - 1);
}

/* The table has no room for that mapping: it is unmapped, and the VMO is still received. */
static void verify_mapping_without_room(void **state)
{
    const struct vmo_limits limits = {.objects = 4, .mappings = 1, .views = 4, .peers = 2};
    vmo_view_t view = NO_VIEW, more = {7, 7};

    (void)state;
    fake_reset();
    world_remake(&limits);
    const vmo_t first = hand_over(vmo_filled(LEN), VMO_RIGHT_READ);
    AS_B;
    assert_ok(vmo_map_ro(world.b, first, RANGE(0, 1), &view));
    const struct fake_live before = fake_live();
    AS_A;
    const vmo_t second = hand_over(vmo_filled(LEN), VMO_RIGHT_READ);
    AS_B;
    assert_int_equal(fake_live().mappings, before.mappings);
    assert_refused_quietly(vmo_map_ro(world.b, second, RANGE(0, 1), &more), VMO_ERR_TABLE_FULL);
    assert_ok(vmo_unmap(world.b, view));
    assert_ok(vmo_map_ro(world.b, second, RANGE(0, LEN), &more));
    assert_pattern(vmo_view_data(world.b, more), 0, LEN);
}

/* The kernel then refuses to unmap it: the VMO is not received, and the message stays queued. The mapping
 * stays as well, since only the kernel can remove it. */
static void verify_mapping_cannot_be_unmapped(void **state)
{
    const struct vmo_limits limits = {.objects = 4, .mappings = 1, .views = 4, .peers = 2};
    struct vmo_incoming incoming;
    vmo_view_t view = NO_VIEW;

    (void)state;
    fake_reset();
    world_remake(&limits);
    const struct vmo_message message = {.vmo = vmo_filled(LEN), .rights = VMO_RIGHT_READ};
    const vmo_t first = hand_over(message.vmo, VMO_RIGHT_READ);
    AS_B;
    assert_ok(vmo_map_ro(world.b, first, RANGE(0, 1), &view));
    const struct fake_live before = fake_live();
    AS_A;
    assert_ok(vmo_send(world.a, world.to_b, &message, SOON_NS));
    AS_B;
    fake_fail_call(3, VMO_ERR_BACKEND); /* receive, check, unmap */
    assert_status(vmo_recv(world.b, world.to_a, &incoming, SOON_NS), VMO_ERR_BACKEND);
    assert_int_equal(fake_live().caps, before.caps);
    assert_int_equal(fake_live().queued, 1);
    assert_int_equal(fake_live().mappings, before.mappings + 1);
    assert_int_equal(counters_of(world.b).bulk_bytes, 3 * PAGE);
}

/* Sending a VMO on cannot add rights. */
static void rights_only_narrow(void **state)
{
    const vmo_t read_only = hand_over(vmo_filled(LEN), VMO_RIGHT_READ);
    struct vmo_message message = {.vmo = read_only, .rights = VMO_RIGHTS_ALL};

    (void)state;
    AS_B;
    assert_refused_quietly(vmo_send(world.b, world.to_a, &message, SOON_NS), VMO_ERR_RIGHTS);
    message.rights = VMO_RIGHT_READ;
    assert_ok(vmo_send(world.b, world.to_a, &message, SOON_NS));
}

/* A peer that is not allowed gets no VMO, and the backend is not called. Messages without a VMO are sent. */
static void peer_not_allowed(void **state)
{
    const struct vmo_program program = {"elf", 3, 4};
    const vmo_t vmo = vmo_filled(LEN);
    struct vmo_message message = {.vmo = vmo, .rights = VMO_RIGHT_READ};
    struct vmo_ticket ticket = {.name = 7};
    vmo_peer_t stranger = NO_PEER;

    (void)state;
    assert_ok(vmo_peer_spawn(world.a, &program, &stranger));
    assert_refused_quietly(vmo_send(world.a, stranger, &message, SOON_NS), VMO_ERR_NOT_AUTHORISED);
    assert_refused_quietly(vmo_transfer(world.a, vmo, stranger, VMO_RIGHT_READ, &ticket),
                           VMO_ERR_NOT_AUTHORISED);
    assert_int_equal(ticket.name, 7);
    message = (struct vmo_message){.tag = 1};
    assert_ok(vmo_send(world.a, stranger, &message, SOON_NS));
    assert_ok(vmo_peer_allow(world.a, stranger));
    message = (struct vmo_message){.vmo = vmo, .rights = VMO_RIGHT_READ};
    assert_ok(vmo_send(world.a, stranger, &message, SOON_NS));
}

/* A new peer in the entry of an allowed one is not allowed. */
static void permission_ends_with_the_peer(void **state)
{
    const struct vmo_program program = {"elf", 3, 4};
    const vmo_t vmo = vmo_filled(LEN);
    const struct vmo_message message = {.vmo = vmo, .rights = VMO_RIGHT_READ};
    vmo_peer_t next = NO_PEER;

    (void)state;
    assert_ok(vmo_peer_close(world.a, world.to_b));
    assert_ok(vmo_peer_spawn(world.a, &program, &next));
    assert_refused_quietly(vmo_send(world.a, next, &message, SOON_NS), VMO_ERR_NOT_AUTHORISED);
}

/* Without a slot for the capability the kernel keeps the message for a later call (K-54). */
static void no_slot_at_the_receiver(void **state)
{
    const struct vmo_message message = {.vmo = vmo_filled(LEN), .rights = VMO_RIGHTS_ALL};
    struct vmo_incoming incoming;

    (void)state;
    assert_ok(vmo_send(world.a, world.to_b, &message, SOON_NS));
    fake_config()->slots = 3; /* bootstrap and the two ends of the channel */
    AS_B;
    assert_refused(vmo_recv(world.b, world.to_a, &incoming, SOON_NS), VMO_ERR_NO_SLOTS);
    fake_config()->slots = 4;
    assert_ok(vmo_recv(world.b, world.to_a, &incoming, SOON_NS));
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, world_make, world_drop)
#define IN_BOTH(test) IN_WORLD(test), cmocka_unit_test_setup_teardown(test, world_make_small, world_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_BOTH(bodies),
        IN_BOTH(messages_refused),
        IN_BOTH(message_carries_a_vmo),
        IN_WORLD(verify_mapping_is_kept),
        IN_WORLD(verify_mapping_without_room),
        IN_WORLD(verify_mapping_cannot_be_unmapped),
        IN_BOTH(rights_only_narrow),
        IN_BOTH(peer_not_allowed),
        IN_WORLD(permission_ends_with_the_peer),
        IN_BOTH(no_slot_at_the_receiver),
    };
    return cmocka_run_group_tests_name("unit/channel", tests, NULL, NULL);
}
