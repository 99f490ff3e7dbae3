/* SPDX-License-Identifier: Apache-2.0 */
/* The wire format, and the checks of a receiver (R6, R13). */
#include "unit.h"
#include "wire.h"

#define LEN (2 * PAGE + 40)

/* A message with room for a body longer than the limit. */
struct raw {
    struct wire wire;
    uint8_t body[VMO_BODY_MAX_BYTES + 8];
};
#define RAW_HEADER_BYTES 32
_Static_assert(offsetof(struct raw, body) == RAW_HEADER_BYTES, "wire.h");

static struct raw raw_data(void)
{
    return (struct raw){.wire = {.magic = WIRE_MAGIC, .kind = WIRE_DATA, .tag = 5}};
}

static struct raw raw_handle(uint64_t len_bytes)
{
    return (struct raw){.wire = {.magic = WIRE_MAGIC,
                                 .kind = WIRE_HANDLE,
                                 .tag = 5,
                                 .rights = VMO_RIGHT_READ,
                                 .len_bytes = len_bytes}};
}

/* Sends bytes from b that no core sends, with a capability unless `object` is NULL. */
static void raw_send(const struct raw *raw, size_t len, struct be_object *object)
{
    AS_B;
    assert_ok(be_send(&world.raw_b, object, false, raw, len, SOON_NS));
    AS_A;
}

/* a drops the message from b: no handle, capability, mapping or message stays. */
static void assert_dropped(vmo_status expected, const char *what)
{
    struct vmo_incoming incoming, untouched;
    const struct fake_live before = fake_live();
    const struct vmo_counters counters = counters_of(world.a);
    vmo_t vmos[8];

    memset(&incoming, 0xab, sizeof(incoming));
    memset(&untouched, 0xab, sizeof(untouched));
    const vmo_status status = vmo_recv(world.a, world.to_b, &incoming, SOON_NS);
    if (status != expected) {
        fail_msg("%s: %s, not %s", what, vmo_status_name(status), vmo_status_name(expected));
    }
    assert_memory_equal(&incoming, &untouched, sizeof(incoming));
    struct fake_live after = fake_live();
    assert_int_equal(after.queued, before.queued - 1);
    after.queued = before.queued;
    assert_memory_equal(&after, &before, sizeof(after));
    assert_int_equal(counters_of(world.a).bulk_bytes, counters.bulk_bytes);
    for (size_t i = 0; i < 8; i++) { /* the table of objects is still empty */
        assert_ok(vmo_create(world.a, 1, &vmos[i]));
    }
    for (size_t i = 0; i < 8; i++) {
        assert_ok(fake_config()->has_destroy ? vmo_destroy(world.a, vmos[i]) : vmo_close(world.a, vmos[i]));
    }
}

static void header_is_32_bytes(void **state)
{
    const struct vmo_message message = {.tag = 0x01020304, .body = "hello", .body_bytes = 5};
    struct raw raw;
    struct be_object object;
    size_t len = 0;

    (void)state;
    assert_int_equal(offsetof(struct raw, body), RAW_HEADER_BYTES);
    memset(&raw, 0xcc, sizeof(raw));
    assert_ok(vmo_send(world.a, world.to_b, &message, SOON_NS));
    AS_B;
    assert_ok(be_recv(&world.raw_b, &raw, sizeof(raw), &len, &object, SOON_NS));
    assert_int_equal(len, RAW_HEADER_BYTES + 5);
    assert_int_equal(raw.wire.magic, WIRE_MAGIC);
    assert_int_equal(raw.wire.kind, 1);
    assert_int_equal(raw.wire.body_bytes, 5);
    assert_int_equal(raw.wire.tag, 0x01020304);
    assert_int_equal(raw.wire.rights, 0);
    assert_int_equal(raw.wire.seal, 0);
    assert_int_equal(raw.wire.len_bytes, 0);
    assert_int_equal(raw.wire.zero, 0);
    assert_memory_equal(raw.body, "hello", 5);
    assert_true(object.owner == BE_NONE && object.alias == BE_NONE);
}

static void header_of_a_handle(void **state)
{
    const vmo_t vmo = vmo_filled(LEN);
    const struct vmo_message message = {.vmo = vmo, .rights = VMO_RIGHT_READ};
    struct raw raw;
    struct be_object object;
    size_t len = 0;

    (void)state;
    assert_ok(vmo_seal(world.a, vmo, VMO_SEAL_PEERS));
    assert_ok(vmo_send(world.a, world.to_b, &message, SOON_NS));
    AS_B;
    assert_ok(be_recv(&world.raw_b, &raw, sizeof(raw), &len, &object, SOON_NS));
    assert_int_equal(len, RAW_HEADER_BYTES);
    assert_int_equal(raw.wire.kind, 2);
    assert_int_equal(raw.wire.rights, VMO_RIGHT_READ);
    assert_int_equal(raw.wire.seal, VMO_SEAL_PEERS);
    assert_int_equal(raw.wire.len_bytes, LEN);
    assert_int_equal(raw.wire.zero, 0);
    assert_int_equal(object.owner, BE_NONE);
    assert_int_not_equal(object.alias, BE_NONE);
}

/* An unsealed VMO is sent without WRITE as a capability that cannot write. */
static void read_only_goes_as_an_alias(void **state)
{
    const vmo_t vmo = vmo_filled(LEN);
    struct vmo_message message = {.vmo = vmo, .rights = VMO_RIGHT_READ};
    struct raw raw;
    struct be_object object;
    size_t len = 0;

    (void)state;
    assert_ok(vmo_send(world.a, world.to_b, &message, SOON_NS));
    message.rights = VMO_RIGHTS_ALL;
    assert_ok(vmo_send(world.a, world.to_b, &message, SOON_NS));
    AS_B;
    assert_ok(be_recv(&world.raw_b, &raw, sizeof(raw), &len, &object, SOON_NS));
    assert_true(object.owner == BE_NONE && object.alias != BE_NONE);
    assert_ok(be_recv_take(&world.raw_b));
    assert_ok(be_recv(&world.raw_b, &raw, sizeof(raw), &len, &object, SOON_NS));
    assert_true(object.owner != BE_NONE && object.alias == BE_NONE);
}

static void headers_refused(void **state)
{
    static const struct {
        const char *what;
        size_t at, bytes;
        uint64_t value;
    } rows[] = {
        {"another magic", offsetof(struct wire, magic), 4, WIRE_MAGIC + 1},
        {"no magic", offsetof(struct wire, magic), 4, 0},
        {"kind 0", offsetof(struct wire, kind), 2, 0},
        {"kind 3", offsetof(struct wire, kind), 2, 3},
        {"a handle without a capability", offsetof(struct wire, kind), 2, 2},
        {"a missing body", offsetof(struct wire, body_bytes), 2, 1},
        {"a body beyond the limit", offsetof(struct wire, body_bytes), 2, VMO_BODY_MAX_BYTES + 1},
        {"the longest body", offsetof(struct wire, body_bytes), 2, UINT16_MAX},
        {"rights without a VMO", offsetof(struct wire, rights), 2, 1},
        {"a seal without a VMO", offsetof(struct wire, seal), 2, 1},
        {"a length without a VMO", offsetof(struct wire, len_bytes), 8, 1},
        {"a non-zero reserved word", offsetof(struct wire, zero), 8, UINT64_C(1) << 63},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct raw raw = raw_data();
        memcpy((uint8_t *)&raw + rows[i].at, &rows[i].value, rows[i].bytes);
        raw_send(&raw, RAW_HEADER_BYTES, NULL);
        assert_dropped(VMO_ERR_PROTOCOL, rows[i].what);
    }
}

static void lengths_of_messages_refused(void **state)
{
    struct raw raw = raw_data();

    (void)state;
    for (size_t len = 0; len < RAW_HEADER_BYTES; len++) {
        raw_send(&raw, len, NULL);
        assert_dropped(VMO_ERR_PROTOCOL, "a truncated header");
    }
    raw_send(&raw, RAW_HEADER_BYTES + 1, NULL);
    assert_dropped(VMO_ERR_PROTOCOL, "a byte too many");
    raw.wire.body_bytes = 10;
    raw_send(&raw, RAW_HEADER_BYTES + 9, NULL);
    assert_dropped(VMO_ERR_PROTOCOL, "a byte too few");
    raw.wire.body_bytes = VMO_BODY_MAX_BYTES + 1;
    raw_send(&raw, RAW_HEADER_BYTES + VMO_BODY_MAX_BYTES + 1, NULL);
    assert_dropped(VMO_ERR_PROTOCOL, "a complete body beyond the limit");
    /* A valid message is still received. */
    struct vmo_incoming incoming;
    raw = raw_data();
    raw_send(&raw, RAW_HEADER_BYTES, NULL);
    assert_ok(vmo_recv(world.a, world.to_b, &incoming, SOON_NS));
    assert_int_equal(incoming.tag, 5);
}

/* False claims about a VMO of two pages: each message is dropped with its capability. */
static void claims_refused(void **state)
{
    static const struct {
        const char *what;
        uint64_t len_bytes;
        uint16_t kind, rights, seal;
        vmo_status expected;
    } rows[] = {
        {"no length", 0, 2, 1, 0, VMO_ERR_PROTOCOL},
        {"a byte past the memory", 2 * PAGE + 1, 2, 1, 0, VMO_ERR_PROTOCOL},
        {"a page past the memory", 3 * PAGE, 2, 1, 0, VMO_ERR_PROTOCOL},
        {"longer than any VMO", UINT64_MAX, 2, 1, 0, VMO_ERR_TOO_LARGE},
        {"rounds up to nothing", UINT64_MAX - PAGE + 2, 2, 1, 0, VMO_ERR_TOO_LARGE},
        {"no rights", PAGE, 2, 0, 0, VMO_ERR_PROTOCOL},
        {"WRITE alone", PAGE, 2, 2, 0, VMO_ERR_PROTOCOL},
        {"unknown rights", PAGE, 2, 7, 0, VMO_ERR_PROTOCOL},
        {"unknown seal", PAGE, 2, 1, 3, VMO_ERR_PROTOCOL},
        {"sealed and writable", PAGE, 2, 3, 1, VMO_ERR_PROTOCOL},
        {"a capability with data", 0, 1, 0, 0, VMO_ERR_PROTOCOL},
        {"a capability with kind 0", PAGE, 0, 1, 0, VMO_ERR_PROTOCOL},
    };
    struct be_object object;

    (void)state;
    AS_B;
    assert_ok(be_create(2 * PAGE, NULL, &object));
    AS_A;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct raw raw = raw_handle(rows[i].len_bytes);
        raw.wire.kind = rows[i].kind;
        raw.wire.rights = rows[i].rights;
        raw.wire.seal = rows[i].seal;
        raw_send(&raw, RAW_HEADER_BYTES, &object);
        assert_dropped(rows[i].expected, rows[i].what);
    }
}

/* A sender may claim any length within the memory; it bounds all that the receiver does. */
static void shorter_claim_is_valid(void **state)
{
    struct vmo_incoming incoming;
    struct be_object object;
    vmo_view_t view = {7, 7};

    (void)state;
    AS_B;
    assert_ok(be_create(2 * PAGE, NULL, &object));
    AS_A;
    const struct raw raw = raw_handle(10);
    raw_send(&raw, RAW_HEADER_BYTES, &object);
    assert_ok(vmo_recv(world.a, world.to_b, &incoming, SOON_NS));
    assert_refused_quietly(vmo_map_ro(world.a, incoming.vmo, RANGE(0, 11), &view), VMO_ERR_BOUNDS);
    assert_ok(vmo_map_ro(world.a, incoming.vmo, RANGE(0, 10), &view));
    assert_int_equal(vmo_view_data(world.a, view)[9], 0);
}

static void note_name(void *context, const struct vmo_live *live)
{
    char *name = context;

    if (live->kind == VMO_LIVE_VMO) {
        (void)strcpy(name, live->name);
    }
}

/* A sender may give its memory any name that its kernel allows. */
static void odd_names_are_not_reported(void **state)
{
    static const struct {
        const char *name;
        const char *reported;
    } rows[] = {{"frames", "frames"}, {"", ""}, {"a\nb", ""}, {"\x1b[2J", ""}, {"caf\xc3\xa9", ""}};
    const struct raw raw = raw_handle(PAGE);

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct vmo_create_options options = {.name = rows[i].name};
        char name[VMO_NAME_MAX_BYTES + 1] = "untouched";
        struct vmo_incoming incoming;
        struct be_object object;
        AS_B;
        assert_ok(be_create(PAGE, &options, &object));
        AS_A;
        raw_send(&raw, RAW_HEADER_BYTES, &object);
        assert_ok(vmo_recv(world.a, world.to_b, &incoming, SOON_NS));
        assert_ok(vmo_registry_each(world.a, note_name, name));
        assert_string_equal(name, rows[i].reported);
        assert_ok(vmo_close(world.a, incoming.vmo));
    }
}

/* The sender claims WRITE, but the kernel reports an alias: the handle is read-only. */
static void claim_of_write_on_an_alias(void **state)
{
    struct raw raw = raw_handle(PAGE);
    struct vmo_incoming incoming;
    struct be_object object;
    uint32_t rights = 0;

    (void)state;
    AS_B;
    assert_ok(be_create(PAGE, NULL, &object));
    assert_ok(be_make_alias(&object));
    AS_A;
    raw.wire.rights = VMO_RIGHTS_ALL;
    raw_send(&raw, RAW_HEADER_BYTES, &object);
    assert_ok(vmo_recv(world.a, world.to_b, &incoming, SOON_NS));
    assert_ok(vmo_rights(world.a, incoming.vmo, &rights));
    assert_int_equal(rights, VMO_RIGHT_READ);
}

/* The sender claims a seal, but the capability can write: the library enforces the seal. */
static void claim_of_a_seal_on_an_owner(void **state)
{
    struct raw raw = raw_handle(PAGE);
    struct vmo_incoming incoming;
    struct be_object object;
    vmo_enforcer by = VMO_BY_NOBODY;

    (void)state;
    AS_B;
    assert_ok(be_create(PAGE, NULL, &object));
    AS_A;
    raw.wire.seal = VMO_SEAL_FOREVER;
    raw_send(&raw, RAW_HEADER_BYTES, &object);
    assert_ok(vmo_recv(world.a, world.to_b, &incoming, SOON_NS));
    assert_ok(vmo_seal_enforced_by(world.a, incoming.vmo, &by));
    assert_int_equal(by, VMO_BY_LIBRARY);
    assert_refused_quietly(vmo_write(world.a, incoming.vmo, RANGE(0, 1), "x"), VMO_ERR_SEALED);
}

static void no_room_at_the_receiver(void **state)
{
    const struct raw raw = raw_handle(PAGE);
    struct be_object object;
    struct vmo_incoming incoming;
    vmo_t vmos[8];

    (void)state;
    AS_B;
    assert_ok(be_create(PAGE, NULL, &object));
    AS_A;
    for (size_t i = 0; i < 8; i++) {
        assert_ok(vmo_create(world.a, 1, &vmos[i]));
    }
    raw_send(&raw, RAW_HEADER_BYTES, &object);
    assert_refused(vmo_recv(world.a, world.to_b, &incoming, SOON_NS), VMO_ERR_TABLE_FULL);
    assert_refused(vmo_recv(world.a, world.to_b, &incoming, SOON_NS), VMO_ERR_TABLE_FULL);
    assert_ok(vmo_close(world.a, vmos[0])); /* the message is still queued */
    assert_ok(vmo_recv(world.a, world.to_b, &incoming, SOON_NS));
    assert_int_equal(fake_live().queued, 0);
}

static void quota_at_the_receiver(void **state)
{
    struct vmo_limits limits = world_limits;
    const struct raw raw = raw_handle(2 * PAGE);
    struct be_object object;

    (void)state;
    fake_reset();
    limits.total_bytes_max = 2 * PAGE - 1;
    world_remake(&limits);
    AS_B;
    assert_ok(be_create(2 * PAGE, NULL, &object));
    AS_A;
    raw_send(&raw, RAW_HEADER_BYTES, &object);
    struct vmo_incoming incoming;
    const struct fake_live before = fake_live();
    assert_status(vmo_recv(world.a, world.to_b, &incoming, SOON_NS), VMO_ERR_TOO_LARGE);
    assert_int_equal(fake_live().queued, before.queued - 1); /* dropped: no close can make room */
    assert_int_equal(fake_live().caps, before.caps);
}

/* A VMO that fits only after a close stays queued until then. */
static void quota_keeps_the_message_queued(void **state)
{
    struct vmo_limits limits = world_limits;
    const struct raw raw = raw_handle(2 * PAGE);
    struct be_object object;
    struct vmo_incoming incoming;
    vmo_t own = VMO_NONE;

    (void)state;
    fake_reset();
    limits.total_bytes_max = 2 * PAGE;
    world_remake(&limits);
    AS_B;
    assert_ok(be_create(2 * PAGE, NULL, &object));
    AS_A;
    assert_ok(vmo_create(world.a, 1, &own));
    raw_send(&raw, RAW_HEADER_BYTES, &object);
    assert_refused(vmo_recv(world.a, world.to_b, &incoming, SOON_NS), VMO_ERR_QUOTA);
    assert_ok(vmo_destroy(world.a, own));
    assert_ok(vmo_recv(world.a, world.to_b, &incoming, SOON_NS));
    assert_int_equal(fake_live().queued, 0);
}

/* The length check needs a mapping, and all are in use: the message stays queued until one is free. */
static void full_regions_keep_the_message_queued(void **state)
{
    const struct raw raw = raw_handle(PAGE);
    struct be_object object;
    struct vmo_incoming incoming;
    vmo_view_t view = NO_VIEW;

    (void)state;
    AS_B;
    assert_ok(be_create(PAGE, NULL, &object));
    assert_ok(be_make_alias(&object));
    AS_A;
    const vmo_t own = vmo_filled(LEN);
    assert_ok(vmo_map_ro(world.a, own, RANGE(0, 1), &view));
    fake_config()->regions = fake_live().mappings;
    raw_send(&raw, RAW_HEADER_BYTES, &object);
    assert_refused(vmo_recv(world.a, world.to_b, &incoming, SOON_NS), VMO_ERR_NO_SLOTS);
    fake_config()->regions++;
    assert_ok(vmo_recv(world.a, world.to_b, &incoming, SOON_NS));
    assert_int_equal(fake_live().queued, 0);
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, world_make, world_drop)
#define IN_BOTH(test) IN_WORLD(test), cmocka_unit_test_setup_teardown(test, world_make_small, world_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(header_is_32_bytes),
        IN_WORLD(header_of_a_handle),
        IN_WORLD(read_only_goes_as_an_alias),
        IN_BOTH(headers_refused),
        IN_WORLD(lengths_of_messages_refused),
        IN_BOTH(claims_refused),
        IN_BOTH(shorter_claim_is_valid),
        IN_BOTH(odd_names_are_not_reported),
        IN_WORLD(claim_of_write_on_an_alias),
        IN_BOTH(claim_of_a_seal_on_an_owner),
        IN_BOTH(no_room_at_the_receiver),
        IN_BOTH(quota_at_the_receiver),
        IN_WORLD(quota_keeps_the_message_queued),
        IN_WORLD(full_regions_keep_the_message_queued),
    };
    return cmocka_run_group_tests_name("unit/wire", tests, NULL, NULL);
}
