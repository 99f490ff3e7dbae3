/* SPDX-License-Identifier: Apache-2.0 */
/* Borrowed bytes, file ranges and the counted copy (R5). */
#include "unit.h"

#define LEN (2 * PAGE + 21)

static uint8_t memory[LEN];

static vmo_t wrapped(void)
{
    vmo_t vmo = VMO_NONE;

    for (uint64_t i = 0; i < LEN; i++) {
        memory[i] = pattern_at(i);
    }
    assert_ok(vmo_wrap_bytes(world.a, memory, LEN, &vmo));
    return vmo;
}

static int file_of_pattern(void)
{
    for (uint64_t i = 0; i < LEN; i++) {
        memory[i] = pattern_at(i);
    }
    return fake_file_set(memory, LEN);
}

static vmo_t wrapped_file(int file, uint64_t off, uint64_t len)
{
    vmo_t vmo = VMO_NONE;

    assert_ok(vmo_wrap_file(world.a, file, RANGE(off, len), &vmo));
    return vmo;
}

static void bytes_are_not_copied(void **state)
{
    const uint32_t calls = fake_call_count();
    const vmo_t vmo = wrapped();
    vmo_view_t view = NO_VIEW, part = NO_VIEW;
    uint8_t byte = 0;

    (void)state;
    assert_ok(vmo_map_ro(world.a, vmo, RANGE(5, PAGE), &view));
    assert_ptr_equal(vmo_view_data(world.a, view), memory + 5);
    assert_null(vmo_view_data_rw(world.a, view));
    assert_ok(vmo_map_ro(world.a, vmo, RANGE(0, 1), &part)); /* a hit: it is mapped as a whole */
    assert_int_equal(counters_of(world.a).map_hits, 1);
    assert_ok(vmo_read(world.a, vmo, RANGE(LEN - 1, 1), &byte));
    assert_int_equal(byte, pattern_at(LEN - 1));
    assert_ok(vmo_unmap(world.a, view));
    assert_ok(vmo_unmap(world.a, part));
    assert_ok(vmo_close(world.a, vmo));
    assert_int_equal(fake_call_count(), calls + 1); /* be_close of an object without capabilities */
}

static void bytes_after_close(void **state)
{
    const vmo_t vmo = wrapped();
    vmo_view_t view = NO_VIEW;

    (void)state;
    assert_ok(vmo_map_ro(world.a, vmo, RANGE(0, LEN), &view));
    assert_ok(vmo_close(world.a, vmo));
    assert_pattern(vmo_view_data(world.a, view), 0, LEN);
    assert_ok(vmo_unmap(world.a, view));
    assert_ok(vmo_peer_close(world.a, world.to_b));
    assert_ok(vmo_registry_fini(world.a));
}

static void bytes_are_evicted(void **state)
{
    const vmo_t own = vmo_filled(9 * PAGE);
    const vmo_t vmo = wrapped();
    vmo_view_t view = NO_VIEW;

    (void)state;
    assert_ok(vmo_map_ro(world.a, vmo, RANGE(0, 1), &view));
    assert_ok(vmo_unmap(world.a, view));
    for (uint64_t page = 0; page < 9; page++) {
        assert_ok(vmo_map_ro(world.a, own, RANGE(page * PAGE, 1), &view));
        assert_ok(vmo_unmap(world.a, view));
    }
    assert_int_equal(counters_of(world.a).abandoned_bytes % PAGE, 0);
    assert_ok(vmo_map_ro(world.a, vmo, RANGE(0, LEN), &view));
    assert_pattern(vmo_view_data(world.a, view), 0, LEN);
}

static void bytes_refused(void **state)
{
    vmo_t vmo = {99, 99};

    (void)state;
    assert_refused_quietly(vmo_wrap_bytes(world.a, NULL, 1, &vmo), VMO_ERR_INVALID);
    assert_refused_quietly(vmo_wrap_bytes(world.a, memory, 1, NULL), VMO_ERR_INVALID);
    assert_refused_quietly(vmo_wrap_bytes(NULL, memory, 1, &vmo), VMO_ERR_INVALID);
    assert_refused_quietly(vmo_wrap_bytes(world.a, memory, 0, &vmo), VMO_ERR_ZERO_LENGTH);
    assert_refused_quietly(vmo_wrap_bytes(world.a, memory, UINT64_MAX, &vmo), VMO_ERR_BOUNDS);
    for (unsigned i = 0; i < 8; i++) {
        vmo_t one = VMO_NONE;
        assert_ok(vmo_wrap_bytes(world.a, memory, 1, &one));
    }
    assert_refused_quietly(vmo_wrap_bytes(world.a, memory, 1, &vmo), VMO_ERR_TABLE_FULL);
    assert_refused_quietly(vmo_wrap_file(world.a, 3, RANGE(0, 1), &vmo), VMO_ERR_TABLE_FULL);
    assert_int_equal(vmo.id, 99);
}

static void borrowed_stays_local(void **state)
{
    const int file = file_of_pattern();
    const vmo_t both[] = {wrapped(), wrapped_file(file, 0, LEN)};
    struct vmo_ticket ticket = {.name = 99};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const struct vmo_message message = {.vmo = both[i], .rights = VMO_RIGHT_READ};
        assert_refused_quietly(vmo_send(world.a, world.to_b, &message, SOON_NS), VMO_ERR_UNSUPPORTED);
        assert_refused_quietly(vmo_transfer(world.a, both[i], world.to_b, VMO_RIGHT_READ, &ticket),
                               VMO_ERR_UNSUPPORTED);
        assert_refused_quietly(vmo_seal(world.a, both[i], VMO_SEAL_PEERS), VMO_ERR_UNSUPPORTED);
        assert_refused_quietly(vmo_destroy(world.a, both[i]), VMO_ERR_UNSUPPORTED);
        assert_refused_quietly(vmo_write(world.a, both[i], RANGE(0, 1), "x"), VMO_ERR_RIGHTS);
    }
    assert_int_equal(ticket.name, 99);
}

static void file_range_mapped_and_read(void **state)
{
    const int file = file_of_pattern();
    const vmo_t vmo = wrapped_file(file, PAGE - 7, PAGE + 14);
    vmo_view_t view = NO_VIEW;
    uint8_t bytes[14];
    uint64_t size = 99;

    (void)state;
    assert_ok(vmo_size(world.a, vmo, &size));
    assert_int_equal(size, 0);
    assert_ok(vmo_map_ro(world.a, vmo, RANGE(0, PAGE + 14), &view));
    assert_pattern(vmo_view_data(world.a, view), PAGE - 7, PAGE + 14);
    assert_ok(vmo_unmap(world.a, view));
    assert_ok(vmo_read(world.a, vmo, RANGE(PAGE, 14), bytes));
    assert_pattern(bytes, 2 * PAGE - 7, 14);
    assert_refused_quietly(vmo_read(world.a, vmo, RANGE(PAGE, 15), bytes), VMO_ERR_BOUNDS);
    assert_refused_quietly(vmo_map_rw(world.a, vmo, RANGE(0, 1), &view), VMO_ERR_RIGHTS);
    assert_ok(vmo_close(world.a, vmo));
    assert_int_equal(fake_live().mappings, 0);
}

static void file_refused(void **state)
{
    const int file = file_of_pattern();
    vmo_t vmo = {99, 99};

    (void)state;
    assert_refused_quietly(vmo_wrap_file(world.a, file, RANGE(0, 0), &vmo), VMO_ERR_ZERO_LENGTH);
    assert_refused_quietly(vmo_wrap_file(world.a, file, RANGE(0, 1), NULL), VMO_ERR_INVALID);
    assert_refused_quietly(vmo_wrap_file(NULL, file, RANGE(0, 1), &vmo), VMO_ERR_INVALID);
    assert_refused(vmo_wrap_file(world.a, 2, RANGE(0, 1), &vmo), VMO_ERR_INVALID);
    assert_refused(vmo_wrap_file(world.a, file, RANGE(0, LEN + 1), &vmo), VMO_ERR_BOUNDS);
    assert_refused(vmo_wrap_file(world.a, file, RANGE(UINT64_MAX, 2), &vmo), VMO_ERR_BOUNDS);
    fake_config()->slots = 4;
    assert_refused(vmo_wrap_file(world.a, file, RANGE(0, 1), &vmo), VMO_ERR_NO_SLOTS);
    assert_int_equal(vmo.id, 99);
}

static void file_truncated(void **state)
{
    const int file = file_of_pattern();
    const vmo_t vmo = wrapped_file(file, 10, PAGE);
    uint8_t bytes[8] = {0};
    vmo_t copy = {99, 99};

    (void)state;
    fake_file_truncate(file, 100);
    assert_ok(vmo_read(world.a, vmo, RANGE(82, 8), bytes));
    assert_pattern(bytes, 92, 8);
    assert_refused(vmo_read(world.a, vmo, RANGE(83, 8), bytes), VMO_ERR_BOUNDS);
    const uint32_t caps = fake_live().caps;
    assert_status(vmo_copy(world.a, vmo, &copy), VMO_ERR_BOUNDS);
    assert_int_equal(fake_live().caps, caps); /* the incomplete copy was destroyed */
    assert_int_equal(copy.id, 99);
}

static void copied(void **state)
{
    const vmo_t sources[] = {vmo_filled(LEN), wrapped(), wrapped_file(file_of_pattern(), 0, LEN)};
    uint8_t bytes[LEN];

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        vmo_t copy = VMO_NONE;
        uint32_t rights = 0;
        const struct vmo_counters then = counters_of(world.a);
        assert_ok(vmo_copy(world.a, sources[i], &copy));
        assert_int_equal(counters_of(world.a).copies, then.copies + 1);
        assert_ok(vmo_rights(world.a, copy, &rights));
        assert_int_equal(rights, VMO_RIGHTS_ALL);
        assert_ok(vmo_read(world.a, copy, RANGE(0, LEN), bytes));
        assert_pattern(bytes, 0, LEN);
        assert_ok(vmo_seal(world.a, copy, VMO_SEAL_PEERS));
        assert_int_not_equal(hand_over(copy, VMO_RIGHT_READ).id, VMO_NONE.id);
        assert_ok(vmo_close(world.a, copy));
    }
}

static void copy_refused(void **state)
{
    const vmo_t vmo = wrapped();
    vmo_t copy = {99, 99};

    (void)state;
    assert_refused_quietly(vmo_copy(world.a, vmo, NULL), VMO_ERR_INVALID);
    assert_refused_quietly(vmo_copy(world.a, VMO_NONE, &copy), VMO_ERR_BAD_HANDLE);
    fake_config()->arena_bytes = PAGE;
    assert_refused(vmo_copy(world.a, vmo, &copy), VMO_ERR_NO_MEMORY);
    assert_int_equal(copy.id, 99);
}

/* Bytes need none; a VMO does where the kernel cannot copy it. */
static void copy_without_a_view(void **state)
{
    const vmo_t vmo = vmo_filled(LEN), bytes = wrapped();
    vmo_view_t views[8];
    vmo_t copy = {99, 99};
    const struct fake_live then = fake_live();

    (void)state;
    for (uint32_t i = 0; i < 8; i++) {
        assert_ok(vmo_map_ro(world.a, vmo, RANGE(i, 1), &views[i]));
    }
    assert_status(vmo_copy(world.a, vmo, &copy), VMO_ERR_TABLE_FULL);
    assert_int_equal(copy.id, 99);
    assert_int_equal(fake_live().caps, then.caps);
    assert_int_equal(fake_live().lost, fake_config()->has_destroy ? 0 : 1);
    assert_ok(vmo_copy(world.a, bytes, &copy));
}

/* Each backend call of a copy fails in turn. The incomplete copy is destroyed. */
static void each_call_of_a_copy_fails(void **state)
{
    const vmo_t vmo = vmo_filled(LEN);
    vmo_t copy = {99, 99};

    (void)state;
    for (uint32_t n = 1; n <= 4; n++) {
        fake_fail_call(n, VMO_ERR_BACKEND); /* create, copy, map, read */
        assert_status(vmo_copy(world.a, vmo, &copy), VMO_ERR_BACKEND);
        assert_int_equal(copy.id, 99);
        assert_int_equal(fake_live().lost, 0);
        assert_int_equal(fake_live().objects, 1);
    }
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, world_make, world_drop)
#define IN_BOTH(test) IN_WORLD(test), cmocka_unit_test_setup_teardown(test, world_make_small, world_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_BOTH(bytes_are_not_copied), IN_BOTH(bytes_after_close),    IN_BOTH(bytes_are_evicted),
        IN_BOTH(bytes_refused),        IN_BOTH(borrowed_stays_local), IN_WORLD(file_range_mapped_and_read),
        IN_BOTH(file_refused),         IN_WORLD(file_truncated),      IN_WORLD(copied),
        IN_BOTH(copy_refused),         IN_BOTH(copy_without_a_view),  IN_WORLD(each_call_of_a_copy_fails),
    };
    return cmocka_run_group_tests_name("unit/wrap", tests, NULL, NULL);
}
