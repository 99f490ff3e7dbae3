/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hazards: an event that would crash a real kernel is handled safely here and recorded once. rig_down checks
 * after every test of every program that a run has no unexpected hazard. Hazards of one part are tested with
 * it: K-03, K-13, K-17, K-20, K-29, K-55, K-65. Here: faults, ends, pointers, consoles.
 */
#include <stdio.h>

#include "core/audit_tables.h"
#include "core/kernel_rig.h"

/* K-60, K-64: a page fault kills only the task; other traps are also hazards. */
static void faults(void **state)
{
    static const struct {
        enum kernel_fault kind;
        const char *name;
        bool is_hazard;
    } cases[] = {{FAULT_LOAD, "load", false},
                 {FAULT_STORE, "store", false},
                 {FAULT_FETCH, "fetch", false},
                 {FAULT_ILLEGAL, "illegal-instruction", true},
                 {FAULT_BREAKPOINT, "breakpoint", true},
                 {FAULT_OTHER, "other", true}};
    (void)state;
    struct task *init = rig_init();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char line[100];
        struct task *child = rig_child(init);
        const uint32_t pid = child->pid;
        host_console_forget();
        rig_fault(child, cases[i].kind, 0x7F0 + i);
        snprintf(line, sizeof(line), "kernel: pid=%u killed: %s fault va=0x7f%zx pc=0x10010\n", pid,
                 cases[i].name, i);
        assert_string_equal(host_console(), line);
        if (cases[i].is_hazard) {
            rig_hazard(pid, AUDIT_CALL_FAULT, "K-64", cases[i].name);
        }
        GIVES(pid, init, NX_SYS_WAIT, pid);
        assert_int_equal((int64_t)init->frame.x[REG_A1], -NX_EINVAL);
        assert_int_equal(audit.tasks[pid - 17].end, AUDIT_END_FAULT);
    }
}

/* K-60: neither revision wakes a parent that waits for a child that faults. This kernel does. */
static void a_parent_waits_for_a_child_that_faults(void **state)
{
    (void)state;
    struct task *init = rig_init(), *child = rig_child(init), *other = rig_child(init);
    GIVES(RIG_WAITS, init, NX_SYS_WAIT, child->pid);
    rig_fault(child, FAULT_LOAD, 0);
    rig_hazard(init->pid, NX_SYS_WAIT, "K-60", "waits-for-a-faulted-child");
    assert_int_equal(rig_answer(init), 18);
    assert_int_equal((int64_t)init->frame.x[REG_A1], -NX_EINVAL);
    assert_ptr_equal(rig_current(), other);
}

/* K-61: the last task that could run ends. */
static void ends_while_all_others_block(void **state)
{
    (void)state;
    struct task *init = rig_init(), *child = rig_child(init);
    const uint64_t ep = rig_endpoint(1);
    assert_int_equal(rig_recv(init, ep, 8, 0, 0), RIG_WAITS);
    rig_exit(child, 0);
    rig_hazard(child->pid, NX_SYS_EXIT, "K-61", "ends-while-all-others-block");
    assert_int_equal(rig_answer(init), -NX_EINVAL); /* a2 would hang */
}

/* A deadline does not help on a1; on a2 the kernel waits for it. */
static void ends_while_all_others_block_with_a_deadline(void **state)
{
    (void)state;
    struct task *init = rig_init(), *child = rig_child(init);
    assert_int_equal(rig_recv(init, 0, 8, 0, 5000), RIG_WAITS);
    rig_fault(child, FAULT_STORE, 0);
    if (rig_is_a1()) {
        rig_hazard(child->pid, AUDIT_CALL_FAULT, "K-61", "ends-while-all-others-block");
    }
    assert_null(rig_current());
    host_ticks = 50;
    kernel_timer();
    assert_int_equal(rig_answer(init), -NX_ETIMEDOUT);
}

/* Several tasks wait without a deadline: all are woken, with one hazard. */
static void every_wait_without_a_deadline_ends(void **state)
{
    (void)state;
    struct task *init = rig_init(), *a = rig_child(init), *b = rig_child(init);
    assert_int_equal(rig_recv(init, 0, 8, 0, 0), RIG_WAITS);
    assert_int_equal(rig_recv(a, 0, 8, 0, 0), RIG_WAITS);
    rig_exit(b, 0);
    rig_hazard(b->pid, NX_SYS_EXIT, "K-61", "ends-while-all-others-block");
    assert_int_equal(rig_answer(init), -NX_EINVAL);
    assert_int_equal(rig_answer(a), -NX_EINVAL);
}

/* The exception of K-61: a task blocked on an endpoint of the ended task is woken when the endpoint
 * closes. */
static void the_closing_endpoint_wakes(void **state)
{
    (void)state;
    struct task *init = rig_init(), *child = rig_child(init);
    const int64_t ep = CALL(init, NX_SYS_EP_CREATE_FOR, NX_SLOT_FACTORY, child->pid, 4);
    assert_int_equal(rig_recv(init, (uint64_t)ep, 8, 0, 0), RIG_WAITS);
    rig_exit(child, 0);
    assert_int_equal(rig_answer(init), -NX_ESRCH);
    assert_int_equal(audit.hazard_count.used, 0);
}

/* The other exception of K-61: the parent is blocked in wait for this child. */
static void a_parent_waits_for_the_last_child(void **state)
{
    (void)state;
    struct task *init = rig_init(), *child = rig_child(init);
    GIVES(RIG_WAITS, init, NX_SYS_WAIT, 0);
    rig_exit(child, 6);
    assert_int_equal(audit.hazard_count.used, 0);
    assert_int_equal(rig_answer(init), 18);
    assert_int_equal(init->frame.x[REG_A1], 6);
}

/* On a1 a child is ready at once, so a waiting parent always has a task to wait for. */
static void waits_alone(void **state)
{
    (void)state;
    struct task *init = rig_init();
    struct image elf;
    rig_make_elf(&elf);
    assert_int_equal(rig_exec_elf(init, &elf, sizeof(elf)), 18); /* suspended and never resumed */
    REFUSES(-NX_EINVAL, init, NX_SYS_WAIT, 18);
    rig_hazard(17, NX_SYS_WAIT, "K-55", "blocks-alone");
}

/* K-64: in every call that takes a pointer. */
static void bad_pointers(void **state)
{
    (void)state;
    struct task *init = rig_init();
    const struct {
        uint64_t number, args[6];
        bool is_of_a2;
    } cases[] = {{NX_SYS_VMO_WRITE, {2, 0, U_NOWHERE, 8}, false},
                 {NX_SYS_VMO_READ, {2, 0, U_NOWHERE, 8}, true},
                 {NX_SYS_EXEC, {U_NOWHERE, 100, 1, 0}, false},
                 {NX_SYS_EXEC_V2, {U_NOWHERE, 100, 1, 0, U_NAME, 4}, false},
                 {NX_SYS_EXEC_V2, {U_ELF, 100, 1, 0, U_NOWHERE, 4}, false},
                 {NX_SYS_IPC_SEND, {0, U_NOWHERE, U_BUF, 0}, false},
                 {NX_SYS_IPC_RECV, {0, U_NOWHERE, U_BUF, 0, NX_IPC_NONBLOCK}, false},
                 {NX_SYS_IPC_RECV, {0, U_HDR, U_NOWHERE, 8, NX_IPC_NONBLOCK}, false},
                 {NX_SYS_IPC_RECV_V2, {U_NOWHERE}, false},
                 {NX_SYS_CAP_QUERY, {2, U_NOWHERE}, true},
                 {NX_SYS_DEBUG_WRITE, {U_NOWHERE, 8}, true}};
    assert_int_equal(rig_vmo(init, PAGE), 2);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (cases[i].is_of_a2 && rig_is_a1()) {
            continue;
        }
        rig_refuses(-NX_EINVAL, __FILE__, __LINE__, init, cases[i].number, cases[i].args);
        rig_hazard(17, cases[i].number, "K-64", "unmapped-pointer");
    }
}

/* ---- The console (K-66) -------------------------------------------------------------------------- */

static void putc_prints_ascii(void **state)
{
    (void)state;
    struct task *init = rig_init();
    host_console_forget();
    GIVES('a', init, NX_SYS_DEBUG_PUTC, 'a');
    GIVES(0x80, init, NX_SYS_DEBUG_PUTC, 0x80);
    GIVES(0xFF, init, NX_SYS_DEBUG_PUTC, 0xFF);
    GIVES('b', init, NX_SYS_DEBUG_PUTC, 0x100 | 'b');
    assert_string_equal(host_console(), "ab");
}

static void writes(const char *text, size_t n, const char *printed)
{
    struct task *init = rig_init();
    rig_poke(init, U_BUF, text, n);
    host_console_forget();
    GIVES((int64_t)n, init, NX_SYS_DEBUG_WRITE, U_BUF, n);
    assert_string_equal(host_console(), printed);
}

#define GOOD(text) writes(text, sizeof(text) - 1, text)
#define MUTE(text) writes(text, sizeof(text) - 1, "")

static void write_prints_utf8_or_nothing(void **state)
{
    (void)state;
    GOOD("");
    GOOD("a line\n");
    GOOD("\xC2\x80 \xDF\xBF \xE0\xA0\x80 \xED\x9F\xBF \xEE\x80\x80 \xF0\x90\x80\x80 \xF4\x8F\xBF\xBF");
    MUTE("ok \x80");
    MUTE("\xC1\xBF");
    MUTE("\xC2");
    MUTE("\xC2 ");
    MUTE("\xE0\x9F\x80");
    MUTE("\xED\xA0\x80");
    MUTE("\xE1\x80");
    MUTE("\xE1\x80\x7F");
    MUTE("\xF0\x8F\xBF\xBF");
    MUTE("\xF4\x90\x80\x80");
    MUTE("\xF5\x80\x80\x80");
    MUTE("\xFF");
}

static void write_is_cut_at_1024(void **state)
{
    (void)state;
    struct task *init = rig_init();
    rig_fill(init, U_BUF, 'w', 1200);
    host_console_forget();
    GIVES(1024, init, NX_SYS_DEBUG_WRITE, U_BUF, 1200);
    assert_int_equal(strlen(host_console()), 1024);
    GIVES(1024, init, NX_SYS_DEBUG_WRITE, U_BUF, UINT64_MAX);
    REFUSES(-NX_EINVAL, init, NX_SYS_DEBUG_WRITE, 0, 1);
    GIVES(0, init, NX_SYS_DEBUG_WRITE, 0, 0);
    REFUSES(-NX_EINVAL, init, NX_SYS_DEBUG_WRITE, NX_USER_TOP - 1, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_EACH(faults),
        ON_EACH(a_parent_waits_for_a_child_that_faults),
        ON_EACH(ends_while_all_others_block),
        ON_EACH(ends_while_all_others_block_with_a_deadline),
        ON_EACH(every_wait_without_a_deadline_ends),
        ON_EACH(the_closing_endpoint_wakes),
        ON_EACH(a_parent_waits_for_the_last_child),
        ON_A2(waits_alone),
        ON_EACH(bad_pointers),
        ON_EACH(putc_prints_ascii),
        ON_A2(write_prints_utf8_or_nothing),
        ON_A2(write_is_cut_at_1024),
    };
    return cmocka_run_group_tests_name("core/hazards", tests, NULL, NULL);
}
