/* SPDX-License-Identifier: Apache-2.0 */
/* Common steps of tests: children, capabilities, messages. */
#include "core/audit.h"
#include "core/kernel_rig.h"

#define STACK_PAGES 1

int64_t rig_exec_elf(struct task *parent, const void *elf, size_t n)
{
    rig_poke(parent, U_ELF, elf, n);
    return CALL(parent, NX_SYS_EXEC, U_ELF, n, STACK_PAGES, 0);
}

struct task *rig_child(struct task *parent)
{
    struct image elf;
    rig_make_elf(&elf);
    const int64_t pid = rig_exec_elf(parent, &elf, sizeof(elf));
    assert_true(pid > NX_PID_INIT);
    if (!rig_is_a1()) {
        GIVES(0, parent, NX_SYS_TASK_RESUME, (uint64_t)pid);
    }
    return task_find((uint64_t)pid);
}

void rig_exit(struct task *task, int status)
{
    GIVES(RIG_ENDED, task, NX_SYS_EXIT, (uint64_t)(int64_t)status);
}

void rig_fault(struct task *task, enum kernel_fault kind, uint64_t va)
{
    const uint32_t pid = task->pid;
    rig_run(task);
    kernel_fault(kind, va);
    assert_true(task->pid != pid || !task_is_live(task));
}

uint64_t rig_vmo(struct task *task, uint64_t bytes)
{
    const int64_t slot = CALL(task, NX_SYS_VMO_CREATE, ANY_SLOT, bytes);
    assert_true(slot >= 0);
    return (uint64_t)slot;
}

uint64_t rig_endpoint(uint64_t depth)
{
    const int64_t slot = CALL(rig_init(), NX_SYS_EP_CREATE, NX_SLOT_FACTORY, depth);
    assert_true(slot >= 0);
    return (uint64_t)slot;
}

uint64_t rig_give(uint64_t slot, const struct task *to, uint64_t rights)
{
    const int64_t at = CALL(rig_init(), NX_SYS_CAP_TRANSFER, to->pid, slot, rights);
    assert_true(at >= 0);
    return (uint64_t)at;
}

void rig_fill_slots(struct task *task)
{
    int64_t slot = 0;
    while (slot != -NX_ENOSPC) {
        slot = CALL(task, NX_SYS_CAP_CLONE, NX_SLOT_BOOTSTRAP);
        assert_true(slot >= 0 || slot == -NX_ENOSPC);
    }
}

int64_t rig_send(struct task *task, uint64_t slot, uint16_t type, uint64_t n, uint32_t move, uint64_t flags,
                 uint64_t deadline_ns)
{
    const bool moves = move != CAP_NO_SLOT;
    const struct nx_ipc_hdr hdr = {.src = moves ? move : 0,
                                   .dst = 0xDDDD,
                                   .type = type,
                                   .flags = moves ? NX_IPC_HDR_CAP_MOVE : 0,
                                   .len = (uint32_t)n};
    rig_poke(task, U_HDR, &hdr, sizeof(hdr));
    return CALL(task, NX_SYS_IPC_SEND, slot, U_HDR, U_BUF, n, flags, deadline_ns);
}

int64_t rig_recv(struct task *task, uint64_t slot, uint64_t max, uint64_t flags, uint64_t deadline_ns)
{
    return CALL(task, NX_SYS_IPC_RECV, slot, U_HDR, U_BUF, max, flags, deadline_ns);
}
