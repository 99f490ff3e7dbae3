/* SPDX-License-Identifier: Apache-2.0 */
/* Tasks: start, scheduling, end and wait (K-10..K-12, K-14, K-16, K-60..K-63). */
#include "core/audit_tables.h"
#include "core/frames.h"
#include "core/kernel_rig.h"
#include "core/port.h"
#include "core/sched.h"

/* K-10, K-11, K-14. */
static void init_starts(void **state)
{
    (void)state;
    const struct task *init = rig_init();
    assert_int_equal(init->pid, 17);
    assert_int_equal(init->frame.pc, 0x10010);
    for (unsigned i = 1; i < 32; i++) {
        const uint64_t value = i == REG_SP ? NX_USER_SP : i == REG_GP ? GP_VALUE : 0; /* tp is 0, too */
        assert_int_equal(init->frame.x[i], value);
    }
    for (uint64_t va = NX_USER_STACK_TOP - 27 * PAGE; va < NX_USER_STACK_TOP; va += PAGE) {
        assert_int_equal(rig_pte(init, va) & (PTE_R | PTE_W | PTE_X | PTE_U | PTE_A | PTE_D),
                         PTE_R | PTE_W | PTE_U);
    }
    assert_int_equal(rig_pte(init, NX_USER_STACK_TOP), 0); /* the guard page */
    assert_int_equal(rig_pte(init, NX_USER_STACK_TOP - 28 * PAGE), 0);
    assert_int_not_equal(host_code_flushes, 0);
}

static void a_child_starts(void **state)
{
    (void)state;
    struct task *init = rig_init();
    struct image elf;
    rig_make_elf(&elf);
    memset(elf.bytes, 0x5A, sizeof(elf.bytes));
    rig_poke(init, U_ELF, &elf, sizeof(elf));
    GIVES(18, init, NX_SYS_EXEC, U_ELF, sizeof(elf), 3, 0);
    GIVES(19, init, NX_SYS_EXEC, U_ELF, sizeof(elf), 1, 0x4242);
    const struct task *first = task_find(18), *second = task_find(19);
    assert_int_equal(first->parent, 17);
    assert_int_equal(first->frame.pc, 0x10010);
    assert_int_equal(first->frame.x[REG_SP], NX_USER_SP);
    assert_int_equal(first->frame.x[REG_GP], RIG_DATA_VA + 0x800); /* K-12: exec looks for no symbol */
    assert_int_equal(first->frame.x[REG_TP], 0);
    assert_int_equal(first->frame.x[REG_A0], 0);
    assert_int_equal(second->frame.x[REG_GP], 0x4242);
    assert_int_equal(rig_pte(first, NX_USER_STACK_TOP - 14 * PAGE) & PTE_V, PTE_V);
    assert_int_equal(rig_pte(first, NX_USER_STACK_TOP - 15 * PAGE), 0);
    assert_int_equal(rig_pte(first, NX_USER_STACK_TOP), 0);

    /* File bytes at their addresses and zeroes after them. The parent's pages are its own. */
    assert_true(rig_holds(first, RIG_TEXT_VA, 0x5A, 100) &&
                rig_holds(first, RIG_TEXT_VA + 100, 0, PAGE - 100));
    assert_true(rig_holds(first, RIG_DATA_VA, 0x5A, 156));
    assert_true(rig_holds(first, RIG_DATA_VA + 156, 0, RIG_DATA_BYTES - 156));
    assert_int_not_equal(rig_pa(first, RIG_DATA_VA), rig_pa(init, RIG_DATA_VA));
    assert_false(rig_store(first, RIG_TEXT_VA, "x", 1)); /* W^X */
    assert_true(rig_fetch(first, RIG_TEXT_VA) && !rig_fetch(first, RIG_DATA_VA));
}

/* K-16: on a1 at the parent's next yield, on a2 only when it is resumed. */
static void suspended_or_ready(void **state)
{
    (void)state;
    struct task *init = rig_init();
    struct image elf;
    rig_make_elf(&elf);
    const int64_t pid = rig_exec_elf(init, &elf, sizeof(elf));
    const struct task *child = task_find((uint64_t)pid);
    if (rig_is_a1()) {
        assert_int_equal(child->state, TASK_READY);
        REFUSES(-NX_ENOSYS, init, NX_SYS_TASK_RESUME, (uint64_t)pid);
        GIVES(pid, init, NX_SYS_YIELD, 0);
        assert_ptr_equal(rig_current(), child);
        return;
    }
    assert_int_equal(child->state, TASK_SUSPENDED);
    GIVES(17, init, NX_SYS_YIELD, 0); /* no other task can run */
    REFUSES(-NX_ESRCH, init, NX_SYS_TASK_RESUME, 99);
    REFUSES(-NX_ESRCH, init, NX_SYS_TASK_RESUME, 17);
    GIVES(0, init, NX_SYS_TASK_RESUME, UINT64_C(1) << 32 | (uint64_t)pid); /* K-40: 32 bits */
    REFUSES(-NX_ESRCH, init, NX_SYS_TASK_RESUME, (uint64_t)pid);
    GIVES(pid, init, NX_SYS_YIELD, 0);
    assert_ptr_equal(rig_current(), child);
}

static void names_and_numbers(void **state)
{
    (void)state;
    struct task *init = rig_init(), *child = rig_child(init);
    GIVES(17, init, NX_SYS_GETPID, 0);
    GIVES(18, child, NX_SYS_GETPID, 0);
    host_ticks = 12345;
    GIVES(1234500, child, NX_SYS_NSEC, 0);
}

/* K-04, K-05: every number that a revision lacks, and those around it. */
static void numbers_that_a_revision_lacks(void **state)
{
    static const uint8_t on_both[] = {0,  1,  5,  6,  8,  9,  10, 11, 12, 13, 14,
                                      16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26};
    static const uint8_t on_a2[] = {28, 31, 32, 44, 46, 47, 49, 51, 52, 53, 54};
    static const uint64_t beyond[] = {1u << 20, UINT64_C(1) << 32, UINT64_C(1) << 32 | 25, UINT64_MAX};
    bool has[128] = {false};
    (void)state;
    for (size_t i = 0; i < sizeof(on_both); i++) {
        has[on_both[i]] = true;
    }
    for (size_t i = 0; i < sizeof(on_a2); i++) {
        has[on_a2[i]] = !rig_is_a1();
    }
    has[4] = rig_is_a1();
    for (uint64_t number = 0; number < 128; number++) {
        if (!has[number]) {
            REFUSES(-NX_ENOSYS, rig_init(), number, 0);
        }
    }
    for (size_t i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++) {
        REFUSES(-NX_ENOSYS, rig_init(), beyond[i], 0);
    }
}

/* K-01: errors are these numbers, negated. The rig reads them from a0. */
static void errors_are_negative_numbers(void **state)
{
    (void)state;
    struct task *init = rig_init();
    REFUSES(-1, init, NX_SYS_CAP_CLOSE, 99);
    REFUSES(-10, init, NX_SYS_WAIT, 0);
    REFUSES(-11, init, NX_SYS_IPC_RECV, 0, U_HDR, U_BUF, 0, NX_IPC_NONBLOCK);
    REFUSES(-22, init, NX_SYS_EP_CREATE, NX_SLOT_FACTORY, 0);
    REFUSES(-38, init, 63, 0);
    host_ticks = 5;
    REFUSES(-110, init, NX_SYS_IPC_RECV, 0, U_HDR, U_BUF, 0, 0, 1);
    (void)rig_child(init);
    REFUSES(-3, init, NX_SYS_WAIT, 99);
    rig_fill_slots(init);
    REFUSES(-28, init, NX_SYS_CAP_CLONE, 0);
}

static void calls_can_be_switched_off(void **state)
{
    (void)state;
    struct kernel_config config = rig_config(REVISION_A2);
    config.without = UINT64_C(1) << NX_SYS_VMO_SHARE_RO | UINT64_C(1) << 0;
    rig_boot(&config);
    REFUSES(-NX_ENOSYS, rig_init(), NX_SYS_VMO_SHARE_RO, 0);
    REFUSES(-NX_ENOSYS, rig_init(), NX_SYS_YIELD, 0);
    assert_int_equal(rig_vmo(rig_init(), PAGE), 2);
}

/* ---- Scheduling
 * ------------------------------------------------------------------------------------------ */

static void a2_preempts_and_a1_does_not(void **state)
{
    (void)state;
    struct task *init = rig_init(), *child = rig_child(init);
    rig_run(init);
    host_ticks = SCHED_TICK_TICKS - 1;
    kernel_timer();
    assert_ptr_equal(rig_current(), init);
    assert_int_equal(kernel_next_event(), rig_is_a1() ? 40000000 : SCHED_TICK_TICKS);
    host_ticks = SCHED_TICK_TICKS;
    kernel_timer();
    assert_ptr_equal(rig_current(), rig_is_a1() ? init : child);
    assert_int_equal(kernel_next_event(), rig_is_a1() ? 40000000 : 2 * SCHED_TICK_TICKS);
    host_ticks = 5 * SCHED_TICK_TICKS + 3; /* missed ticks are skipped */
    kernel_timer();
    assert_ptr_equal(rig_current(), init);
    assert_int_equal(kernel_next_event(), rig_is_a1() ? 40000000 : 6 * SCHED_TICK_TICKS);
}

/* ---- Ends ---------------------------------------------------------------------------------------- */

static void statuses_are_sign_extended(void **state)
{
    static const struct {
        uint64_t given;
        int64_t seen;
    } cases[] = {{0, 0},          {7, 7}, {UINT64_MAX, -1}, {0xFFFFFFFE, -2}, {0x80000000, INT32_MIN},
                 {0x500000007, 7}};
    (void)state;
    struct task *init = rig_init();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct task *child = rig_child(init);
        const uint32_t pid = child->pid;
        GIVES(RIG_ENDED, child, NX_SYS_EXIT, cases[i].given);
        GIVES(pid, init, NX_SYS_WAIT, UINT64_C(1) << 32 | (uint64_t)pid); /* 32 bits count */
        assert_int_equal((int64_t)init->frame.x[REG_A1], cases[i].seen);
        assert_null(task_find(pid));
    }
}

/* K-63, in its order. On a2 every frame of a child is freed. */
static void wait_and_reap(void **state)
{
    (void)state;
    struct task *init = rig_init();
    const uint64_t frames = frames_in_use();
    REFUSES(-NX_ECHILD, init, NX_SYS_WAIT, 0);
    REFUSES(-NX_ECHILD, init, NX_SYS_WAIT, 17);
    struct task *first = rig_child(init), *second = rig_child(init), *grandchild = rig_child(second);
    const uint32_t pids[] = {first->pid, second->pid, grandchild->pid};
    REFUSES(-NX_EINVAL, init, NX_SYS_WAIT, 17);
    REFUSES(-NX_ESRCH, init, NX_SYS_WAIT, 99);
    REFUSES(-NX_ESRCH, init, NX_SYS_WAIT, pids[2]);
    REFUSES(-NX_ECHILD, first, NX_SYS_WAIT, pids[1]);

    rig_fault(grandchild, FAULT_STORE, 0x123);
    GIVES(pids[2], second, NX_SYS_WAIT, 0x80000000); /* negative as an i32: any */
    assert_int_equal((int64_t)second->frame.x[REG_A1], NX_TASK_FAULT_STATUS);
    REFUSES(-NX_ECHILD, second, NX_SYS_WAIT, 0);

    rig_exit(second, 4);
    rig_exit(first, 3);
    GIVES(pids[0], init, NX_SYS_WAIT, 0); /* the lowest pid of the ended children */
    assert_int_equal(init->frame.x[REG_A1], 3);
    GIVES(pids[1], init, NX_SYS_WAIT, pids[1]);
    assert_int_equal(init->frame.x[REG_A1], 4);
    REFUSES(-NX_ECHILD, init, NX_SYS_WAIT, pids[1]);
    assert_int_equal(frames_in_use(), frames);
    assert_null(task_find(pids[1]));
    assert_int_equal(audit.tasks[1].reaped, true);
}

static void wait_nohang(void **state)
{
    (void)state;
    struct task *init = rig_init();
    GIVES(0, init, NX_SYS_WAIT_NOHANG, 0);
    assert_int_equal(init->frame.x[REG_A1], 0);
    struct task *child = rig_child(init);
    const uint32_t pid = child->pid;
    GIVES(0, init, NX_SYS_WAIT_NOHANG, 0);
    rig_exit(child, -5);
    GIVES(pid, init, NX_SYS_WAIT_NOHANG, 0);
    assert_int_equal((int64_t)init->frame.x[REG_A1], -5);
    GIVES(0, init, NX_SYS_WAIT_NOHANG, 0);
    assert_int_equal(init->frame.x[REG_A1], 0);
}

static void a_blocked_parent_gets_its_child(void **state)
{
    (void)state;
    struct task *init = rig_init(), *first = rig_child(init), *second = rig_child(init),
                *third = rig_child(init);
    const uint32_t pids[] = {first->pid, second->pid};
    GIVES(RIG_WAITS, init, NX_SYS_WAIT, pids[1]);
    rig_exit(first, 1); /* not the child that the parent waits for */
    assert_int_equal(init->state, TASK_BLOCKED);
    assert_int_equal(first->state, TASK_ZOMBIE);
    rig_exit(second, 2);
    assert_int_equal(rig_answer(init), pids[1]);
    assert_int_equal(init->frame.x[REG_A1], 2);
    assert_null(task_find(pids[1]));
    GIVES(pids[0], init, NX_SYS_WAIT, 0);
    GIVES(RIG_WAITS, init, NX_SYS_WAIT, 0); /* any */
    const uint32_t last = third->pid;
    struct task *other = rig_child(third);
    assert_int_equal(other->parent, last);
    rig_exit(third, 9);
    assert_int_equal(rig_answer(init), last);
}

/* 300 rounds of exec and wait (K-17): each frees everything, and pids count up. */
static void three_hundred_children(void **state)
{
    (void)state;
    struct task *init = rig_init();
    const uint64_t frames = frames_in_use();
    for (uint32_t i = 0; i < 300; i++) {
        struct task *child = rig_child(init);
        assert_int_equal(child->pid, 18 + i);
        rig_exit(child, 0);
        GIVES(18 + i, init, NX_SYS_WAIT, 0);
        assert_int_equal(frames_in_use(), frames);
    }
}

static void the_task_table_is_full(void **state)
{
    (void)state;
    struct task *init = rig_init();
    struct image elf;
    rig_make_elf(&elf);
    for (uint32_t i = 1; i < TASKS_MAX; i++) {
        assert_int_equal(rig_exec_elf(init, &elf, sizeof(elf)), 17 + i);
    }
    REFUSES(-NX_ENOMEM, init, NX_SYS_EXEC, U_ELF, sizeof(elf), 1, 0);
    assert_int_equal(audit.hazard_count.used, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_EACH(init_starts),
        ON_EACH(a_child_starts),
        ON_EACH(suspended_or_ready),
        ON_EACH(names_and_numbers),
        ON_EACH(numbers_that_a_revision_lacks),
        ON_EACH(errors_are_negative_numbers),
        BOOTS(calls_can_be_switched_off),
        ON_EACH(a2_preempts_and_a1_does_not),
        ON_EACH(statuses_are_sign_extended),
        ON_EACH(wait_and_reap),
        ON_A2(wait_nohang),
        ON_EACH(a_blocked_parent_gets_its_child),
        ON_A2(three_hundred_children),
        ON_A2(the_task_table_is_full),
    };
    return cmocka_run_group_tests_name("core/task", tests, NULL, NULL);
}
