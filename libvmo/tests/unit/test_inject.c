/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fails each backend call of some stories once. The caller gets the status, nothing leaks, and the call
 * succeeds when it is repeated.
 */
#include "unit.h"

#define LEN (2 * PAGE + 3)
#define STATUS VMO_ERR_BACKEND

static unsigned failures; /* seen in this story */

/* The status is the injected one, and the VMOs are as before. A kept mapping may be gone and an alias made:
 * the next try need not repeat that. */
static void check_failure(vmo_status status, const struct fake_live *before)
{
    const struct fake_live now = fake_live();

    assert_status(status, STATUS);
    failures++;
    assert_int_equal(failures, 1);
    assert_int_equal(now.objects, before->objects);
    assert_int_equal(now.lost, before->lost);
    assert_true(now.caps == before->caps || now.caps == before->caps + 1);
    assert_true(now.mappings <= before->mappings);
}

/* Makes a call, and repeats it if the injected failure hit it. */
#define RETRY(call)                                                                                          \
    do {                                                                                                     \
        const struct fake_live before_ = fake_live();                                                        \
        const vmo_status first_ = (call);                                                                    \
        if (first_ != VMO_OK) {                                                                              \
            check_failure(first_, &before_);                                                                 \
            assert_ok(call);                                                                                 \
        }                                                                                                    \
    } while (0)

static void create_fill_seal_destroy(vmo_t none)
{
    vmo_t vmo = VMO_NONE;
    vmo_view_t rw = NO_VIEW, ro = NO_VIEW, orphan = NO_VIEW;
    uint8_t back[8];

    (void)none;
    RETRY(vmo_create(world.a, LEN, &vmo));
    RETRY(vmo_write(world.a, vmo, RANGE(PAGE - 4, 8), "12345678"));
    RETRY(vmo_read(world.a, vmo, RANGE(PAGE - 4, 8), back));
    assert_memory_equal(back, "12345678", 8);
    RETRY(vmo_map_rw(world.a, vmo, RANGE(0, LEN), &rw));
    RETRY(vmo_map_ro(world.a, vmo, RANGE(0, PAGE), &ro));
    RETRY(vmo_map_ro(world.a, vmo, RANGE(PAGE, PAGE), &orphan));
    RETRY(vmo_unmap(world.a, rw));
    RETRY(vmo_unmap(world.a, ro));
    RETRY(vmo_unmap(world.a, orphan));
    RETRY(vmo_seal(world.a, vmo, VMO_SEAL_PEERS));
    RETRY(vmo_destroy(world.a, vmo));
    assert_int_equal(fake_live().lost, 0);
}

static void seal_for_ever(vmo_t vmo)
{
    vmo_view_t view = NO_VIEW;
    uint8_t back[LEN];

    RETRY(vmo_seal(world.a, vmo, VMO_SEAL_FOREVER));
    RETRY(vmo_read(world.a, vmo, RANGE(0, LEN), back));
    assert_pattern(back, 0, LEN);
    RETRY(vmo_map_ro(world.a, vmo, RANGE(0, LEN), &view));
    RETRY(vmo_close(world.a, vmo));
    RETRY(vmo_unmap(world.a, view)); /* this removes the orphan's mapping */
}

static void evictions(vmo_t vmo)
{
    vmo_view_t view = NO_VIEW;

    for (uint64_t page = 0; page < 9; page++) { /* the table has 8 entries */
        RETRY(vmo_map_ro(world.a, vmo, RANGE(page * PAGE, PAGE), &view));
        assert_pattern(vmo_view_data(world.a, view), page * PAGE, PAGE);
        RETRY(vmo_unmap(world.a, view));
    }
    RETRY(vmo_close(world.a, vmo));
}

/* A failed receive leaves the message queued. */
static vmo_t exchange(vmo_t vmo)
{
    const struct vmo_message message = {.vmo = vmo, .rights = VMO_RIGHT_READ};
    struct vmo_incoming incoming;

    RETRY(vmo_send(world.a, world.to_b, &message, SOON_NS));
    AS_B;
    RETRY(vmo_recv(world.b, world.to_a, &incoming, SOON_NS));
    AS_A;
    return incoming.vmo;
}

static void hand_over_and_take_down(vmo_t vmo)
{
    vmo_view_t view = NO_VIEW;
    int32_t exit_status = 0;

    RETRY(vmo_seal(world.a, vmo, VMO_SEAL_PEERS));
    const vmo_t theirs = exchange(vmo);
    AS_B;
    RETRY(vmo_map_ro(world.b, theirs, RANGE(0, LEN), &view));
    assert_pattern(vmo_view_data(world.b, view), 0, LEN);
    RETRY(vmo_unmap(world.b, view));
    RETRY(vmo_close(world.b, theirs));
    AS_A;
    fake_kill_peer(0);
    RETRY(vmo_peer_wait(world.a, world.to_b, SOON_NS, &exit_status));
    RETRY(vmo_peer_close(world.a, world.to_b));
    RETRY(vmo_destroy(world.a, vmo));
    assert_int_equal(fake_live().lost, 0);
}

/* The mapping that be_verify makes of an alias replaces an unused one. */
static void received_into_a_full_table(vmo_t vmo)
{
    vmo_t own = VMO_NONE;
    vmo_view_t view = NO_VIEW;

    RETRY(vmo_seal(world.a, vmo, VMO_SEAL_PEERS));
    AS_B;
    RETRY(vmo_create(world.b, 8 * PAGE, &own));
    for (uint64_t page = 0; page < 8; page++) { /* the table has 8 entries */
        RETRY(vmo_map_ro(world.b, own, RANGE(page * PAGE, PAGE), &view));
        RETRY(vmo_unmap(world.b, view));
    }
    AS_A;
    const vmo_t theirs = exchange(vmo);
    AS_B;
    RETRY(vmo_close(world.b, theirs));
    RETRY(vmo_destroy(world.b, own));
    AS_A;
    RETRY(vmo_close(world.a, vmo));
}

/* Two VMOs in one message: after a failure none is left at the receiver, and the message stays queued. */
static void exchange_two(vmo_t vmo)
{
    vmo_t second = VMO_NONE, theirs[VMO_MANY_MAX];
    struct vmo_incoming incoming;
    uint32_t count = 0;

    RETRY(vmo_create(world.a, LEN, &second));
    RETRY(vmo_seal(world.a, vmo, VMO_SEAL_PEERS)); /* makes the alias */
    RETRY(vmo_seal(world.a, second, VMO_SEAL_PEERS));
    const struct vmo_item items[] = {{vmo, VMO_RIGHT_READ}, {second, VMO_RIGHT_READ}};
    RETRY(vmo_send_many(world.a, world.to_b, &(const struct vmo_message){.tag = 1}, items, 2, SOON_NS));
    AS_B;
    RETRY(vmo_recv_many(world.b, world.to_a, &incoming, theirs, &count, SOON_NS));
    assert_int_equal(count, 2);
    RETRY(vmo_close(world.b, theirs[0]));
    RETRY(vmo_close(world.b, theirs[1]));
    AS_A;
    RETRY(vmo_close(world.a, second));
    RETRY(vmo_close(world.a, vmo));
}

/* Receives a message for which each failure leaves all capabilities as they were. */
static vmo_t receive_exactly(void)
{
    const struct fake_live before = fake_live();
    struct vmo_incoming incoming;

    AS_B;
    const vmo_status first = vmo_recv(world.b, world.to_a, &incoming, SOON_NS);
    if (first != VMO_OK) {
        check_failure(first, &before);
        assert_int_equal(fake_live().caps, before.caps);
        assert_ok(vmo_recv(world.b, world.to_a, &incoming, SOON_NS));
    }
    AS_A;
    return incoming.vmo;
}

/* A held object gets a capability that can write only with the whole message. */
static void held_object_to_write(vmo_t vmo)
{
    struct vmo_message message = {.vmo = vmo, .rights = VMO_RIGHT_READ};

    fake_config()->knows_objects = true;
    fake_config()->check_maps = false;
    RETRY(vmo_send(world.a, world.to_b, &message, SOON_NS));
    const vmo_t reader = receive_exactly();
    message.rights = VMO_RIGHTS_ALL;
    RETRY(vmo_send(world.a, world.to_b, &message, SOON_NS));
    const vmo_t writer = receive_exactly();
    AS_B;
    RETRY(vmo_write(world.b, writer, RANGE(0, 1), "w"));
    RETRY(vmo_close(world.b, writer));
    RETRY(vmo_close(world.b, reader));
    AS_A;
    RETRY(vmo_close(world.a, vmo));
}

static void transfer_and_accept(vmo_t vmo)
{
    struct vmo_ticket ticket;
    vmo_t theirs = VMO_NONE;

    RETRY(vmo_transfer(world.a, vmo, world.to_b, VMO_RIGHT_READ, &ticket));
    AS_B;
    RETRY(vmo_accept(world.b, world.to_a, &ticket, &theirs));
    RETRY(vmo_close(world.b, theirs));
    AS_A;
    RETRY(vmo_destroy(world.a, vmo));
    assert_int_equal(fake_live().lost, 0);
}

static void spawning(vmo_t none)
{
    const struct vmo_program program = {"elf", 3, 4};
    struct vmo_registry *grandchild = NULL;
    static _Alignas(16) uint8_t storage[VMO_REGISTRY_BYTES(1, 1, 1, 1)];
    const struct vmo_limits limits = {.objects = 1, .mappings = 1, .views = 1, .peers = 1};
    vmo_peer_t child = NO_PEER, parent = NO_PEER;

    (void)none;
    RETRY(vmo_peer_spawn(world.a, &program, &child));
    fake_side(2);
    RETRY(vmo_registry_init(storage, sizeof(storage), &limits, &grandchild));
    RETRY(vmo_peer_parent(grandchild, &parent));
    RETRY(vmo_peer_close(grandchild, parent));
    RETRY(vmo_registry_fini(grandchild));
    AS_A;
    RETRY(vmo_peer_close(world.a, child));
}

static void dup_and_drop(vmo_t vmo)
{
    vmo_t part = VMO_NONE;
    vmo_view_t view = NO_VIEW;

    RETRY(vmo_dup(world.a, vmo, VMO_RIGHT_READ, &part));
    RETRY(vmo_map_ro(world.a, part, RANGE(0, LEN), &view));
    RETRY(vmo_close(world.a, part));
    assert_pattern(vmo_view_data(world.a, view), 0, LEN);
    RETRY(vmo_unmap(world.a, view));
    RETRY(vmo_destroy(world.a, vmo));
    assert_int_equal(fake_live().lost, 0);
}

static void wrap_and_copy(vmo_t none)
{
    static uint8_t bytes[LEN];
    vmo_t wrapped = VMO_NONE, copy = VMO_NONE;
    uint8_t back[LEN];

    (void)none;
    for (uint64_t i = 0; i < LEN; i++) {
        bytes[i] = pattern_at(i);
    }
    RETRY(vmo_wrap_bytes(world.a, bytes, LEN, &wrapped));
    RETRY(vmo_copy(world.a, wrapped, &copy));
    RETRY(vmo_close(world.a, wrapped));
    RETRY(vmo_read(world.a, copy, RANGE(0, LEN), back));
    assert_pattern(back, 0, LEN);
    RETRY(vmo_destroy(world.a, copy));
    assert_int_equal(fake_live().lost, 0);
}

static void wrap_file_and_copy(vmo_t none)
{
    static uint8_t bytes[LEN];
    vmo_t wrapped = VMO_NONE, copy = VMO_NONE;
    vmo_view_t view = NO_VIEW;

    (void)none;
    for (uint64_t i = 0; i < LEN; i++) {
        bytes[i] = pattern_at(i);
    }
    const int file = fake_file_set(bytes, LEN);
    RETRY(vmo_wrap_file(world.a, file, RANGE(1, LEN - 1), &wrapped));
    RETRY(vmo_map_ro(world.a, wrapped, RANGE(0, LEN - 1), &view));
    assert_pattern(vmo_view_data(world.a, view), 1, LEN - 1);
    RETRY(vmo_copy(world.a, wrapped, &copy));
    RETRY(vmo_unmap(world.a, view));
    RETRY(vmo_close(world.a, wrapped));
    RETRY(vmo_destroy(world.a, copy));
    assert_int_equal(fake_live().lost, 0);
}

static void require_and_accept(vmo_t vmo)
{
    struct vmo_ticket ticket;
    vmo_t theirs = VMO_NONE;

    RETRY(vmo_seal(world.a, vmo, VMO_SEAL_PEERS));
    RETRY(vmo_transfer(world.a, vmo, world.to_b, VMO_RIGHT_READ, &ticket));
    AS_B;
    RETRY(vmo_peer_require(world.b, world.to_a, VMO_SEAL_PEERS));
    RETRY(vmo_accept(world.b, world.to_a, &ticket, &theirs));
    RETRY(vmo_close(world.b, theirs));
    AS_A;
    RETRY(vmo_destroy(world.a, vmo));
    assert_int_equal(fake_live().lost, 0);
}

/* Runs the story in a new world with its n-th backend call failing (0: none); returns what is left. */
static struct fake_live run_story(void (*story)(vmo_t vmo), int (*make)(void **state), uint64_t vmo_bytes,
                                  uint32_t n)
{
    make(NULL);
    const vmo_t vmo = vmo_bytes != 0 ? vmo_filled(vmo_bytes) : VMO_NONE;
    failures = 0;
    fake_fail_call(n, STATUS);
    story(vmo);
    return fake_live();
}

/* Runs a story on a filled VMO of vmo_bytes with each backend call failing in turn. `calls` is the number of
 * calls without a failure, so that none is missed. */
static void fail_each(void (*story)(vmo_t vmo), int (*make)(void **state), uint64_t vmo_bytes, uint32_t calls)
{
    const struct fake_live clean = run_story(story, make, vmo_bytes, 0);

    for (uint32_t n = 1; n <= calls; n++) {
        const struct fake_live now = run_story(story, make, vmo_bytes, n);
        assert_memory_equal(&now, &clean, sizeof(now));
        assert_int_equal(failures, 1);
    }
    (void)run_story(story, make, vmo_bytes, calls + 1);
    assert_int_equal(failures, 0);
}

static void life_of_one_vmo(void **state)
{
    (void)state;
    fail_each(create_fill_seal_destroy, world_make, 0, 11);
}

static void sealed_for_ever(void **state)
{
    (void)state;
    fail_each(seal_for_ever, world_make, LEN, 7);
    fail_each(seal_for_ever, world_make_small, LEN, 5);
}

static void kept_mappings_go(void **state)
{
    (void)state;
    fail_each(evictions, world_make, 9 * PAGE, 20);
    fail_each(evictions, world_make_small, 9 * PAGE, 10);
}

static void handed_over_by_message(void **state)
{
    (void)state;
    fail_each(hand_over_and_take_down, world_make, LEN, 12);
}

static void handed_over_two_at_once(void **state)
{
    (void)state;
    fail_each(exchange_two, world_make, LEN, 17);
}

static void a_held_object_can_be_written(void **state)
{
    (void)state;
    fail_each(held_object_to_write, world_make, LEN, 13);
}

static void received_in_place_of_a_kept_mapping(void **state)
{
    (void)state;
    fail_each(received_into_a_full_table, world_make, LEN, 28);
}

static void handed_over_by_ticket(void **state)
{
    (void)state;
    fail_each(transfer_and_accept, world_make, LEN, 8);
}

static void peers_come_and_go(void **state)
{
    (void)state;
    fail_each(spawning, world_make, 0, 5);
}

static void several_handles(void **state)
{
    (void)state;
    fail_each(dup_and_drop, world_make, LEN, 4);
}

static void borrowed_and_copied(void **state)
{
    (void)state;
    fail_each(wrap_and_copy, world_make, 0, 5);
    fail_each(wrap_file_and_copy, world_make, 0, 7);
}

static void received_by_demand(void **state)
{
    (void)state;
    fail_each(require_and_accept, world_make, LEN, 9);
}

#define LAST(test) cmocka_unit_test_teardown(test, world_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LAST(life_of_one_vmo),         LAST(sealed_for_ever),
        LAST(kept_mappings_go),        LAST(handed_over_by_message),
        LAST(handed_over_by_ticket),   LAST(peers_come_and_go),
        LAST(several_handles),         LAST(borrowed_and_copied),
        LAST(handed_over_two_at_once), LAST(a_held_object_can_be_written),
        LAST(received_by_demand),      LAST(received_in_place_of_a_kept_mapping),
    };
    return cmocka_run_group_tests_name("unit/inject", tests, NULL, NULL);
}
