/* SPDX-License-Identifier: Apache-2.0 */
/* boot/core/frames.c: allocation, release, and panics. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/frames.h"
#include "core/mutate.h"
#include "core/panic.h"
#include "core/port.h"
#include "core/port_host.h"
#include "nexus_abi.h"

#define PAGE ((uint64_t)NX_PAGE_BYTES)
#define POOL_FRAMES 200 /* spans several words of the bitmap */

static uint64_t pool_pa;

static int fresh_host(void **state)
{
    (void)state;
    host_reset();
    panic_init(NULL);
    pool_pa = host_memory().frames_pa;
    return 0;
}

static bool holds(uint64_t pa, int byte)
{
    const uint8_t *at = port_ptr(pa);
    for (size_t i = 0; i < PAGE; i++) {
        if (at[i] != byte) {
            return false;
        }
    }
    return true;
}

static void lowest_first_and_zeroed(void **state)
{
    (void)state;
    frames_init(pool_pa, POOL_FRAMES * PAGE);
    assert_int_equal(frames_in_use(), 0);
    assert_int_equal(frames_available(), POOL_FRAMES - 1); /* the bitmap uses one frame */
    for (uint64_t i = 1; i < POOL_FRAMES; i++) {
        const uint64_t pa = frames_alloc();
        assert_int_equal(pa, pool_pa + i * PAGE);
        assert_true(holds(pa, 0));
        assert_int_equal(frames_in_use(), i);
        assert_int_equal(frames_available(), POOL_FRAMES - 1 - i);
    }
    assert_int_equal(frames_alloc(), 0);
    assert_int_equal(frames_in_use(), POOL_FRAMES - 1);
}

static void a_freed_frame_is_junk_then_zeroed_again(void **state)
{
    (void)state;
    frames_init(pool_pa, POOL_FRAMES * PAGE);
    const uint64_t a = frames_alloc(), b = frames_alloc(), c = frames_alloc();
    memset(port_ptr(b), 0x77, PAGE);
    memset(port_ptr(c), 0x77, PAGE);
    frames_free(b);
    assert_true(holds(b, FRAMES_JUNK));
    assert_true(holds(a, 0) && holds(c, 0x77));
    assert_int_equal(frames_in_use(), 2);
    assert_int_equal(frames_alloc(), b);
    assert_true(holds(b, 0));
}

/* A raw frame keeps its old content. On free, only the bytes that were written become junk. */
static void a_raw_frame_is_as_it_was_left(void **state)
{
    (void)state;
    frames_init(pool_pa, POOL_FRAMES * PAGE);
    const uint64_t a = frames_alloc();
    memset(port_ptr(a), 0x77, PAGE);
    frames_free_used(a, 100);
    const uint8_t *at = port_ptr(a);
    assert_true(at[0] == FRAMES_JUNK && at[99] == FRAMES_JUNK && at[100] == 0x77);
    assert_int_equal(frames_alloc_raw(), a);
    assert_true(at[0] == FRAMES_JUNK && at[100] == 0x77);
    assert_int_equal(frames_in_use(), 1);
    frames_free_used(a, 2 * PAGE); /* a message may extend into other frames */
    assert_true(holds(a, FRAMES_JUNK));
    assert_int_equal(frames_in_use(), 0);
}

/* Sizes around a multiple of the bitmap's word size. */
static void every_size_gives_all_its_frames(void **state)
{
    static const uint64_t sizes[] = {2, 3, 63, 64, 65, 66, 127, 128, 129, 130};
    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        frames_init(pool_pa, sizes[i] * PAGE);
        uint64_t given = 0;
        for (uint64_t pa = frames_alloc(); pa != 0; pa = frames_alloc()) {
            given++;
            assert_int_equal(pa, pool_pa + given * PAGE);
        }
        assert_int_equal(given, sizes[i] - 1);
        assert_int_equal(frames_available(), 0);
    }
}

/* Against a model that knows the next frame at every step. */
static void random_use(void **state)
{
    bool taken[POOL_FRAMES] = {true};
    uint64_t random = 0x51DE, in_use = 0;
    (void)state;
    frames_init(pool_pa, POOL_FRAMES * PAGE);
    for (unsigned step = 0; step < MUTATIONS; step++) {
        const uint64_t at = mutate_next(&random) % (POOL_FRAMES - 1) + 1;
        if (taken[at]) {
            frames_free(pool_pa + at * PAGE);
            taken[at] = false;
            in_use--;
        } else {
            uint64_t lowest = 1;
            while (taken[lowest]) {
                lowest++;
            }
            assert_int_equal(frames_alloc(), pool_pa + lowest * PAGE);
            taken[lowest] = true;
            in_use++;
        }
        assert_int_equal(frames_in_use(), in_use);
    }
}

/* ---- Panics -------------------------------------------------------------------------------------- */

static void do_free(void *ctx)
{
    frames_free(*(const uint64_t *)ctx);
}

static void panics_to_free(uint64_t pa, const char *why)
{
    const uint64_t before = frames_in_use();
    host_console_forget();
    assert_int_equal(host_run(do_free, &pa), EXIT_PANIC);
    assert_non_null(strstr(host_console(), why));
    assert_int_equal(frames_in_use(), before);
    panic_init(NULL);
}

static void a_bad_free_panics(void **state)
{
    (void)state;
    frames_init(pool_pa, POOL_FRAMES * PAGE);
    const uint64_t first = frames_alloc(), second = frames_alloc();
    frames_free(first);
    panics_to_free(first, "freed twice");
    panics_to_free(pool_pa + (POOL_FRAMES - 1) * PAGE, "freed twice"); /* never allocated */
    panics_to_free(second + 8, "outside the pool");
    panics_to_free(pool_pa, "outside the pool"); /* the bitmap */
    panics_to_free(pool_pa - PAGE, "outside the pool");
    panics_to_free(pool_pa + POOL_FRAMES * PAGE, "outside the pool");
    panics_to_free(0, "outside the pool");
    frames_free(second);
    assert_int_equal(frames_in_use(), 0);
}

static void do_init(void *ctx)
{
    const uint64_t *range = ctx;
    frames_init(range[0], range[1]);
}

static void a_bad_pool_panics(void **state)
{
    const uint64_t ranges[][2] = {
        {pool_pa, PAGE}, {pool_pa, PAGE - 1}, {pool_pa, 0}, {pool_pa + 16, 9 * PAGE}, {0, 9 * PAGE}};
    (void)state;
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        uint64_t range[2] = {ranges[i][0], ranges[i][1]};
        host_console_forget();
        assert_int_equal(host_run(do_init, range), EXIT_PANIC);
        assert_non_null(strstr(host_console(), "kernel: panic: no room for kernel frames 0x"));
        assert_int_equal(frames_available(), 0);
        panic_init(NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(lowest_first_and_zeroed, fresh_host),
        cmocka_unit_test_setup(a_freed_frame_is_junk_then_zeroed_again, fresh_host),
        cmocka_unit_test_setup(a_raw_frame_is_as_it_was_left, fresh_host),
        cmocka_unit_test_setup(every_size_gives_all_its_frames, fresh_host),
        cmocka_unit_test_setup(random_use, fresh_host),
        cmocka_unit_test_setup(a_bad_free_panics, fresh_host),
        cmocka_unit_test_setup(a_bad_pool_panics, fresh_host),
    };
    return cmocka_run_group_tests_name("core/frames", tests, NULL, NULL);
}
