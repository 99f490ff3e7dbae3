/* SPDX-License-Identifier: Apache-2.0 */
/* boot/core/usercopy.c: the checks of a range, and copies within the checked range. */
#include "core/usercopy.h"

#include "core/exit_code.h"
#include "core/kernel_rig.h"

#define ACROSS (U_BUF + PAGE - 3) /* from here on 8 bytes lie on two pages */

static struct user_range checked(uint64_t va, uint64_t len, uint32_t prot)
{
    struct user_range range;
    assert_true(user_range_check(rig_init(), va, len, prot, &range));
    return range;
}

static void a_copy_may_cross_pages(void **state)
{
    char bytes[8] = "";
    (void)state;
    rig_poke(rig_init(), ACROSS, "abcdefgh", 8);
    const struct user_range source = checked(ACROSS, 8, NX_PROT_READ);
    user_read(&source, 0, bytes, 8);
    assert_memory_equal(bytes, "abcdefgh", 8);
    user_read(&source, 2, bytes, 3);
    assert_memory_equal(bytes, "cdedefgh", 8);
    user_read(&source, 6, bytes, 2);
    assert_memory_equal(bytes, "ghedefgh", 8);

    const struct user_range target = checked(ACROSS, 8, NX_PROT_WRITE);
    user_write(&target, 1, "-----", 5);
    rig_peek(rig_init(), ACROSS, bytes, 8);
    assert_memory_equal(bytes, "a-----gh", 8);
}

static void an_empty_range_is_good_anywhere(void **state)
{
    (void)state;
    const struct user_range range = checked(U_NOWHERE, 0, NX_PROT_WRITE);
    user_write(&range, 0, "", 0);
}

static void an_access_the_task_lacks_makes_no_range(void **state)
{
    struct user_range range;
    (void)state;
    assert_false(user_range_check(rig_init(), 0, 1, NX_PROT_READ, &range));
    assert_false(user_range_check(rig_init(), NX_USER_TOP - 1, 2, NX_PROT_READ, &range));
    assert_false(user_range_check(rig_init(), U_BUF, UINT64_MAX, NX_PROT_READ, &range));
    assert_false(user_range_check(rig_init(), RIG_TEXT_VA, 1, NX_PROT_WRITE, &range));
    rig_hazard(NX_PID_INIT, 0, "K-64", "protected-pointer");
    assert_false(user_range_check(rig_init(), RIG_DATA_VA + RIG_DATA_BYTES - 1, 2, NX_PROT_READ, &range));
    rig_hazard(NX_PID_INIT, 0, "K-64", "unmapped-pointer");
}

static void read_too_far(void *ctx)
{
    char bytes[2];
    user_read(ctx, 7, bytes, 2);
}

static void write_what_may_be_read(void *ctx)
{
    user_write(ctx, 0, "x", 1);
}

static void read_what_may_be_written(void *ctx)
{
    char byte;
    user_read(ctx, 0, &byte, 1);
}

/* Defects of the kernel: they end the run. */
static void a_copy_outside_the_checked_range_panics(void **state)
{
    (void)state;
    struct user_range source = checked(ACROSS, 8, NX_PROT_READ), target = checked(ACROSS, 8, NX_PROT_WRITE);
    assert_int_equal(host_run(read_too_far, &source), EXIT_PANIC);
    assert_non_null(strstr(host_console(), "kernel: panic: copy outside the checked range 0x22004\n"));
    rig_boot_a2(NULL);
    assert_int_equal(host_run(write_what_may_be_read, &source), EXIT_PANIC);
    rig_boot_a2(NULL);
    assert_int_equal(host_run(read_what_may_be_written, &target), EXIT_PANIC);
    rig_forget();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_EACH(a_copy_may_cross_pages),
        ON_EACH(an_empty_range_is_good_anywhere),
        ON_EACH(an_access_the_task_lacks_makes_no_range),
        ON_A2(a_copy_outside_the_checked_range_panics),
    };
    return cmocka_run_group_tests_name("core/usercopy", tests, NULL, NULL);
}
