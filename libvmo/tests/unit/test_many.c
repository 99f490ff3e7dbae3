/* SPDX-License-Identifier: Apache-2.0 */
/* Messages with several VMOs (vmo_send_many, vmo_recv_many): all arrive, or none. */
#include "unit.h"
#include "wire.h"

#define LEN (PAGE + 40)
#define ALL VMO_MANY_MAX

static vmo_t vmos[ALL];
static vmo_t theirs[ALL];
static struct vmo_item items[ALL];
static struct vmo_incoming incoming;
static uint32_t count;

/* `n` filled VMOs of different lengths, to be sent read-only. */
static void make(uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        vmos[i] = vmo_filled(LEN + i);
        items[i] = (struct vmo_item){vmos[i], VMO_RIGHT_READ};
    }
}

static vmo_status send_items(uint32_t n)
{
    const struct vmo_message message = {.tag = 40 + n, .body = "planes", .body_bytes = 6};

    return vmo_send_many(world.a, world.to_b, &message, items, n, SOON_NS);
}

static vmo_status receive(void)
{
    AS_B;
    const vmo_status status = vmo_recv_many(world.b, world.to_a, &incoming, theirs, &count, SOON_NS);
    AS_A;
    return status;
}

static void check_received(uint32_t n)
{
    uint8_t back[LEN + ALL];
    uint64_t len = 0;

    assert_int_equal(count, n);
    assert_int_equal(incoming.tag, 40 + n);
    assert_int_equal(incoming.body_bytes, 6);
    assert_memory_equal(incoming.body, "planes", 6);
    assert_true(incoming.vmo.id == (n ? theirs[0].id : VMO_NONE.id));
    AS_B;
    for (uint32_t i = 0; i < n; i++) {
        assert_ok(vmo_len(world.b, theirs[i], &len));
        assert_int_equal(len, LEN + i);
        assert_ok(vmo_read(world.b, theirs[i], RANGE(0, len), back));
        assert_pattern(back, 0, len);
        assert_ok(vmo_close(world.b, theirs[i]));
    }
    AS_A;
}

static void as_many_as_were_sent(void **state)
{
    (void)state;
    make(ALL);
    for (uint32_t n = 0; n <= ALL; n++) {
        assert_ok(send_items(n));
        assert_ok(receive());
        check_received(n);
    }
}

/* One VMO, or none, is what vmo_send sends and vmo_recv takes. */
static void one_is_a_plain_message(void **state)
{
    const struct vmo_message message = {.tag = 41, .body = "planes", .body_bytes = 6};
    struct vmo_message with_vmo = message;
    struct vmo_incoming plain;

    (void)state;
    make(1);
    with_vmo.vmo = vmos[0];
    with_vmo.rights = VMO_RIGHT_READ;
    assert_ok(vmo_send(world.a, world.to_b, &with_vmo, SOON_NS));
    assert_ok(receive());
    check_received(1);
    assert_ok(send_items(1));
    assert_ok(send_items(0));
    AS_B;
    assert_ok(vmo_recv(world.b, world.to_a, &plain, SOON_NS));
    assert_ok(vmo_close(world.b, plain.vmo));
    assert_ok(vmo_recv(world.b, world.to_a, &plain, SOON_NS));
    assert_int_equal(plain.vmo.id, VMO_NONE.id);
}

static void rights_and_seals_of_each(void **state)
{
    const uint32_t rights[] = {VMO_RIGHTS_ALL, VMO_RIGHT_READ, VMO_RIGHT_READ};
    uint32_t found = 0;
    vmo_seal_strength seal = VMO_SEAL_NONE;

    (void)state;
    make(3);
    items[0].rights = VMO_RIGHTS_ALL;
    assert_ok(vmo_seal(world.a, vmos[1], VMO_SEAL_PEERS));
    assert_ok(vmo_seal(world.a, vmos[2], VMO_SEAL_FOREVER));
    assert_ok(send_items(3));
    assert_ok(receive());
    for (uint32_t i = 0; i < 3; i++) {
        assert_ok(vmo_rights(world.b, theirs[i], &found));
        assert_int_equal(found, rights[i]);
        assert_ok(vmo_seal_of(world.b, theirs[i], &seal));
        assert_int_equal(seal, i);
    }
    assert_refused_quietly(vmo_seal(world.a, vmos[0], VMO_SEAL_PEERS), VMO_ERR_BUSY);
}

/* The wire format: the header, an item for each VMO, the body. */
static void format(void **state)
{
    struct {
        struct wire wire;
        struct wire_item items[2];
        char body[8];
    } raw;
    struct be_object objects[ALL];
    size_t len = 0;

    (void)state;
    make(2);
    assert_ok(vmo_seal(world.a, vmos[1], VMO_SEAL_PEERS));
    assert_ok(send_items(2));
    AS_B;
    memset(&raw, 0xcc, sizeof(raw));
    assert_ok(be_recv_many(&world.raw_b, &raw, sizeof(raw), &len, objects, &count, SOON_NS));
    assert_int_equal(len, 32 + 2 * 16 + 6);
    assert_int_equal(count, 2);
    assert_true(raw.wire.magic == WIRE_MAGIC && raw.wire.kind == WIRE_MANY && raw.wire.body_bytes == 6);
    assert_true(raw.wire.tag == 42 && raw.wire.len_bytes == 2);
    assert_true(raw.wire.rights == 0 && raw.wire.seal == 0 && raw.wire.zero == 0);
    for (uint32_t i = 0; i < 2; i++) {
        assert_true(raw.items[i].len_bytes == LEN + i && raw.items[i].rights == VMO_RIGHT_READ);
        assert_true(raw.items[i].seal == i && raw.items[i].zero == 0);
    }
    assert_memory_equal(raw.body, "planes", 6);
}

/* ---- Sending ------------------------------------------------------------------------------------ */

static void arguments_of_send(void **state)
{
    const struct vmo_message message = {.tag = 1};
    struct vmo_message wrong = message;

    (void)state;
    make(3);
    assert_refused_quietly(vmo_send_many(world.a, NO_PEER, &message, items, 2, 0), VMO_ERR_BAD_HANDLE);
    assert_refused_quietly(vmo_send_many(world.a, world.to_b, NULL, items, 2, 0), VMO_ERR_INVALID);
    assert_refused_quietly(vmo_send_many(world.a, world.to_b, &message, NULL, 1, 0), VMO_ERR_INVALID);
    assert_refused_quietly(vmo_send_many(world.a, world.to_b, &message, items, ALL + 1, 0),
                           VMO_ERR_TOO_LARGE);
    wrong.vmo = vmos[0];
    assert_refused_quietly(vmo_send_many(world.a, world.to_b, &wrong, items, 2, 0), VMO_ERR_INVALID);
    wrong = (struct vmo_message){.rights = VMO_RIGHT_READ};
    assert_refused_quietly(vmo_send_many(world.a, world.to_b, &wrong, items, 2, 0), VMO_ERR_INVALID);
    wrong = (struct vmo_message){.body = "b", .body_bytes = VMO_BODY_MAX_BYTES + 1};
    assert_refused_quietly(vmo_send_many(world.a, world.to_b, &wrong, items, 2, 0), VMO_ERR_TOO_LARGE);
    const struct vmo_item *kernel = (const struct vmo_item *)(uintptr_t)FAKE_USER_TOP;
    assert_refused_quietly(vmo_send_many(world.a, world.to_b, &message, kernel, 2, 0), VMO_ERR_INVALID);
    assert_ok(vmo_send_many(world.a, world.to_b, &message, NULL, 0, SOON_NS));
}

/* What is wrong with the last VMO refuses all. */
static void the_last_vmo_is_refused(void **state)
{
    static const uint8_t byte = 1;

    (void)state;
    make(3);
    for (uint32_t n = 1; n <= 3; n++) {
        items[n - 1] = (struct vmo_item){VMO_NONE, VMO_RIGHT_READ};
        assert_refused(send_items(n), VMO_ERR_BAD_HANDLE);
        items[n - 1] = (struct vmo_item){vmos[n - 1], VMO_RIGHT_READ};
    }
    assert_ok(send_items(2)); /* makes the aliases */
    assert_ok(receive());
    check_received(2);
    items[2].rights = VMO_RIGHT_WRITE;
    assert_refused(send_items(3), VMO_ERR_INVALID);
    items[2].rights = VMO_RIGHTS_ALL;
    assert_ok(vmo_seal(world.a, vmos[2], VMO_SEAL_PEERS));
    assert_refused(send_items(3), VMO_ERR_SEALED);
    assert_ok(vmo_dup(world.a, vmos[1], VMO_RIGHT_READ, &items[2].vmo));
    assert_refused(send_items(3), VMO_ERR_RIGHTS);
    assert_ok(vmo_wrap_bytes(world.a, &byte, 1, &items[2].vmo));
    items[2].rights = VMO_RIGHT_READ;
    assert_refused(send_items(3), VMO_ERR_UNSUPPORTED);
    AS_B;
    assert_status(vmo_recv_many(world.b, world.to_a, &incoming, theirs, &count, 0), VMO_ERR_TIMED_OUT);
}

static void not_allowed(void **state)
{
    vmo_t vmo = VMO_NONE;

    (void)state;
    assert_ok(vmo_create(world.a, LEN, &vmo));
    items[0] = items[1] = (struct vmo_item){vmo, VMO_RIGHT_READ};
    fake_side(0);
    vmo_peer_t stranger = NO_PEER;
    const struct vmo_program program = {"elf", 3, 4};
    assert_ok(vmo_peer_spawn(world.a, &program, &stranger));
    assert_refused_quietly(vmo_send_many(world.a, stranger, &(struct vmo_message){0}, items, 2, 0),
                           VMO_ERR_NOT_AUTHORISED);
}

/* The kernel clones each capability before it sends them. */
static void no_slots_to_send(void **state)
{
    (void)state;
    make(ALL);
    assert_ok(send_items(ALL)); /* makes the aliases */
    assert_ok(receive());
    check_received(ALL);
    for (uint32_t n = 2; n <= ALL; n++) {
        fake_config()->slots = FAKE_SLOTS;
        const uint32_t used = fake_live().slots - 3; /* side 1 has its bootstrap and its endpoints */
        fake_config()->slots = used + n - 1;
        assert_refused(send_items(n), VMO_ERR_NO_SLOTS);
        fake_config()->slots = used + n;
        assert_ok(send_items(n));
        fake_config()->slots = FAKE_SLOTS;
        assert_ok(receive());
        check_received(n);
    }
}

/* ---- Receiving ---------------------------------------------------------------------------------- */

static void arguments_of_receive(void **state)
{
    (void)state;
    AS_B;
    assert_refused_quietly(vmo_recv_many(world.b, NO_PEER, &incoming, theirs, &count, 0), VMO_ERR_BAD_HANDLE);
    assert_refused_quietly(vmo_recv_many(world.b, world.to_a, NULL, theirs, &count, 0), VMO_ERR_INVALID);
    assert_refused_quietly(vmo_recv_many(world.b, world.to_a, &incoming, NULL, &count, 0), VMO_ERR_INVALID);
    assert_refused_quietly(vmo_recv_many(world.b, world.to_a, &incoming, theirs, NULL, 0), VMO_ERR_INVALID);
    assert_refused(vmo_recv_many(world.b, world.to_a, &incoming, theirs, &count, 0), VMO_ERR_TIMED_OUT);
}

/* A receive of at most one VMO refuses the message and leaves it, as often as it tries. */
static void plain_receive_leaves_it(void **state)
{
    struct vmo_incoming untouched;

    (void)state;
    make(3);
    assert_ok(send_items(3));
    assert_ok(send_items(0));
    AS_B;
    memset(&incoming, 0xab, sizeof(incoming));
    memset(&untouched, 0xab, sizeof(untouched));
    for (uint32_t i = 0; i < 3; i++) {
        assert_refused(vmo_recv(world.b, world.to_a, &incoming, SOON_NS), VMO_ERR_UNSUPPORTED);
        assert_memory_equal(&incoming, &untouched, sizeof(incoming));
    }
    assert_ok(receive());
    check_received(3);
    AS_B;
    assert_ok(vmo_recv(world.b, world.to_a, &incoming, SOON_NS));
    assert_int_equal(incoming.tag, 40);
}

/* Receives while the world refuses the k-th VMO for each k, then when it does not. */
static void keeps_at_each(void (*narrow)(uint32_t room), vmo_status expected)
{
    make(4);
    assert_ok(send_items(4));
    for (uint32_t room = 0; room < 4; room++) {
        narrow(room);
        incoming.tag = 99;
        count = 77;
        memset(theirs, 0xab, sizeof(theirs));
        assert_refused(receive(), expected);
        assert_true(incoming.tag == 99 && count == 77 && theirs[0].id == theirs[3].id);
    }
    narrow(4);
    assert_ok(receive());
    check_received(4);
}

static void room_in_the_kernel(uint32_t room)
{
    fake_config()->slots = 3 + room; /* the bootstrap and two endpoints use 3 */
}

static void room_in_the_table(uint32_t room)
{
    static vmo_t fill[8];
    static const uint8_t byte = 1;

    AS_B;
    for (uint32_t i = 0; i < 8; i++) {
        if (fill[i].id) {
            assert_ok(vmo_close(world.b, fill[i]));
            fill[i] = VMO_NONE;
        }
    }
    for (uint32_t i = room; i < 8; i++) {
        assert_ok(vmo_wrap_bytes(world.b, &byte, 1, &fill[i]));
    }
    AS_A;
}

static void no_slots_at_the_kth(void **state)
{
    (void)state;
    keeps_at_each(room_in_the_kernel, VMO_ERR_NO_SLOTS);
}

static void table_full_at_the_kth(void **state)
{
    (void)state;
    keeps_at_each(room_in_the_table, VMO_ERR_TABLE_FULL);
}

static void quota_at_the_second(void **state)
{
    struct vmo_limits limits = world_limits;
    vmo_t own = VMO_NONE;

    (void)state;
    fake_reset();
    limits.total_bytes_max = 4 * PAGE;
    world_remake(&limits);
    AS_B;
    assert_ok(vmo_create(world.b, 1, &own));
    AS_A;
    make(2); /* of two pages each */
    assert_ok(send_items(2));
    assert_refused(receive(), VMO_ERR_QUOTA);
    AS_B;
    assert_ok(vmo_destroy(world.b, own));
    AS_A;
    assert_ok(receive());
    check_received(2);
}

/* One VMO that is sealed less than demanded drops the message with all of them. */
static void weak_seal_drops_all(void **state)
{
    (void)state;
    make(3);
    assert_ok(vmo_seal(world.a, vmos[0], VMO_SEAL_PEERS));
    assert_ok(vmo_seal(world.a, vmos[1], VMO_SEAL_PEERS));
    AS_B;
    assert_ok(vmo_peer_require(world.b, world.to_a, VMO_SEAL_PEERS));
    AS_A;
    assert_ok(send_items(2));
    assert_ok(receive());
    check_received(2);
    const struct fake_live before = fake_live();
    items[2] = (struct vmo_item){vmos[2], VMO_RIGHT_READ};
    assert_ok(send_items(3));
    incoming.tag = 99;
    assert_status(receive(), VMO_ERR_NOT_SEALED);
    assert_int_equal(incoming.tag, 99);
    struct fake_live after = fake_live();
    assert_int_equal(after.caps, before.caps + 1); /* the sender's alias */
    assert_int_equal(after.mappings, before.mappings);
    assert_int_equal(after.queued, 0);
    assert_int_equal(counters_of(world.b).bulk_bytes, 4 * PAGE);
}

/* The same VMO twice: one object with two handles, one of which can write. */
static void same_vmo_twice(void **state)
{
    (void)state;
    fake_config()->knows_objects = true;
    make(1);
    items[1] = (struct vmo_item){vmos[0], VMO_RIGHTS_ALL};
    const struct fake_live before = fake_live();
    assert_ok(send_items(2));
    assert_ok(receive());
    assert_int_equal(count, 2);
    AS_B;
    assert_ok(vmo_write(world.b, theirs[1], RANGE(0, 1), "w"));
    assert_refused_quietly(vmo_write(world.b, theirs[0], RANGE(0, 1), "w"), VMO_ERR_RIGHTS);
    assert_ok(vmo_close(world.b, theirs[1]));
    assert_ok(vmo_close(world.b, theirs[0]));
    AS_A;
    assert_int_equal(fake_live().caps, before.caps + 1); /* the alias */
}

/* The third VMO is refused after the second gave the first's object a capability that can write. */
static void same_vmo_twice_undone(void **state)
{
    static const uint8_t byte = 1;
    vmo_t fill[7];

    (void)state;
    fake_config()->knows_objects = true;
    make(2);
    items[2] = items[1];
    items[1] = (struct vmo_item){vmos[0], VMO_RIGHTS_ALL};
    AS_B;
    for (uint32_t i = 0; i < 7; i++) {
        assert_ok(vmo_wrap_bytes(world.b, &byte, 1, &fill[i]));
    }
    AS_A;
    assert_ok(send_items(3));
    assert_refused(receive(), VMO_ERR_TABLE_FULL);
    assert_refused(receive(), VMO_ERR_TABLE_FULL);
    AS_B;
    assert_ok(vmo_close(world.b, fill[0]));
    AS_A;
    assert_ok(receive());
    assert_int_equal(count, 3);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, world_make, world_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(as_many_as_were_sent),
        CASE(one_is_a_plain_message),
        CASE(rights_and_seals_of_each),
        CASE(format),
        CASE(arguments_of_send),
        CASE(the_last_vmo_is_refused),
        CASE(not_allowed),
        CASE(no_slots_to_send),
        CASE(arguments_of_receive),
        CASE(plain_receive_leaves_it),
        CASE(no_slots_at_the_kth),
        CASE(table_full_at_the_kth),
        CASE(quota_at_the_second),
        CASE(weak_seal_drops_all),
        CASE(same_vmo_twice),
        CASE(same_vmo_twice_undone),
    };
    return cmocka_run_group_tests_name("unit/many", tests, NULL, NULL);
}
