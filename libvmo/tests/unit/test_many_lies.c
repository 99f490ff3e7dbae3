/* SPDX-License-Identifier: Apache-2.0 */
/* Messages with several VMOs whose sender lies: the receiver drops them whole. */
#include "unit.h"
#include "wire.h"

#define LEN (PAGE + 40)
#define ALL VMO_MANY_MAX

static vmo_t theirs[ALL];
static struct vmo_incoming incoming;
static uint32_t count;

struct raw {
    struct wire wire;
    struct wire_item items[ALL];
    uint8_t body[VMO_BODY_MAX_BYTES];
};

/* A true message with this many VMOs. */
static struct raw raw_many(uint32_t n)
{
    struct raw raw = {.wire = {.magic = WIRE_MAGIC, .kind = WIRE_MANY, .tag = 5, .len_bytes = n}};

    for (uint32_t i = 0; i < ALL; i++) {
        raw.items[i] = (struct wire_item){.len_bytes = LEN, .rights = VMO_RIGHT_READ};
    }
    return raw;
}

/* Sends it from b with `carried` capabilities; a drops it, by both ways to receive. */
static void raw_dropped(const struct raw *raw, size_t len, uint32_t carried, vmo_status expected,
                        const char *what)
{
    struct be_object object = BE_NO_OBJECT;
    struct be_carried all[ALL];

    AS_B;
    assert_ok(be_create(2 * PAGE, NULL, &object));
    for (uint32_t i = 0; i < ALL; i++) {
        all[i] = (struct be_carried){&object, false};
    }
    for (uint32_t way = 0; way < 2; way++) {
        AS_B;
        const struct fake_live before = fake_live();
        assert_ok(be_send_many(&world.raw_b, all, carried, raw, len, SOON_NS));
        AS_A;
        vmo_status status = way && carried < 2
                                ? vmo_recv(world.a, world.to_b, &incoming, SOON_NS)
                                : vmo_recv_many(world.a, world.to_b, &incoming, theirs, &count, SOON_NS);
        if (status != expected) {
            fail_msg("%s: %s, not %s", what, vmo_status_name(status), vmo_status_name(expected));
        }
        const struct fake_live after = fake_live();
        assert_memory_equal(&after, &before, sizeof(after));
    }
    AS_B;
    assert_ok(be_close(&object));
    AS_A;
}

static void lies_are_dropped(void **state)
{
    struct raw raw = raw_many(3);
    const size_t len = sizeof(raw.wire) + 3 * sizeof(raw.items[0]);

    (void)state;
    raw_dropped(&raw, len, 2, VMO_ERR_PROTOCOL, "a VMO is missing");
    raw_dropped(&raw, len, 1, VMO_ERR_PROTOCOL, "two VMOs are missing");
    raw_dropped(&raw, len, 0, VMO_ERR_PROTOCOL, "all VMOs are missing");
    raw_dropped(&raw, len, 4, VMO_ERR_PROTOCOL, "a VMO too many");
    raw_dropped(&raw, len - 1, 3, VMO_ERR_PROTOCOL, "a byte too few");
    raw_dropped(&raw, len + 1, 3, VMO_ERR_PROTOCOL, "a byte too many");
    raw_dropped(&raw, sizeof(raw.wire), 3, VMO_ERR_PROTOCOL, "no items");
    raw.wire.len_bytes = 2;
    raw_dropped(&raw, len, 3, VMO_ERR_PROTOCOL, "a false number");
    raw = raw_many(1);
    raw_dropped(&raw, sizeof(raw.wire) + sizeof(raw.items[0]), 1, VMO_ERR_PROTOCOL, "one VMO of many");
    raw = raw_many(3);
    raw.wire.rights = VMO_RIGHT_READ;
    raw_dropped(&raw, len, 3, VMO_ERR_PROTOCOL, "rights of the header");
    raw = raw_many(3);
    raw.wire.seal = 1;
    raw_dropped(&raw, len, 3, VMO_ERR_PROTOCOL, "a seal of the header");
    raw = raw_many(3);
    raw.items[2].zero = 1;
    raw_dropped(&raw, len, 3, VMO_ERR_PROTOCOL, "a non-zero word of an item");
    raw = raw_many(3);
    raw.items[2].len_bytes = 2 * PAGE + 1;
    raw_dropped(&raw, len, 3, VMO_ERR_PROTOCOL, "a false length of the last");
    raw.items[2].len_bytes = UINT64_MAX;
    raw_dropped(&raw, len, 3, VMO_ERR_TOO_LARGE, "too long a length of the last");
    raw = raw_many(3);
    raw.items[1].rights = VMO_RIGHT_WRITE;
    raw_dropped(&raw, len, 3, VMO_ERR_PROTOCOL, "false rights of the second");
    raw = raw_many(3);
    raw.wire.kind = WIRE_HANDLE;
    raw_dropped(&raw, sizeof(raw.wire), 2, VMO_ERR_PROTOCOL, "two VMOs for one");
    raw.wire.kind = WIRE_DATA;
    raw_dropped(&raw, sizeof(raw.wire), 2, VMO_ERR_PROTOCOL, "two VMOs for none");
}

/* A plain receive drops what only looks like a message of several. */
static void plain_receive_drops_a_lie(void **state)
{
    struct raw raw = raw_many(2);
    struct be_object object = BE_NO_OBJECT;

    (void)state;
    AS_B;
    assert_ok(be_create(2 * PAGE, NULL, &object));
    const struct be_carried all[] = {{&object, false}, {&object, false}, {&object, false}};
    assert_ok(be_send_many(&world.raw_b, all, 3, &raw, sizeof(raw.wire) + 3 * 16, SOON_NS));
    AS_A;
    assert_status(vmo_recv(world.a, world.to_b, &incoming, SOON_NS), VMO_ERR_PROTOCOL);
    assert_int_equal(fake_live().queued, 0);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, world_make, world_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(lies_are_dropped),
        CASE(plain_receive_drops_a_lie),
    };
    return cmocka_run_group_tests_name("unit/many_lies", tests, NULL, NULL);
}
