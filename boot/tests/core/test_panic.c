/* SPDX-License-Identifier: Apache-2.0 */
/* boot/core/panic.c: the line it prints, its one hook, and a panic within a panic. */
#include "core/panic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "core/exit_code.h"
#include "core/port.h"
#include "core/port_host.h"

static unsigned hook_calls;

static void panics(void *ctx)
{
    (void)ctx;
    kernel_panic("a test", 0x1f0);
}

static void faults(void *ctx)
{
    (void)ctx;
    kernel_panic_fault("kernel load fault at pc", 0x80200010, 0x50000000);
}

static int reset(void **state)
{
    (void)state;
    host_reset();
    hook_calls = 0;
    panic_init(NULL);
    return 0;
}

static void finish_with_3(const struct panic *panic)
{
    hook_calls++;
    assert_string_equal(panic->why, "a test");
    assert_int_equal(panic->detail, 0x1f0);
    assert_false(panic->is_fault);
    port_finish(3);
}

static void panic_again(const struct panic *panic)
{
    (void)panic;
    hook_calls++;
    kernel_panic("a test", 1);
}

static void come_back(const struct panic *panic)
{
    (void)panic;
    hook_calls++;
}

static void without_a_hook_only_the_line_is_printed(void **state)
{
    (void)state;
    assert_int_equal(host_run(panics, NULL), EXIT_PANIC);
    assert_string_equal(host_console(), "kernel: panic: a test 0x1f0\n");
}

static void a_fault_says_where_and_at_which_address(void **state)
{
    (void)state;
    assert_int_equal(host_run(faults, NULL), EXIT_PANIC);
    assert_string_equal(host_console(), "kernel: panic: kernel load fault at pc 0x80200010 va=0x50000000\n");
}

static void the_hook_ends_the_run(void **state)
{
    (void)state;
    panic_init(finish_with_3);
    assert_int_equal(host_run(panics, NULL), 3);
    assert_int_equal(hook_calls, 1);
    assert_string_equal(host_console(), "");
}

static void a_panic_within_the_hook_finishes_at_once(void **state)
{
    (void)state;
    panic_init(panic_again);
    assert_int_equal(host_run(panics, NULL), EXIT_PANIC);
    assert_int_equal(hook_calls, 1);
    assert_string_equal(host_console(), "");
}

static void the_run_ends_after_a_hook_that_returns(void **state)
{
    (void)state;
    panic_init(come_back);
    assert_int_equal(host_run(panics, NULL), EXIT_PANIC);
    assert_int_equal(hook_calls, 1);
    assert_string_equal(host_console(), "kernel: panic: a test 0x1f0\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(without_a_hook_only_the_line_is_printed, reset),
        cmocka_unit_test_setup(a_fault_says_where_and_at_which_address, reset),
        cmocka_unit_test_setup(the_hook_ends_the_run, reset),
        cmocka_unit_test_setup(a_panic_within_the_hook_finishes_at_once, reset),
        cmocka_unit_test_setup(the_run_ends_after_a_hook_that_returns, reset),
    };
    return cmocka_run_group_tests_name("core/panic", tests, NULL, NULL);
}
