/* SPDX-License-Identifier: Apache-2.0 */
/* vmo_write and vmo_read: bounds, and refusals that change nothing (R2). */
#include "unit.h"

#define LEN (PAGE + 100) /* length and size differ */

static uint8_t buffer[2 * PAGE];

static void write_then_read(void **state)
{
    static const struct vmo_range ranges[] = {{0, 1}, {0, LEN}, {LEN - 1, 1}, {PAGE - 1, 2}, {17, 1000}};
    uint8_t back[2 * PAGE];
    vmo_t vmo = VMO_NONE;

    (void)state;
    assert_ok(vmo_create(world.a, LEN, &vmo));
    for (size_t i = 0; i < sizeof(buffer); i++) {
        buffer[i] = pattern_at(i);
    }
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        const struct vmo_range range = ranges[i];
        const uint64_t copies = counters_of(world.a).copies;
        assert_ok(vmo_write(world.a, vmo, range, buffer + range.off_bytes));
        assert_int_equal(counters_of(world.a).copies, copies + 1);
        memset(back, 0, sizeof(back));
        assert_ok(vmo_read(world.a, vmo, range, back + 1));
        assert_int_equal(counters_of(world.a).copies, copies + 2);
        assert_pattern(back + 1, range.off_bytes, range.len_bytes);
        assert_int_equal(back[0], 0);
        assert_int_equal(back[1 + range.len_bytes], 0);
    }
}

/* A write changes only its range. */
static void write_leaves_neighbours(void **state)
{
    const vmo_t vmo = vmo_filled(LEN);
    uint8_t back[LEN];

    (void)state;
    memset(buffer, 0xEE, sizeof(buffer));
    assert_ok(vmo_write(world.a, vmo, RANGE(PAGE - 3, 6), buffer));
    assert_ok(vmo_read(world.a, vmo, RANGE(0, LEN), back));
    assert_pattern(back, 0, PAGE - 3);
    assert_memory_equal(back + PAGE - 3, buffer, 6);
    assert_pattern(back + PAGE + 3, PAGE + 3, LEN - PAGE - 3);
}

static void new_memory_is_zero(void **state)
{
    vmo_t vmo = VMO_NONE;

    (void)state;
    memset(buffer, 0xEE, sizeof(buffer));
    assert_ok(vmo_create(world.a, LEN, &vmo));
    assert_ok(vmo_read(world.a, vmo, RANGE(0, LEN), buffer));
    for (size_t i = 0; i < LEN; i++) {
        assert_int_equal(buffer[i], 0);
    }
    assert_int_equal(buffer[LEN], 0xEE);
}

static void out_of_bounds(void **state)
{
    static const struct vmo_range ranges[] = {
        {0, LEN + 1},
        {LEN, 1},
        {LEN - 1, 2},
        {1, LEN},
        {LEN + 1, 0}, /* an empty range past the end is out of bounds */
        {LEN + 1, 1},
        {0, 2 * PAGE}, /* the size is not the length */
        {2 * PAGE, 0},
        {0, UINT64_MAX},
        {1, UINT64_MAX},
        {UINT64_MAX, 0},
        {UINT64_MAX, 1},
        {UINT64_MAX, UINT64_MAX},
        {UINT64_MAX - LEN + 1, LEN}, /* offset + length wraps to 0 */
        {UINT64_MAX - LEN + 1, 2 * LEN},
        {LEN - 1, UINT64_MAX - LEN + 2},
        {0, SIZE_MAX - 1},
        {UINT64_C(1) << 63, UINT64_C(1) << 63},
        {UINT64_C(1) << 32, 1},
    };
    const vmo_t vmo = vmo_filled(LEN);
    uint8_t before[sizeof(buffer)];

    (void)state;
    memset(buffer, 0xEE, sizeof(buffer));
    memset(before, 0xEE, sizeof(before));
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        assert_refused_quietly(vmo_write(world.a, vmo, ranges[i], buffer), VMO_ERR_BOUNDS);
        assert_refused_quietly(vmo_read(world.a, vmo, ranges[i], buffer), VMO_ERR_BOUNDS);
        assert_memory_equal(buffer, before, sizeof(before));
    }
}

/* An empty range is valid at any offset up to the end and needs no buffer. It counts as no copy. */
static void zero_length(void **state)
{
    static const uint64_t offsets[] = {0, 1, PAGE, LEN - 1, LEN};
    const vmo_t vmo = vmo_filled(LEN);
    const struct snapshot before = snapshot_take();

    (void)state;
    for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
        assert_ok(vmo_write(world.a, vmo, RANGE(offsets[i], 0), buffer));
        assert_ok(vmo_write(world.a, vmo, RANGE(offsets[i], 0), NULL));
        assert_ok(vmo_read(world.a, vmo, RANGE(offsets[i], 0), buffer));
        assert_ok(vmo_read(world.a, vmo, RANGE(offsets[i], 0), NULL));
    }
    snapshot_check(&before, "a copy of nothing", __FILE__, __LINE__);
}

static void null_pointers(void **state)
{
    const vmo_t vmo = vmo_filled(LEN);

    (void)state;
    assert_refused_quietly(vmo_write(world.a, vmo, RANGE(0, 1), NULL), VMO_ERR_INVALID);
    assert_refused_quietly(vmo_read(world.a, vmo, RANGE(0, 1), NULL), VMO_ERR_INVALID);
}

/* One call copies at most 2 GiB, even from a longer VMO. The test touches none of these pages. */
static void longest_copy(void **state)
{
    const uint64_t most = UINT64_C(1) << 31;
    uint8_t byte = 9;
    vmo_t vmo = VMO_NONE;

    (void)state;
    fake_reset();
    fake_config()->object_bytes_max = fake_config()->arena_bytes = most + 2 * PAGE;
    world_remake(&world_limits);
    assert_ok(vmo_create(world.a, most + PAGE, &vmo));
    const uint32_t calls = fake_call_count();
    assert_status(vmo_write(world.a, vmo, RANGE(0, most + 1), &byte), VMO_ERR_TOO_LARGE);
    assert_status(vmo_read(world.a, vmo, RANGE(PAGE - 1, most + 1), &byte), VMO_ERR_TOO_LARGE);
    assert_status(vmo_write(world.a, vmo, RANGE(PAGE + 1, most), &byte), VMO_ERR_BOUNDS);
    assert_int_equal(fake_call_count(), calls);
    assert_int_equal(byte, 9);
    assert_int_equal(counters_of(world.a).copies, 0);
    /* A copy of exactly 2 GiB reaches the backend. */
    fake_fail_call(1, VMO_ERR_BACKEND);
    assert_status(vmo_write(world.a, vmo, RANGE(1, most), &byte), VMO_ERR_BACKEND);
    assert_int_equal(fake_call_count(), calls + 1);
    assert_ok(vmo_read(world.a, vmo, RANGE(most + PAGE - 1, 1), &byte));
    assert_int_equal(byte, 0);
}

/* Without a read call the library reads through a mapping, which it keeps for the next read. */
static void read_through_a_mapping(void **state)
{
    const vmo_t vmo = vmo_filled(LEN);
    const struct vmo_counters before = counters_of(world.a);

    (void)state;
    for (uint64_t i = 1; i <= 3; i++) {
        memset(buffer, 0, sizeof(buffer));
        assert_ok(vmo_read(world.a, vmo, RANGE(33, LEN - 33), buffer));
        assert_pattern(buffer, 33, LEN - 33);
        const struct vmo_counters now = counters_of(world.a);
        assert_int_equal(now.copies, before.copies + i);
        assert_int_equal(now.map_misses, before.map_misses + 1);
        assert_int_equal(now.map_hits, before.map_hits + i - 1);
    }
    assert_refused_quietly(vmo_read(world.a, vmo, RANGE(0, LEN + 1), buffer), VMO_ERR_BOUNDS);
    assert_ok(vmo_read(world.a, vmo, RANGE(LEN, 0), NULL));
    assert_ok(vmo_close(world.a, vmo));
}

/* If the mapping is refused, the read returns the mapping's status. */
static void read_without_room_for_a_mapping(void **state)
{
    vmo_t vmo = VMO_NONE;
    vmo_view_t views[8];

    (void)state;
    assert_ok(vmo_create(world.a, 8 * PAGE, &vmo));
    buffer[0] = 1;
    for (size_t i = 0; i < 8; i++) {
        assert_ok(vmo_map_rw(world.a, vmo, RANGE(i * PAGE, 1), &views[i]));
    }
    assert_refused(vmo_read(world.a, vmo, RANGE(0, 1), buffer), VMO_ERR_TABLE_FULL);
    assert_int_equal(buffer[0], 1);
    assert_ok(vmo_unmap(world.a, views[0]));
    assert_ok(vmo_read(world.a, vmo, RANGE(0, 1), buffer));
    assert_int_equal(buffer[0], 0);
}

/* A read-only handle can read. Its rights refuse a write before the range is checked. */
static void received_handles(void **state)
{
    const vmo_t vmo = vmo_filled(LEN);
    const vmo_t read_only = hand_over(vmo, VMO_RIGHT_READ);
    const vmo_t both = hand_over(vmo, VMO_RIGHTS_ALL);

    (void)state;
    AS_B;
    memset(buffer, 0, sizeof(buffer));
    assert_ok(vmo_read(world.b, read_only, RANGE(5, 50), buffer));
    assert_pattern(buffer, 5, 50);
    assert_refused_quietly(vmo_write(world.b, read_only, RANGE(0, 1), buffer), VMO_ERR_RIGHTS);
    assert_refused_quietly(vmo_write(world.b, read_only, RANGE(0, 0), buffer), VMO_ERR_RIGHTS);
    assert_refused_quietly(vmo_write(world.b, read_only, RANGE(0, UINT64_MAX), buffer), VMO_ERR_RIGHTS);
    memset(buffer, 0x77, sizeof(buffer));
    assert_ok(vmo_write(world.b, both, RANGE(5, 1), buffer));
    AS_A;
    buffer[0] = 0;
    assert_ok(vmo_read(world.a, vmo, RANGE(5, 1), buffer));
    assert_int_equal(buffer[0], 0x77);
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, world_make, world_drop)
#define IN_SMALL_WORLD(test) cmocka_unit_test_setup_teardown(test, world_make_small, world_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(write_then_read),
        IN_WORLD(write_leaves_neighbours),
        IN_WORLD(new_memory_is_zero),
        IN_WORLD(out_of_bounds),
        IN_SMALL_WORLD(out_of_bounds),
        IN_WORLD(zero_length),
        IN_SMALL_WORLD(zero_length),
        IN_WORLD(null_pointers),
        IN_WORLD(longest_copy),
        IN_SMALL_WORLD(read_through_a_mapping),
        IN_SMALL_WORLD(read_without_room_for_a_mapping),
        IN_WORLD(received_handles),
        IN_SMALL_WORLD(received_handles),
    };
    return cmocka_run_group_tests_name("unit/bytes", tests, NULL, NULL);
}
