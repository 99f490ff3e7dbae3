/* SPDX-License-Identifier: Apache-2.0 */
/* Children on a2: VMOs still in use, preemption, and reuse of memory (K-16, K-17, K-29, K-63). */
#include "probe/probe.h"

#define ROUNDS 40

static void holds_a_region(void)
{
    const uint64_t vmo = new_vmo(PAGE);
    struct child child;
    child_exec(&child, ORDER_HOLD, NULL, probe_child_elf);
    child_give(&child, vmo, NX_RIGHT_MAP);
    ROW("K-29.suspended", "while a suspended child has a capability", NX_SYS_VMO_DESTROY, vmo);
    child_run(&child);
    (void)child_ended(&child);
    ROW("K-29.dead-region", "while a region of an ended child covers it", NX_SYS_VMO_DESTROY, vmo);
    const int64_t pid = CALL(NX_SYS_WAIT_NOHANG, 0);
    row_if("K-63.nohang", "wait_nohang", "an ended child", pid == child.pid && pid > NX_PID_INIT, "child-pid",
           pid);
    ROW("K-29.reaped", "once the child was waited for", NX_SYS_VMO_DESTROY, vmo);
    (void)CALL(NX_SYS_EP_CLOSE, child.reply);
    close_slots(vmo, child.watch);
}

static void spins(void)
{
    const uint64_t vmo = new_vmo(PAGE), word = 1;
    struct child child;
    child_exec(&child, ORDER_SPIN, NULL, probe_child_elf);
    child_give(&child, vmo, NX_RIGHT_MAP);
    child_run(&child);
    let_others_run();
    (void)CALL(NX_SYS_VMO_WRITE, vmo, 0, at(&word), sizeof(word));
    const struct probe_answer answer = child_reap(&child, child_ended(&child), child.pid);
    row_if("K-16.preempts", "task_resume", "a child that spins until its parent writes",
           answer.a0 == child.pid && answer.a1 == 0, "status 0", answer.a0);
    close_slots(vmo, vmo);
}

static void rounds(void)
{
    struct probe_answer answer = {0, 0};
    struct child child = {.pid = 0};
    unsigned count = 0;
    while (count < ROUNDS && answer.a0 == child.pid && answer.a1 == 0) {
        child_exec(&child, ORDER_EXIT, NULL, probe_child_elf);
        child_run(&child);
        answer = child_reap(&child, child_ended(&child), child.pid);
        count++;
    }
    row_if("K-17.rounds", "exec", "40 rounds of exec and wait", answer.a0 == child.pid && answer.a1 == 0,
           "40-rounds", answer.a0);
}

void probe_child_memory(void)
{
    holds_a_region();
    spins();
    rounds();
}
