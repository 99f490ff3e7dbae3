/* SPDX-License-Identifier: Apache-2.0 */
/* Views, slices, and kept mappings (R3, R4, R9). */
#include "unit.h"

#define LEN (3 * PAGE + 100)

static void read_only_view(void **state)
{
    static const struct vmo_range ranges[] = {{0, LEN},      {0, 1},       {LEN - 1, 1},
                                              {PAGE - 1, 2}, {PAGE, PAGE}, {77, 2 * PAGE}};
    const vmo_t vmo = vmo_filled(LEN);
    const uint64_t copies = counters_of(world.a).copies;

    (void)state;
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        vmo_view_t view = NO_VIEW;
        assert_ok(vmo_map_ro(world.a, vmo, ranges[i], &view));
        assert_int_equal(vmo_view_len(world.a, view), ranges[i].len_bytes);
        assert_pattern(vmo_view_data(world.a, view), ranges[i].off_bytes, ranges[i].len_bytes);
        assert_null(vmo_view_data_rw(world.a, view));
        assert_ok(vmo_unmap(world.a, view));
    }
    assert_int_equal(counters_of(world.a).copies, copies);
}

static void writable_view(void **state)
{
    const vmo_t vmo = vmo_filled(LEN);
    vmo_view_t rw = NO_VIEW, ro = NO_VIEW;

    (void)state;
    assert_ok(vmo_map_rw(world.a, vmo, RANGE(PAGE - 1, 2), &rw));
    assert_ok(vmo_map_ro(world.a, vmo, RANGE(PAGE - 1, 2), &ro));
    uint8_t *bytes = vmo_view_data_rw(world.a, rw);
    assert_ptr_equal(bytes, vmo_view_data(world.a, rw));
    bytes[0] = 0x11;
    bytes[1] = 0x22;
    assert_int_equal(vmo_view_data(world.a, ro)[0], 0x11);
    assert_int_equal(vmo_view_data(world.a, ro)[1], 0x22);
    assert_null(vmo_view_data_rw(world.a, ro));
}

static void map_refused(void **state)
{
    static const struct vmo_range beyond[] = {{0, LEN + 1},
                                              {LEN, 1},
                                              {LEN + 1, 0},
                                              {0, 4 * PAGE},
                                              {0, UINT64_MAX},
                                              {UINT64_MAX, 1},
                                              {UINT64_MAX, 0},
                                              {UINT64_MAX - PAGE + 1, PAGE},
                                              {PAGE, UINT64_MAX - PAGE + 1}};
    const vmo_t vmo = vmo_filled(LEN);
    vmo_view_t view = {7, 7};

    (void)state;
    for (size_t i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++) {
        assert_refused_quietly(vmo_map_ro(world.a, vmo, beyond[i], &view), VMO_ERR_BOUNDS);
        assert_refused_quietly(vmo_map_rw(world.a, vmo, beyond[i], &view), VMO_ERR_BOUNDS);
    }
    assert_refused_quietly(vmo_map_ro(world.a, vmo, RANGE(0, 0), &view), VMO_ERR_ZERO_LENGTH);
    assert_refused_quietly(vmo_map_rw(world.a, vmo, RANGE(LEN, 0), &view), VMO_ERR_ZERO_LENGTH);
    assert_refused_quietly(vmo_map_ro(world.a, vmo, RANGE(0, 1), NULL), VMO_ERR_INVALID);
    assert_refused_quietly(vmo_map_rw(world.a, vmo, RANGE(0, 1), NULL), VMO_ERR_INVALID);
    assert_int_equal(view.id, 7);
}

static void received_read_only(void **state)
{
    const vmo_t vmo = vmo_filled(LEN);
    const vmo_t theirs = hand_over(vmo, VMO_RIGHT_READ);
    vmo_view_t view = {7, 7};

    (void)state;
    AS_B;
    assert_refused_quietly(vmo_map_rw(world.b, theirs, RANGE(0, 1), &view), VMO_ERR_RIGHTS);
    assert_int_equal(view.id, 7);
    assert_ok(vmo_map_ro(world.b, theirs, RANGE(0, LEN), &view));
    assert_pattern(vmo_view_data(world.b, view), 0, LEN);
    assert_null(vmo_view_data_rw(world.b, view));
}

static void slices(void **state)
{
    const vmo_t vmo = vmo_filled(LEN);
    vmo_view_t whole = NO_VIEW, part = NO_VIEW, crumb = NO_VIEW;

    (void)state;
    assert_ok(vmo_map_ro(world.a, vmo, RANGE(50, LEN - 60), &whole));
    const struct snapshot before = snapshot_take();
    const uint32_t calls = fake_call_count();
    assert_ok(vmo_slice(world.a, whole, RANGE(PAGE, 300), &part));
    assert_ok(vmo_slice(world.a, part, RANGE(299, 1), &crumb));
    assert_int_equal(fake_call_count(), calls);
    snapshot_check(&before, "a slice", __FILE__, __LINE__);
    assert_ptr_equal(vmo_view_data(world.a, part), vmo_view_data(world.a, whole) + PAGE);
    assert_pattern(vmo_view_data(world.a, part), 50 + PAGE, 300);
    assert_pattern(vmo_view_data(world.a, crumb), 50 + PAGE + 299, 1);
    assert_int_equal(vmo_view_len(world.a, part), 300);
    assert_null(vmo_view_data_rw(world.a, part));
    /* A slice outlives its view. */
    assert_ok(vmo_unmap(world.a, whole));
    assert_refused_quietly(vmo_destroy(world.a, vmo), VMO_ERR_STILL_MAPPED);
    assert_ok(vmo_unmap(world.a, part));
    assert_pattern(vmo_view_data(world.a, crumb), 50 + PAGE + 299, 1);
    assert_ok(vmo_unmap(world.a, crumb));
    assert_ok(vmo_destroy(world.a, vmo));
}

static void slice_of_a_writable_view(void **state)
{
    const vmo_t vmo = vmo_filled(LEN);
    vmo_view_t whole = NO_VIEW, part = NO_VIEW;

    (void)state;
    assert_ok(vmo_map_rw(world.a, vmo, RANGE(10, 100), &whole));
    assert_ok(vmo_slice(world.a, whole, RANGE(20, 30), &part));
    assert_ptr_equal(vmo_view_data_rw(world.a, part), vmo_view_data_rw(world.a, whole) + 20);
}

static void slice_refused(void **state)
{
    static const struct vmo_range beyond[] = {{0, 101},  {100, 1},        {101, 0},        {1, 100},
                                              {0, PAGE}, {UINT64_MAX, 1}, {1, UINT64_MAX}, {UINT64_MAX, 0}};
    const vmo_t vmo = vmo_filled(LEN);
    vmo_view_t whole = NO_VIEW, part = {7, 7}, rest[7];

    (void)state;
    assert_ok(vmo_map_ro(world.a, vmo, RANGE(10, 100), &whole));
    for (size_t i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++) {
        assert_refused_quietly(vmo_slice(world.a, whole, beyond[i], &part), VMO_ERR_BOUNDS);
    }
    assert_refused_quietly(vmo_slice(world.a, whole, RANGE(100, 0), &part), VMO_ERR_ZERO_LENGTH);
    assert_refused_quietly(vmo_slice(world.a, whole, RANGE(0, 1), NULL), VMO_ERR_INVALID);
    for (size_t i = 0; i < 7; i++) {
        assert_ok(vmo_slice(world.a, whole, RANGE(i, 1), &rest[i]));
    }
    assert_refused_quietly(vmo_slice(world.a, whole, RANGE(0, 1), &part), VMO_ERR_TABLE_FULL);
    assert_refused_quietly(vmo_map_ro(world.a, vmo, RANGE(0, 1), &part), VMO_ERR_TABLE_FULL);
    assert_int_equal(part.id, 7);
    for (uint64_t i = 0; i < 7; i++) {
        assert_pattern(vmo_view_data(world.a, rest[i]), 10 + i, 1);
    }
    assert_ok(vmo_unmap(world.a, rest[3]));
    assert_ok(vmo_slice(world.a, whole, RANGE(0, 1), &part));
}

static void unmap_twice(void **state)
{
    const vmo_t vmo = vmo_filled(LEN);
    vmo_view_t view = NO_VIEW, other = NO_VIEW;

    (void)state;
    assert_ok(vmo_map_ro(world.a, vmo, RANGE(0, 1), &view));
    assert_ok(vmo_map_ro(world.a, vmo, RANGE(0, 1), &other));
    assert_ok(vmo_unmap(world.a, view));
    assert_refused_quietly(vmo_unmap(world.a, view), VMO_ERR_BAD_HANDLE);
    assert_null(vmo_view_data(world.a, view));
    assert_pattern(vmo_view_data(world.a, other), 0, 1);
}

static void hits_and_misses(void **state)
{
    const vmo_t vmo = vmo_filled(LEN); /* leaves a writable mapping of the whole VMO */
    vmo_view_t view = NO_VIEW, second = NO_VIEW;
    const struct vmo_counters start = counters_of(world.a);

    (void)state;
    assert_int_equal(start.map_misses, 1);
    assert_ok(vmo_map_ro(world.a, vmo, RANGE(PAGE, 2 * PAGE), &view)); /* read-only needs another mapping */
    assert_int_equal(counters_of(world.a).map_misses, 2);
    assert_int_equal(fake_live().mappings, 2);
    /* A range within the mapped pages is a hit, at any offset. */
    assert_ok(vmo_map_ro(world.a, vmo, RANGE(2 * PAGE + 5, 7), &second));
    assert_ptr_equal(vmo_view_data(world.a, second), vmo_view_data(world.a, view) + PAGE + 5);
    assert_ok(vmo_unmap(world.a, second));
    assert_ok(vmo_unmap(world.a, view));
    assert_ok(vmo_map_ro(world.a, vmo, RANGE(3 * PAGE - 1, 1), &view));
    assert_int_equal(counters_of(world.a).map_hits, start.map_hits + 2);
    assert_ok(vmo_unmap(world.a, view));
    /* A range of one byte more, before or after them, is a miss. */
    assert_ok(vmo_map_ro(world.a, vmo, RANGE(PAGE - 1, 2), &view));
    assert_ok(vmo_unmap(world.a, view));
    assert_ok(vmo_map_ro(world.a, vmo, RANGE(3 * PAGE - 1, 2), &view));
    assert_ok(vmo_unmap(world.a, view));
    assert_int_equal(counters_of(world.a).map_misses, 4);
    assert_int_equal(counters_of(world.a).map_hits, start.map_hits + 2);
    assert_int_equal(fake_live().mappings, 4);
    assert_ok(vmo_destroy(world.a, vmo));
    assert_int_equal(fake_live().mappings, 0);
}

/* Maps and unmaps one page, which leaves a kept mapping. */
static void touch(vmo_t vmo, uint64_t page)
{
    vmo_view_t view = NO_VIEW;

    assert_ok(vmo_map_ro(world.a, vmo, RANGE(page * PAGE, PAGE), &view));
    assert_pattern(vmo_view_data(world.a, view), page * PAGE, PAGE);
    assert_ok(vmo_unmap(world.a, view));
}

static void oldest_unused_is_evicted(void **state)
{
    const struct vmo_limits limits = {.objects = 2, .mappings = 3, .views = 8, .peers = 2};
    vmo_view_t held = NO_VIEW;

    (void)state;
    fake_reset();
    world_remake(&limits);
    const vmo_t vmo = vmo_filled(6 * PAGE);
    assert_ok(vmo_map_ro(world.a, vmo, RANGE(0, PAGE), &held)); /* in use: never evicted */
    touch(vmo, 1);                                              /* now the table is full */
    assert_int_equal(counters_of(world.a).map_evictions, 0);
    touch(vmo, 2); /* evicts the oldest, the writable one of vmo_filled */
    touch(vmo, 1); /* a hit; page 2 is the oldest now */
    assert_int_equal(counters_of(world.a).map_hits, 1);
    touch(vmo, 3);
    touch(vmo, 1);
    assert_int_equal(counters_of(world.a).map_hits, 2);
    touch(vmo, 2); /* a miss */
    const struct vmo_counters counters = counters_of(world.a);
    assert_int_equal(counters.map_hits, 2);
    assert_int_equal(counters.map_misses, 6);
    assert_int_equal(counters.map_evictions, 3);
    assert_int_equal(fake_live().mappings, 3);
    assert_pattern(vmo_view_data(world.a, held), 0, PAGE);
}

static void table_of_mappings_full(void **state)
{
    const struct vmo_limits limits = {.objects = 2, .mappings = 2, .views = 8, .peers = 2};
    vmo_view_t views[2], more = {7, 7};

    (void)state;
    fake_reset();
    world_remake(&limits);
    const vmo_t vmo = vmo_filled(4 * PAGE);
    assert_ok(vmo_map_ro(world.a, vmo, RANGE(0, PAGE), &views[0]));
    assert_ok(vmo_map_ro(world.a, vmo, RANGE(PAGE, PAGE), &views[1]));
    assert_refused_quietly(vmo_map_ro(world.a, vmo, RANGE(2 * PAGE, PAGE), &more), VMO_ERR_TABLE_FULL);
    assert_refused_quietly(vmo_map_rw(world.a, vmo, RANGE(0, PAGE), &more), VMO_ERR_TABLE_FULL);
    assert_int_equal(more.id, 7);
    assert_pattern(vmo_view_data(world.a, views[0]), 0, PAGE);
    assert_pattern(vmo_view_data(world.a, views[1]), PAGE, PAGE);
    assert_ok(vmo_map_ro(world.a, vmo, RANGE(0, 9), &more)); /* a hit needs no entry */
    assert_ok(vmo_unmap(world.a, more));                     /* views[0] still uses the mapping */
    assert_refused_quietly(vmo_map_ro(world.a, vmo, RANGE(2 * PAGE, PAGE), &more), VMO_ERR_TABLE_FULL);
    assert_pattern(vmo_view_data(world.a, views[0]), 0, PAGE);
}

/* The kernel has fewer regions than the registry has entries: the registry follows the kernel's limit. */
static void fewer_regions_than_entries(void **state)
{
    vmo_view_t views[2], more = {7, 7};

    (void)state;
    fake_reset();
    fake_config()->regions = 2;
    world_remake(&world_limits);
    const vmo_t vmo = vmo_filled(4 * PAGE);
    assert_ok(vmo_map_ro(world.a, vmo, RANGE(0, PAGE), &views[0]));
    assert_ok(vmo_map_ro(world.a, vmo, RANGE(PAGE, PAGE), &views[1]));
    assert_int_equal(counters_of(world.a).map_evictions, 1);
    assert_refused_quietly(vmo_map_ro(world.a, vmo, RANGE(2 * PAGE, PAGE), &more), VMO_ERR_NO_SLOTS);
    assert_ok(vmo_unmap(world.a, views[0]));
    assert_ok(vmo_map_ro(world.a, vmo, RANGE(2 * PAGE, PAGE), &more));
    assert_pattern(vmo_view_data(world.a, more), 2 * PAGE, PAGE);
}

/* The kernel's table is full, the registry's is not: unused mappings are evicted one by one. */
static void kernel_full_evicts(void **state)
{
    vmo_view_t views[3], more = {7, 7};
    const vmo_t vmo = vmo_filled(6 * PAGE);

    (void)state;
    touch(vmo, 0);
    fake_config()->regions = 2;
    assert_ok(vmo_map_ro(world.a, vmo, RANGE(PAGE, PAGE), &views[0]));
    assert_int_equal(counters_of(world.a).map_evictions, 1);
    assert_ok(vmo_map_ro(world.a, vmo, RANGE(2 * PAGE, PAGE), &views[1]));
    assert_int_equal(counters_of(world.a).map_evictions, 2);
    assert_refused(vmo_map_ro(world.a, vmo, RANGE(3 * PAGE, PAGE), &more), VMO_ERR_NO_SLOTS);
    assert_int_equal(more.id, 7);
    assert_ok(vmo_unmap(world.a, views[1]));
    assert_ok(vmo_map_ro(world.a, vmo, RANGE(3 * PAGE, PAGE), &more));
    assert_pattern(vmo_view_data(world.a, views[0]), PAGE, PAGE);
    assert_pattern(vmo_view_data(world.a, more), 3 * PAGE, PAGE);
}

/* Maps and unmaps a page; returns the number of mappings that stay. */
static uint32_t kept_after(vmo_t vmo, uint64_t page)
{
    touch(vmo, page);
    return fake_live().mappings;
}

static void keep_limits(void **state)
{
    const vmo_t vmo = vmo_filled(8 * PAGE);
    vmo_view_t view = NO_VIEW;

    (void)state;
    assert_ok(vmo_trim(world.a));
    assert_int_equal(fake_live().mappings, 0);
    assert_ok(vmo_keep_limits(world.a, 2, UINT64_MAX));
    assert_int_equal(kept_after(vmo, 0), 1);
    assert_int_equal(kept_after(vmo, 1), 2);
    assert_int_equal(kept_after(vmo, 2), 2);
    assert_int_equal(counters_of(world.a).map_evictions, 2);
    touch(vmo, 1); /* a hit; now the newest */
    assert_int_equal(counters_of(world.a).map_hits, 1);
    assert_ok(vmo_keep_limits(world.a, 8, 3 * PAGE));
    assert_ok(vmo_map_ro(world.a, vmo, RANGE(3 * PAGE, 2 * PAGE), &view));
    assert_int_equal(fake_live().mappings, 3);
    assert_ok(vmo_unmap(world.a, view));
    assert_int_equal(fake_live().mappings, 2); /* page 2 was evicted */
    touch(vmo, 1);
    assert_int_equal(counters_of(world.a).map_hits, 2);
    /* A mapping longer than the limit is not kept and evicts no other. */
    assert_ok(vmo_map_ro(world.a, vmo, RANGE(0, 4 * PAGE), &view));
    assert_ok(vmo_unmap(world.a, view));
    assert_int_equal(fake_live().mappings, 2);
    assert_ok(vmo_keep_limits(world.a, 0, 0));
    assert_int_equal(fake_live().mappings, 0);
    assert_int_equal(kept_after(vmo, 5), 0);
    assert_refused_quietly(vmo_keep_limits(NULL, 0, 0), VMO_ERR_INVALID);
    assert_refused_quietly(vmo_trim(NULL), VMO_ERR_INVALID);
    /* If the kernel refuses to unmap, the view and the limits stay. */
    assert_ok(vmo_map_ro(world.a, vmo, RANGE(0, 1), &view));
    fake_fail_call(1, VMO_ERR_NO_SLOTS);
    assert_refused(vmo_unmap(world.a, view), VMO_ERR_NO_SLOTS);
    assert_pattern(vmo_view_data(world.a, view), 0, 1);
    assert_ok(vmo_unmap(world.a, view));
    assert_ok(vmo_keep_limits(world.a, 4, UINT64_MAX));
    assert_int_equal(kept_after(vmo, 0), 1);
    fake_fail_call(1, VMO_ERR_NO_SLOTS);
    assert_refused(vmo_keep_limits(world.a, 0, 0), VMO_ERR_NO_SLOTS);
    assert_int_equal(kept_after(vmo, 1), 2);
    assert_ok(vmo_destroy(world.a, vmo));
}

/* The limits also apply to the mapping that comes with a received VMO. */
static void keep_limits_apply_to_received(void **state)
{
    const vmo_t vmo = vmo_filled(2 * PAGE);

    (void)state;
    const uint32_t before = fake_live().mappings;
    AS_B;
    assert_ok(vmo_keep_limits(world.b, 0, 0));
    AS_A;
    const vmo_t theirs = hand_over(vmo, VMO_RIGHT_READ);
    assert_int_equal(fake_live().mappings, before);
    AS_B;
    assert_ok(vmo_close(world.b, theirs));
    AS_A;
}

static void keep_limits_unsupported(void **state)
{
    (void)state;
    assert_refused_quietly(vmo_keep_limits(world.a, 0, 0), VMO_ERR_UNSUPPORTED);
    assert_refused_quietly(vmo_trim(world.a), VMO_ERR_UNSUPPORTED);
}

static void views_outlive_the_handle(void **state)
{
    const vmo_t vmo = vmo_filled(LEN);
    vmo_view_t view = NO_VIEW, part = NO_VIEW, more = {7, 7};
    vmo_t other = VMO_NONE;

    (void)state;
    assert_ok(vmo_map_ro(world.a, vmo, RANGE(0, LEN), &view));
    assert_ok(vmo_close(world.a, vmo));
    assert_int_equal(fake_live().mappings, 1); /* the unused writable one is gone */
    assert_pattern(vmo_view_data(world.a, view), 0, LEN);
    assert_ok(vmo_slice(world.a, view, RANGE(1, 2), &part));
    assert_refused_quietly(vmo_map_ro(world.a, vmo, RANGE(0, 1), &more), VMO_ERR_BAD_HANDLE);
    /* A new object in the same entry does not get the old object's mapping. */
    assert_ok(vmo_create(world.a, LEN, &other));
    assert_ok(vmo_map_ro(world.a, other, RANGE(0, 1), &more));
    assert_int_equal(vmo_view_data(world.a, more)[0], 0);
    assert_ok(vmo_unmap(world.a, view));
    assert_pattern(vmo_view_data(world.a, part), 1, 2);
    assert_ok(vmo_unmap(world.a, part)); /* the last view removes the mapping */
    assert_int_equal(fake_live().mappings, 1);
    assert_int_equal(fake_live().lost, 1);
}

/* Addresses that the kernel cannot unmap are counted once and never used for another object. */
static void addresses_abandoned(void **state)
{
    const vmo_t vmo = vmo_filled(LEN);
    vmo_view_t view = NO_VIEW;

    (void)state;
    assert_ok(vmo_map_ro(world.a, vmo, RANGE(0, PAGE), &view));
    assert_int_equal(counters_of(world.a).abandoned_bytes, 0);
    assert_ok(vmo_close(world.a, vmo));
    assert_int_equal(counters_of(world.a).abandoned_bytes, 4 * PAGE);
    assert_pattern(vmo_view_data(world.a, view), 0, PAGE);
    assert_ok(vmo_unmap(world.a, view));
    assert_int_equal(counters_of(world.a).abandoned_bytes, 5 * PAGE);
    assert_int_equal(fake_live().mappings, 2);
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, world_make, world_drop)
#define IN_SMALL_WORLD(test) cmocka_unit_test_setup_teardown(test, world_make_small, world_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(read_only_view),
        IN_SMALL_WORLD(read_only_view),
        IN_WORLD(writable_view),
        IN_WORLD(map_refused),
        IN_WORLD(received_read_only),
        IN_SMALL_WORLD(received_read_only),
        IN_WORLD(slices),
        IN_WORLD(slice_of_a_writable_view),
        IN_WORLD(slice_refused),
        IN_WORLD(unmap_twice),
        IN_WORLD(hits_and_misses),
        IN_WORLD(oldest_unused_is_evicted),
        IN_WORLD(table_of_mappings_full),
        IN_WORLD(fewer_regions_than_entries),
        IN_WORLD(kernel_full_evicts),
        IN_WORLD(keep_limits),
        IN_WORLD(keep_limits_apply_to_received),
        IN_SMALL_WORLD(keep_limits_unsupported),
        IN_WORLD(views_outlive_the_handle),
        IN_SMALL_WORLD(addresses_abandoned),
    };
    return cmocka_run_group_tests_name("unit/views", tests, NULL, NULL);
}
