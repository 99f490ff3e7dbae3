/* SPDX-License-Identifier: Apache-2.0 */
/* The storm guard (K-03): at most 10,001 consecutive calls from one instruction. */
#include "core/kernel_rig.h"

#define HERE (RIG_TEXT_VA + 0x40)
#define THERE (RIG_TEXT_VA + 0x44)
#define LIMIT 10001

static int64_t call_at(struct task *task, uint64_t pc, uint64_t number)
{
    return rig_call_at(task, pc, number, (const uint64_t[6]){0});
}

static void ten_thousand_and_one(void **state)
{
    (void)state;
    struct task *init = rig_init();
    for (unsigned i = 0; i < LIMIT; i++) {
        assert_int_equal(call_at(init, HERE, NX_SYS_GETPID), init->pid);
    }
    assert_int_equal(call_at(init, HERE, NX_SYS_GETPID), -NX_EINVAL);
    rig_hazard(init->pid, NX_SYS_GETPID, "K-03", "storm");
    assert_int_equal(call_at(init, HERE, NX_SYS_GETPID), -NX_EINVAL);
}

static void refused_calls_are_not_executed(void **state)
{
    (void)state;
    struct task *init = rig_init();
    for (unsigned i = 0; i < LIMIT; i++) {
        assert_int_equal(call_at(init, HERE, 63), -NX_ENOSYS); /* unknown numbers count, too */
    }
    const uint64_t close[6] = {NX_SLOT_BOOTSTRAP};
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(rig_call_at(init, HERE, NX_SYS_CAP_CLOSE, close), -NX_EINVAL);
    }
    assert_non_null(cap_find(&init->caps, NX_SLOT_BOOTSTRAP));
    rig_hazard(init->pid, NX_SYS_CAP_CLOSE, "K-03", "storm"); /* once */
    assert_int_equal(call_at(init, THERE, NX_SYS_GETPID), init->pid);
    assert_int_equal(rig_call_at(init, HERE, NX_SYS_CAP_CLOSE, close), 0);
}

static void another_place_resets(void **state)
{
    (void)state;
    struct task *init = rig_init();
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < LIMIT; i++) {
            assert_int_equal(call_at(init, HERE, NX_SYS_GETPID), init->pid);
        }
        assert_int_equal(call_at(init, THERE, NX_SYS_GETPID), init->pid);
    }
    for (unsigned i = 0; i < 3 * LIMIT; i++) {
        assert_int_equal(call_at(init, i % 2 ? HERE : THERE, NX_SYS_GETPID), init->pid);
    }
}

/* The count is global: two tasks that yield from the same place share it. */
static void all_tasks_share_the_count(void **state)
{
    (void)state;
    struct task *init = rig_init(), *child = rig_child(init);
    rig_run(init);
    for (unsigned i = 0; i < LIMIT; i++) {
        struct task *runs = rig_current();
        assert_ptr_equal(runs, i % 2 ? child : init);
        assert_int_equal(call_at(runs, HERE, NX_SYS_YIELD), i % 2 ? init->pid : child->pid);
    }
    assert_ptr_equal(rig_current(), child);
    assert_int_equal(call_at(child, HERE, NX_SYS_YIELD), -NX_EINVAL);
    assert_ptr_equal(rig_current(), child); /* the yield was refused */
    rig_hazard(child->pid, NX_SYS_YIELD, "K-03", "storm");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_EACH(ten_thousand_and_one),
        ON_EACH(refused_calls_are_not_executed),
        ON_EACH(another_place_resets),
        ON_EACH(all_tasks_share_the_count),
    };
    return cmocka_run_group_tests_name("core/storm", tests, NULL, NULL);
}
