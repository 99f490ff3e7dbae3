/* SPDX-License-Identifier: Apache-2.0 */
/* Cases that each need a child of their own (K-12, K-52, K-57..K-63, K-11, K-22, K-28). */
#include "probe/probe.h"
#include "probe/probe_elf.h"

#define GP_AHEAD 0x800 /* K-12 */
#define NAME "probe-child"
#define FAULT_MARK 0x77
#define ANY_I32 0x80000000 /* negative as an i32 (K-63) */

static void is_pid(const char *id, const char *what, const struct child *child, int64_t pid)
{
    row_if(id, "wait", what, pid == child->pid && pid > NX_PID_INIT, "child-pid", pid);
}

static uint64_t writable_va(void)
{
    struct elf64_program_header segment = {0};
    for (unsigned i = 0; i < elf_segments(probe_child_elf) && (segment.flags & ELF64_W) == 0; i++) {
        segment = elf_segment(probe_child_elf, i);
    }
    return segment.vaddr;
}

void probe_child_names(void)
{
    struct child child;
    child_exec(&child, ORDER_HELLO, NAME, probe_child_elf);
    row_if("K-10.next-child", "exec_v2", "the next child", child.pid == NX_PID_INIT + 2, "pid-19", child.pid);
    child_run(&child);
    const int64_t gp = row_name("K-59.sender-v2", "sender id of a child by exec_v2", &child, NAME);
    row_if("K-12.default", "start", "gp of a child, argument 0", gp == (int64_t)(writable_va() + GP_AHEAD),
           "writable-segment", 0);
    const struct probe_answer answer = child_reap(&child, child_ended(&child), 0);
    is_pid("K-63.any", "any", &child, answer.a0);
    row_status("K-63.sign", "status of exit -5", answer.a1, CHILD_STATUS_NEGATIVE);
}

/* The child may block, because init keeps yielding (K-55, K-61). */
void probe_child_waits(void)
{
    const struct nx_ipc_hdr hdr = {.len = sizeof(uint64_t)};
    const uint64_t endpoint = new_endpoint(1), word = 0;
    struct nx_ipc_hdr in;
    struct child child;
    int64_t answers[2] = {0, 0};
    child_exec(&child, ORDER_BLOCK, NULL, probe_child_elf);
    child_give(&child, endpoint, NX_RIGHT_RECV);
    child_run(&child);
    let_others_run();
    (void)post(endpoint, &hdr, &word);
    let_others_run();
    (void)CALL(NX_SYS_EP_CLOSE, endpoint);
    (void)take_later(child.reply, &in, answers, sizeof(answers), NULL);
    row_len("K-52.blocking", "ipc_recv", "by a child that waits for a message", answers[0], sizeof(word));
    row("K-57.wakes", "ipc_recv", "by a child, when the endpoint is closed", answers[1]);
    const int64_t ended = child_ended(&child);
    ROW("K-63.self-32", "oneself, bit 32 of the pid set", NX_SYS_WAIT, BIT_32 | NX_PID_INIT);
    is_pid("K-63.any-negative", "any, as -1", &child, child_reap(&child, ended, -1).a0);
}

/* A child that ends by a fault. For the first one, the death watch and wait are cases as well; the others are
 * waited for as any child. */
static void row_fault(const char *id, const char *what, uint64_t order, uint64_t object, bool first)
{
    struct child child;
    child_exec(&child, order, NULL, probe_child_elf);
    child_give(&child, object, NX_RIGHT_MAP);
    child_run(&child);
    const int64_t ended = child_ended(&child);
    const struct probe_answer answer = child_reap(&child, ended, first ? child.pid : ANY_I32);
    if (first) {
        row("K-62.fault", "ipc_recv", "death watch of a child that faulted", ended);
        is_pid("K-60.wait", "a child that faulted", &child, answer.a0);
    }
    if (order == ORDER_GUARD) {
        is_pid("K-63.any-i32", "any, as 0x80000000", &child, answer.a0);
    }
    row_if(id, "fault", what, answer.a0 == child.pid && answer.a1 == NX_TASK_FAULT_STATUS, "status -22",
           answer.a0);
}

/* The page still contains the mark and zeros. */
static void row_unchanged(const char *id, uint64_t vmo)
{
    const uint8_t mark = FAULT_MARK;
    const volatile uint8_t *page = view(vmo, 0, false);
    row_if(id, "fault", "what it would have changed", shows(page, &mark, 1) && shows_zeros_from(page, 1),
           "same-bytes", 0);
    unview(page);
}

void probe_child_faults(void)
{
    const bool a1 = probe_is_a1();
    const uint64_t vmo = new_vmo(PAGE);
    const uint8_t mark = FAULT_MARK;
    (void)CALL(NX_SYS_VMO_WRITE, vmo, 0, at(&mark), 1);
    if (a1) {
        row_fault("K-22.read-store", "a store through a mapping without write", ORDER_STORE, vmo, true);
        row_unchanged("K-22.store-nothing", vmo);
    } else {
        const int64_t alias = CALL(NX_SYS_VMO_SHARE_RO, vmo);
        row_fault("K-28.store", "a store through an alias that was mapped with write", ORDER_STORE,
                  (uint64_t)alias, true);
        close_slots((uint64_t)alias, (uint64_t)alias);
        row_unchanged("K-28.store-nothing", vmo);
    }
    row_fault("K-11.guard", "a load from the page above the stack", ORDER_GUARD, vmo, false);
    if (a1) {
        row_fault("K-22.write-alone-load", "a load through write alone", ORDER_WRITE_ONLY, vmo, false);
        row_fault("K-22.no-user-load", "a load through a mapping without user", ORDER_NO_USER, vmo, false);
    }
    close_slots(vmo, vmo);
}
