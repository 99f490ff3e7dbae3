/* SPDX-License-Identifier: Apache-2.0 */
/* vmo_create, its limits, vmo_destroy and vmo_close (R1, R4, R8). */
#include "unit.h"

static void create_refused(void **state)
{
    vmo_t vmo = {7, 7};

    (void)state;
    assert_refused_quietly(vmo_create(NULL, 1, &vmo), VMO_ERR_INVALID);
    assert_refused_quietly(vmo_create(world.a, 1, NULL), VMO_ERR_INVALID);
    assert_refused_quietly(vmo_create(world.a, 0, &vmo), VMO_ERR_ZERO_LENGTH);
    const uint64_t most = fake_config()->object_bytes_max;
    assert_refused_quietly(vmo_create(world.a, most + 1, &vmo), VMO_ERR_TOO_LARGE);
    assert_refused_quietly(vmo_create(world.a, UINT64_MAX, &vmo), VMO_ERR_TOO_LARGE);
    assert_refused_quietly(vmo_create(world.a, UINT64_MAX - PAGE + 2, &vmo), VMO_ERR_TOO_LARGE);
    assert_int_equal(vmo.id, 7);
    assert_ok(vmo_create(world.a, most, &vmo));
    assert_ok(vmo_destroy(world.a, vmo));
}

/* The backend has no bound here: rounding up to pages must not wrap. */
static void create_refused_near_uint64_max(void **state)
{
    vmo_t vmo = {7, 7};

    (void)state;
    fake_reset();
    fake_config()->object_bytes_max = UINT64_MAX;
    world_remake(&world_limits);
    assert_refused_quietly(vmo_create(world.a, UINT64_MAX, &vmo), VMO_ERR_TOO_LARGE);
    assert_refused_quietly(vmo_create(world.a, UINT64_MAX - PAGE + 2, &vmo), VMO_ERR_TOO_LARGE);
    assert_refused(vmo_create(world.a, UINT64_MAX - PAGE + 1, &vmo), VMO_ERR_NO_MEMORY);
    assert_ok(vmo_create(world.a, PAGE, &vmo));
    assert_refused_quietly(vmo_create(world.a, UINT64_MAX - PAGE + 1, &vmo), VMO_ERR_QUOTA);
}

static void length_and_size(void **state)
{
    static const struct {
        uint64_t len, size;
    } rows[] = {{1, 4096}, {4095, 4096}, {4096, 4096}, {4097, 8192}, {8192, 8192}, {8193, 12288}};
    uint64_t len = 0, size = 0;
    uint32_t rights = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        vmo_t vmo = VMO_NONE;
        assert_ok(vmo_create(world.a, rows[i].len, &vmo));
        assert_ok(vmo_len(world.a, vmo, &len));
        assert_ok(vmo_size(world.a, vmo, &size));
        assert_ok(vmo_rights(world.a, vmo, &rights));
        assert_int_equal(len, rows[i].len);
        assert_int_equal(size, rows[i].size);
        assert_int_equal(rights, VMO_RIGHTS_ALL);
        assert_refused_quietly(vmo_len(world.a, vmo, NULL), VMO_ERR_INVALID);
        assert_refused_quietly(vmo_size(world.a, vmo, NULL), VMO_ERR_INVALID);
        assert_refused_quietly(vmo_rights(world.a, vmo, NULL), VMO_ERR_INVALID);
        assert_ok(vmo_destroy(world.a, vmo));
    }
}

static void limits_of_bytes(void **state)
{
    struct vmo_limits limits = world_limits;
    vmo_t first = VMO_NONE, second = {7, 7};

    (void)state;
    fake_reset();
    limits.object_bytes_max = 2 * PAGE - 1;
    limits.total_bytes_max = 3 * PAGE;
    world_remake(&limits);
    assert_refused_quietly(vmo_create(world.a, 2 * PAGE, &first), VMO_ERR_TOO_LARGE);
    assert_ok(vmo_create(world.a, 2 * PAGE - 1, &first));
    assert_refused_quietly(vmo_create(world.a, PAGE + 1, &second), VMO_ERR_QUOTA);
    assert_int_equal(second.id, 7);
    assert_ok(vmo_create(world.a, PAGE, &second));
    assert_refused_quietly(vmo_create(world.a, 1, &second), VMO_ERR_QUOTA);
    /* A closed or destroyed VMO no longer counts. */
    assert_ok(vmo_destroy(world.a, second));
    assert_ok(vmo_create(world.a, 1, &second));
    assert_ok(vmo_close(world.a, first));
    assert_ok(vmo_create(world.a, PAGE + 1, &first));
}

static void full_table_loses_nothing(void **state)
{
    vmo_t vmos[8];
    vmo_t more = {7, 7};
    uint64_t len = 0;

    (void)state;
    for (uint64_t i = 0; i < 8; i++) {
        assert_ok(vmo_create(world.a, i + 1, &vmos[i]));
    }
    assert_refused_quietly(vmo_create(world.a, 1, &more), VMO_ERR_TABLE_FULL);
    assert_int_equal(more.id, 7);
    for (uint64_t i = 0; i < 8; i++) {
        assert_ok(vmo_len(world.a, vmos[i], &len));
        assert_int_equal(len, i + 1);
    }
    assert_ok(vmo_destroy(world.a, vmos[3]));
    assert_ok(vmo_create(world.a, 99, &vmos[3]));
    assert_refused_quietly(vmo_create(world.a, 1, &more), VMO_ERR_TABLE_FULL);
    for (uint64_t i = 0; i < 8; i++) {
        assert_ok(vmo_destroy(world.a, vmos[i]));
    }
    assert_int_equal(fake_live().objects + fake_live().lost, 0);
}

static void kernel_tables_full(void **state)
{
    vmo_t vmo = {7, 7}, other = VMO_NONE;

    (void)state;
    fake_config()->arena_bytes = 2 * PAGE;
    assert_ok(vmo_create(world.a, PAGE + 1, &other));
    assert_refused(vmo_create(world.a, 1, &vmo), VMO_ERR_NO_MEMORY);
    fake_config()->arena_bytes = 64 * PAGE;
    fake_config()->slots = 5; /* bootstrap, three for the peer, one VMO */
    assert_refused(vmo_create(world.a, 1, &vmo), VMO_ERR_NO_SLOTS);
    assert_int_equal(vmo.id, 7);
    assert_ok(vmo_destroy(world.a, other));
    assert_ok(vmo_create(world.a, 1, &vmo));
}

static void destroy_and_close(void **state)
{
    vmo_t vmo = VMO_NONE;
    vmo_view_t view = NO_VIEW;
    const struct fake_live before = fake_live();

    (void)state;
    assert_ok(vmo_create(world.a, PAGE, &vmo));
    assert_ok(vmo_map_ro(world.a, vmo, RANGE(0, 1), &view));
    assert_refused_quietly(vmo_destroy(world.a, vmo), VMO_ERR_STILL_MAPPED);
    assert_ok(vmo_unmap(world.a, view));
    assert_int_equal(fake_live().mappings, before.mappings + 1); /* kept */
    assert_ok(vmo_destroy(world.a, vmo));
    const struct fake_live after = fake_live();
    assert_memory_equal(&after, &before, sizeof(after));
    /* Closing the last handle without vmo_destroy leaks the memory. */
    assert_ok(vmo_create(world.a, PAGE, &vmo));
    assert_ok(vmo_close(world.a, vmo));
    assert_refused_quietly(vmo_close(world.a, vmo), VMO_ERR_BAD_HANDLE);
    assert_int_equal(fake_live().lost, 1);
    assert_int_equal(fake_live().slots, before.slots);
}

static void destroy_unsupported(void **state)
{
    vmo_t vmo = VMO_NONE;

    (void)state;
    assert_ok(vmo_create(world.a, PAGE, &vmo));
    assert_refused(vmo_destroy(world.a, vmo), VMO_ERR_UNSUPPORTED);
    assert_ok(vmo_close(world.a, vmo));
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, world_make, world_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(create_refused),
        IN_WORLD(create_refused_near_uint64_max),
        IN_WORLD(length_and_size),
        IN_WORLD(limits_of_bytes),
        IN_WORLD(full_table_loses_nothing),
        IN_WORLD(kernel_tables_full),
        IN_WORLD(destroy_and_close),
        cmocka_unit_test_setup_teardown(destroy_unsupported, world_make_small, world_drop),
    };
    return cmocka_run_group_tests_name("unit/create", tests, NULL, NULL);
}
