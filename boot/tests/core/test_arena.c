/* SPDX-License-Identifier: Apache-2.0 */
/* boot/core/arena.c (K-20): a1 never frees, a2 reuses freed ranges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/arena.h"
#include "core/mutate.h"
#include "core/panic.h"
#include "core/port.h"
#include "core/port_host.h"
#include "nexus_abi.h"

#define PAGE ((uint64_t)NX_PAGE_BYTES)
#define MIB (UINT64_C(1) << 20)
#define SMALL (16 * PAGE)

static uint64_t arena_pa;

static int fresh_host(void **state)
{
    (void)state;
    host_reset();
    panic_init(NULL);
    arena_pa = host_memory().arena_pa;
    return 0;
}

static bool holds(uint64_t pa, int byte, uint64_t n)
{
    const uint8_t *at = port_ptr(pa);
    for (uint64_t i = 0; i < n; i++) {
        if (at[i] != byte) {
            return false;
        }
    }
    return true;
}

/* Creates a VMO and checks that it is zeroed and has the next id. */
static uint64_t create(uint64_t bytes, uint32_t id)
{
    uint64_t pa = 0;
    uint32_t given = 0;
    assert_int_equal(arena_create(bytes, &pa, &given), ARENA_OK);
    assert_int_equal(given, id);
    assert_true(holds(pa, 0, bytes));
    memset(port_ptr(pa), 0x77, bytes);
    return pa;
}

static void is_refused(uint64_t bytes, enum arena_status status)
{
    const uint64_t used = arena_bytes_used(), vmos = arena_vmos_live();
    uint64_t pa = 0x1234;
    uint32_t id = 77;
    assert_int_equal(arena_create(bytes, &pa, &id), status);
    assert_int_equal(arena_take(bytes, &pa), status);
    assert_int_equal(pa, 0x1234);
    assert_int_equal(id, 77);
    assert_int_equal(arena_bytes_used(), used);
    assert_int_equal(arena_vmos_live(), vmos);
}

static void a1_bumps(void **state)
{
    (void)state;
    arena_init(true, arena_pa, SMALL);
    assert_int_equal(create(PAGE, 1), arena_pa);
    assert_int_equal(create(3 * PAGE, 2), arena_pa + PAGE);
    uint64_t taken;
    assert_int_equal(arena_take(2 * PAGE, &taken), ARENA_OK); /* an image: no VMO */
    assert_int_equal(taken, arena_pa + 4 * PAGE);
    assert_int_equal(arena_vmos_live(), 2);
    assert_int_equal(arena_bytes_used(), 6 * PAGE);
    is_refused(11 * PAGE, ARENA_FULL);
    is_refused(UINT64_MAX - PAGE + 1, ARENA_FULL);
    assert_int_equal(create(10 * PAGE, 3), arena_pa + 6 * PAGE); /* up to the last byte */
    assert_true(holds(arena_pa + SMALL, HOST_JUNK, PAGE));
    is_refused(PAGE, ARENA_FULL);
}

static void a1_maps_8_mib(void **state)
{
    (void)state;
    arena_init(true, arena_pa, HOST_ARENA_BYTES);
    is_refused(8 * MIB + PAGE, ARENA_UNMAPPED);
    (void)create(8 * MIB - PAGE, 1);
    is_refused(2 * PAGE, ARENA_UNMAPPED);
    is_refused(HOST_ARENA_BYTES, ARENA_FULL); /* no range is large enough: the real kernel refuses, too */
    (void)create(PAGE, 2);
    is_refused(PAGE, ARENA_UNMAPPED);
}

static void a2_takes_the_lowest_hole_that_fits(void **state)
{
    (void)state;
    arena_init(false, arena_pa, SMALL);
    const uint64_t a = create(4 * PAGE, 1), b = create(2 * PAGE, 2), c = create(4 * PAGE, 3);
    (void)create(6 * PAGE, 4);
    is_refused(PAGE, ARENA_FULL);
    arena_destroy(b);
    assert_int_equal(arena_vmos_live(), 3);
    assert_int_equal(arena_bytes_used(), 14 * PAGE);
    is_refused(3 * PAGE, ARENA_FULL);
    assert_int_equal(create(PAGE, 5), b); /* zeroed again, and a new id */
    arena_destroy(a);
    assert_int_equal(create(PAGE, 6), a);
    assert_int_equal(create(4 * PAGE - PAGE, 7), a + PAGE);
    arena_destroy(c);
    assert_int_equal(create(5 * PAGE, 8), b + PAGE); /* two adjacent holes have merged */
    is_refused(PAGE, ARENA_FULL);
    assert_int_equal(arena_bytes_used(), SMALL);
}

static void a2_limits_live_ranges(void **state)
{
    (void)state;
    arena_init(false, arena_pa, HOST_ARENA_BYTES);
    for (uint32_t i = 0; i < ARENA_RANGES_MAX; i++) {
        assert_int_equal(create(PAGE, i + 1), arena_pa + i * PAGE);
    }
    is_refused(PAGE, ARENA_FULL);
    arena_destroy(arena_pa + 5 * PAGE);
    assert_int_equal(create(PAGE, ARENA_RANGES_MAX + 1), arena_pa + 5 * PAGE);
}

/* The test records the owner of each page: no two ranges may share one. */
static void a2_random_use(void **state)
{
    enum { PAGES = 64, MAX = 9 };
    uint32_t owner[PAGES] = {0};
    uint64_t random = 0xA2E7A, used = 0;
    uint32_t id = 0;
    (void)state;
    arena_init(false, arena_pa, PAGES * PAGE);
    for (unsigned step = 0; step < MUTATIONS; step++) {
        const uint64_t at = mutate_next(&random) % PAGES, pages = mutate_next(&random) % MAX + 1;
        uint64_t pa;
        if (owner[at] != 0 && (at == 0 || owner[at - 1] != owner[at])) {
            arena_destroy(arena_pa + at * PAGE);
            for (uint64_t i = at, gone = owner[at]; i < PAGES && owner[i] == gone; i++, used--) {
                owner[i] = 0;
            }
        } else if (arena_create(pages * PAGE, &pa, &(uint32_t){0}) == ARENA_OK) {
            id++;
            for (uint64_t i = 0; i < pages; i++, used++) {
                assert_int_equal(owner[(pa - arena_pa) / PAGE + i], 0);
                owner[(pa - arena_pa) / PAGE + i] = id;
            }
            assert_true(holds(pa, 0, pages * PAGE));
            memset(port_ptr(pa), 0x77, pages * PAGE);
        }
        assert_int_equal(arena_bytes_used(), used * PAGE);
    }
    assert_true(id > 1000);
}

static void do_destroy(void *ctx)
{
    arena_destroy(*(const uint64_t *)ctx);
}

static void do_take(void *ctx)
{
    uint64_t pa;
    (void)arena_take(*(const uint64_t *)ctx, &pa);
}

static void panics(void (*body)(void *ctx), uint64_t value, const char *why)
{
    const uint64_t used = arena_bytes_used();
    host_console_forget();
    assert_int_equal(host_run(body, &value), EXIT_PANIC);
    assert_non_null(strstr(host_console(), why));
    assert_int_equal(arena_bytes_used(), used);
    panic_init(NULL);
}

static void bad_requests_panic(void **state)
{
    (void)state;
    arena_init(false, arena_pa, SMALL);
    const uint64_t pa = create(2 * PAGE, 1);
    panics(do_destroy, pa + PAGE, "is not live");
    panics(do_destroy, pa - PAGE, "is not live");
    panics(do_take, 0, "is not whole pages");
    panics(do_take, PAGE + 1, "is not whole pages");
    arena_destroy(pa);
    panics(do_destroy, pa, "is not live");
    arena_init(true, arena_pa, SMALL);
    panics(do_destroy, create(PAGE, 1), "is not live"); /* a1 never frees */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a1_bumps, fresh_host),
        cmocka_unit_test_setup(a1_maps_8_mib, fresh_host),
        cmocka_unit_test_setup(a2_takes_the_lowest_hole_that_fits, fresh_host),
        cmocka_unit_test_setup(a2_limits_live_ranges, fresh_host),
        cmocka_unit_test_setup(a2_random_use, fresh_host),
        cmocka_unit_test_setup(bad_requests_panic, fresh_host),
    };
    return cmocka_run_group_tests_name("core/arena", tests, NULL, NULL);
}
