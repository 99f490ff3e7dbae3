/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every backend call of some whole stories fails once. The status comes through, nothing leaks, and the
 * same call made again goes on as if nothing had been.
 */
#include "unit.h"

#define LEN (2 * PAGE + 3)
#define STATUS VMO_ERR_BACKEND

static unsigned struck; /* times that the ordered failure was seen in this story */

/* The status is the one ordered, and no VMO or message came or went. Kept mappings may be gone and an alias
 * may have been made: what the next try finds done already. */
static void struck_once(vmo_status status, const struct fake_live *before)
{
    const struct fake_live now = fake_live();

    assert_status(status, STATUS);
    struck++;
    assert_int_equal(struck, 1);
    assert_int_equal(now.objects, before->objects);
    assert_int_equal(now.lost, before->lost);
    assert_true(now.caps == before->caps || now.caps == before->caps + 1);
    assert_true(now.mappings <= before->mappings);
}

/* Makes a call, and once more if the failure struck in it. */
#define AGAIN(call)                                                                                          \
    do {                                                                                                     \
        const struct fake_live before_ = fake_live();                                                        \
        const vmo_status first_ = (call);                                                                    \
        if (first_ != VMO_OK) {                                                                              \
            struck_once(first_, &before_);                                                                   \
            assert_ok(call);                                                                                 \
        }                                                                                                    \
    } while (0)

static void create_fill_seal_destroy(vmo_t none)
{
    vmo_t vmo = VMO_NONE;
    vmo_view_t rw = NO_VIEW, ro = NO_VIEW, orphan = NO_VIEW;
    uint8_t back[8];

    (void)none;
    AGAIN(vmo_create(world.a, LEN, &vmo));
    AGAIN(vmo_write(world.a, vmo, RANGE(PAGE - 4, 8), "12345678"));
    AGAIN(vmo_read(world.a, vmo, RANGE(PAGE - 4, 8), back));
    assert_memory_equal(back, "12345678", 8);
    AGAIN(vmo_map_rw(world.a, vmo, RANGE(0, LEN), &rw));
    AGAIN(vmo_map_ro(world.a, vmo, RANGE(0, PAGE), &ro));
    AGAIN(vmo_map_ro(world.a, vmo, RANGE(PAGE, PAGE), &orphan));
    AGAIN(vmo_unmap(world.a, rw));
    AGAIN(vmo_unmap(world.a, ro));
    AGAIN(vmo_unmap(world.a, orphan));
    AGAIN(vmo_seal(world.a, vmo, VMO_SEAL_PEERS));
    AGAIN(vmo_destroy(world.a, vmo));
    assert_int_equal(fake_live().lost, 0);
}

static void seal_for_ever(vmo_t vmo)
{
    vmo_view_t view = NO_VIEW;
    uint8_t back[LEN];

    AGAIN(vmo_seal(world.a, vmo, VMO_SEAL_FOREVER));
    AGAIN(vmo_read(world.a, vmo, RANGE(0, LEN), back));
    assert_pattern(back, 0, LEN);
    AGAIN(vmo_map_ro(world.a, vmo, RANGE(0, LEN), &view));
    AGAIN(vmo_close(world.a, vmo));
    AGAIN(vmo_unmap(world.a, view)); /* the orphan's mapping goes here */
}

static void evictions(vmo_t vmo)
{
    vmo_view_t view = NO_VIEW;

    for (uint64_t page = 0; page < 9; page++) { /* the table has 8 entries */
        AGAIN(vmo_map_ro(world.a, vmo, RANGE(page * PAGE, PAGE), &view));
        assert_pattern(vmo_view_data(world.a, view), page * PAGE, PAGE);
        AGAIN(vmo_unmap(world.a, view));
    }
    AGAIN(vmo_close(world.a, vmo));
}

/* A receive that fails leaves the message queued. */
static vmo_t exchange(vmo_t vmo)
{
    const struct vmo_message message = {.vmo = vmo, .rights = VMO_RIGHT_READ};
    struct vmo_incoming incoming;

    AGAIN(vmo_send(world.a, world.to_b, &message, SOON_NS));
    AS_B;
    AGAIN(vmo_recv(world.b, world.to_a, &incoming, SOON_NS));
    AS_A;
    return incoming.vmo;
}

static void hand_over_and_take_down(vmo_t vmo)
{
    vmo_view_t view = NO_VIEW;
    int32_t exit_status = 0;

    AGAIN(vmo_seal(world.a, vmo, VMO_SEAL_PEERS));
    const vmo_t theirs = exchange(vmo);
    AS_B;
    AGAIN(vmo_map_ro(world.b, theirs, RANGE(0, LEN), &view));
    assert_pattern(vmo_view_data(world.b, view), 0, LEN);
    AGAIN(vmo_unmap(world.b, view));
    AGAIN(vmo_close(world.b, theirs));
    AS_A;
    fake_kill_peer(0);
    AGAIN(vmo_peer_wait(world.a, world.to_b, SOON_NS, &exit_status));
    AGAIN(vmo_peer_close(world.a, world.to_b));
    AGAIN(vmo_destroy(world.a, vmo));
    assert_int_equal(fake_live().lost, 0);
}

/* The mapping that the check of an alias leaves takes the place of an unused one. */
static void received_into_a_full_table(vmo_t vmo)
{
    vmo_t own = VMO_NONE;
    vmo_view_t view = NO_VIEW;

    AGAIN(vmo_seal(world.a, vmo, VMO_SEAL_PEERS));
    AS_B;
    AGAIN(vmo_create(world.b, 8 * PAGE, &own));
    for (uint64_t page = 0; page < 8; page++) { /* the table has 8 entries */
        AGAIN(vmo_map_ro(world.b, own, RANGE(page * PAGE, PAGE), &view));
        AGAIN(vmo_unmap(world.b, view));
    }
    AS_A;
    const vmo_t theirs = exchange(vmo);
    AS_B;
    AGAIN(vmo_close(world.b, theirs));
    AGAIN(vmo_destroy(world.b, own));
    AS_A;
    AGAIN(vmo_close(world.a, vmo));
}

static void transfer_and_accept(vmo_t vmo)
{
    struct vmo_ticket ticket;
    vmo_t theirs = VMO_NONE;

    AGAIN(vmo_transfer(world.a, vmo, world.to_b, VMO_RIGHT_READ, &ticket));
    AS_B;
    AGAIN(vmo_accept(world.b, world.to_a, &ticket, &theirs));
    AGAIN(vmo_close(world.b, theirs));
    AS_A;
    AGAIN(vmo_destroy(world.a, vmo));
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
    AGAIN(vmo_peer_spawn(world.a, &program, &child));
    fake_side(2);
    AGAIN(vmo_registry_init(storage, sizeof storage, &limits, &grandchild));
    AGAIN(vmo_peer_parent(grandchild, &parent));
    AGAIN(vmo_peer_close(grandchild, parent));
    AGAIN(vmo_registry_fini(grandchild));
    AS_A;
    AGAIN(vmo_peer_close(world.a, child));
}

static void dup_and_drop(vmo_t vmo)
{
    vmo_t part = VMO_NONE;
    vmo_view_t view = NO_VIEW;

    AGAIN(vmo_dup(world.a, vmo, VMO_RIGHT_READ, &part));
    AGAIN(vmo_map_ro(world.a, part, RANGE(0, LEN), &view));
    AGAIN(vmo_close(world.a, part));
    assert_pattern(vmo_view_data(world.a, view), 0, LEN);
    AGAIN(vmo_unmap(world.a, view));
    AGAIN(vmo_destroy(world.a, vmo));
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
    AGAIN(vmo_wrap_bytes(world.a, bytes, LEN, &wrapped));
    AGAIN(vmo_copy(world.a, wrapped, &copy));
    AGAIN(vmo_close(world.a, wrapped));
    AGAIN(vmo_read(world.a, copy, RANGE(0, LEN), back));
    assert_pattern(back, 0, LEN);
    AGAIN(vmo_destroy(world.a, copy));
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
    AGAIN(vmo_wrap_file(world.a, file, RANGE(1, LEN - 1), &wrapped));
    AGAIN(vmo_map_ro(world.a, wrapped, RANGE(0, LEN - 1), &view));
    assert_pattern(vmo_view_data(world.a, view), 1, LEN - 1);
    AGAIN(vmo_copy(world.a, wrapped, &copy));
    AGAIN(vmo_unmap(world.a, view));
    AGAIN(vmo_close(world.a, wrapped));
    AGAIN(vmo_destroy(world.a, copy));
    assert_int_equal(fake_live().lost, 0);
}

static void require_and_accept(vmo_t vmo)
{
    struct vmo_ticket ticket;
    vmo_t theirs = VMO_NONE;

    AGAIN(vmo_seal(world.a, vmo, VMO_SEAL_PEERS));
    AGAIN(vmo_transfer(world.a, vmo, world.to_b, VMO_RIGHT_READ, &ticket));
    AS_B;
    AGAIN(vmo_peer_require(world.b, world.to_a, VMO_SEAL_PEERS));
    AGAIN(vmo_accept(world.b, world.to_a, &ticket, &theirs));
    AGAIN(vmo_close(world.b, theirs));
    AS_A;
    AGAIN(vmo_destroy(world.a, vmo));
    assert_int_equal(fake_live().lost, 0);
}

/* Makes the world anew, tells the story with its n-th call failing (0: none), and reads what is left. */
static struct fake_live tell(void (*story)(vmo_t vmo), int (*make)(void **state), uint64_t vmo_bytes,
                             uint32_t n)
{
    make(NULL);
    const vmo_t vmo = vmo_bytes ? vmo_filled(vmo_bytes) : VMO_NONE;
    struck = 0;
    fake_fail_call(n, STATUS);
    story(vmo);
    return fake_live();
}

/* A story of vmo_bytes of filled VMO, with each of its calls failing in turn. `calls` pins how many there are
 * without a failure, so that none escapes. */
static void fail_each(void (*story)(vmo_t vmo), int (*make)(void **state), uint64_t vmo_bytes, uint32_t calls)
{
    const struct fake_live clean = tell(story, make, vmo_bytes, 0);

    for (uint32_t n = 1; n <= calls; n++) {
        const struct fake_live now = tell(story, make, vmo_bytes, n);
        assert_memory_equal(&now, &clean, sizeof now);
        assert_int_equal(struck, 1);
    }
    (void)tell(story, make, vmo_bytes, calls + 1);
    assert_int_equal(struck, 0);
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
    fail_each(wrap_and_copy, world_make, 0, 6);
    fail_each(wrap_file_and_copy, world_make, 0, 9);
}

static void taken_by_demand(void **state)
{
    (void)state;
    fail_each(require_and_accept, world_make, LEN, 9);
}

#define LAST(test) cmocka_unit_test_teardown(test, world_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LAST(life_of_one_vmo),       LAST(sealed_for_ever),
        LAST(kept_mappings_go),      LAST(handed_over_by_message),
        LAST(handed_over_by_ticket), LAST(peers_come_and_go),
        LAST(several_handles),       LAST(borrowed_and_copied),
        LAST(taken_by_demand),       LAST(received_in_place_of_a_kept_mapping),
    };
    return cmocka_run_group_tests_name("unit/inject", tests, NULL, NULL);
}
