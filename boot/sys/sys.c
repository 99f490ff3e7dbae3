/* SPDX-License-Identifier: Apache-2.0 */
/* The table of calls, and the way from an ecall to its handler (K-01..K-05). */
#include "sys/sys.h"

#include "core/audit.h"
#include "core/config.h"
#include "core/sched.h"
#include "core/storm.h"

/* The ages that have a call. */
#define ON_A1 1u
#define ON_A2 2u
#define ON_BOTH (ON_A1 | ON_A2)

/* K-02: what a1 leaves in t0, t1 and t2. Whoever relies on them is to notice. */
#define CLOBBER UINT64_MAX

static const struct call {
    unsigned ages; /* 0: out of scope (K-05) */
    sys_handler *handler;
} calls[NX_SYS_COUNT] = {
    [NX_SYS_YIELD] = {ON_BOTH, sys_yield},
    [NX_SYS_NSEC] = {ON_BOTH, sys_nsec},
    [NX_SYS_MAP] = {ON_A1, sys_map},
    [NX_SYS_VMO_CREATE] = {ON_BOTH, sys_vmo_create},
    [NX_SYS_VMO_WRITE] = {ON_BOTH, sys_vmo_write},
    [NX_SYS_CAP_TRANSFER] = {ON_BOTH, sys_cap_transfer},
    [NX_SYS_AS_CREATE] = {ON_BOTH, sys_as_create},
    [NX_SYS_AS_MAP] = {ON_BOTH, sys_as_map},
    [NX_SYS_EXIT] = {ON_BOTH, sys_exit},
    [NX_SYS_WAIT] = {ON_BOTH, sys_wait},
    [NX_SYS_EXEC] = {ON_BOTH, sys_exec},
    [NX_SYS_IPC_SEND] = {ON_BOTH, sys_ipc_send},
    [NX_SYS_DEBUG_PUTC] = {ON_BOTH, sys_debug_putc},
    [NX_SYS_EXEC_V2] = {ON_BOTH, sys_exec_v2},
    [NX_SYS_IPC_RECV] = {ON_BOTH, sys_ipc_recv},
    [NX_SYS_EP_CREATE_OLD] = {ON_BOTH, sys_ep_create_old},
    [NX_SYS_CAP_CLOSE] = {ON_BOTH, sys_cap_close},
    [NX_SYS_EP_CLOSE] = {ON_BOTH, sys_ep_close},
    [NX_SYS_EP_CREATE] = {ON_BOTH, sys_ep_create},
    [NX_SYS_EP_CREATE_FOR] = {ON_BOTH, sys_ep_create_for},
    [NX_SYS_CAP_CLONE] = {ON_BOTH, sys_cap_clone},
    [NX_SYS_GETPID] = {ON_BOTH, sys_getpid},
    [NX_SYS_IPC_RECV_V2] = {ON_BOTH, sys_ipc_recv_v2},
    [NX_SYS_CAP_QUERY] = {ON_A2, sys_cap_query},
    [NX_SYS_CAP_TRANSFER_TO] = {ON_A2, sys_cap_transfer_to},
    [NX_SYS_TASK_RESUME] = {ON_A2, sys_task_resume},
    [NX_SYS_DEBUG_WRITE] = {ON_A2, sys_debug_write},
    [NX_SYS_VMO_DESTROY] = {ON_A2, sys_vmo_destroy},
    [NX_SYS_VMO_READ] = {ON_A2, sys_vmo_read},
    [NX_SYS_AS_SELF] = {ON_A2, sys_as_self},
    [NX_SYS_VMO_SHARE_RO] = {ON_A2, sys_vmo_share_ro},
    [NX_SYS_WAIT_NOHANG] = {ON_A2, sys_wait_nohang},
    [NX_SYS_VM_MAP] = {ON_A2, sys_vm_map},
    [NX_SYS_VM_UNMAP] = {ON_A2, sys_vm_unmap},
};

/* What the calls of this boot are like. */
static struct {
    bool clobbers;
    sys_handler *handlers[NX_SYS_COUNT]; /* by number; sys_absent where there is none */
} boot;

static int64_t sys_absent(struct task *self, const uint64_t *args)
{
    (void)self;
    (void)args;
    return -NX_ENOSYS;
}

void kernel_calls_init(void)
{
    const unsigned age = config_is_a1() ? ON_A1 : ON_A2;
    boot.clobbers = config_is_a1();
    for (unsigned number = 0; number < NX_SYS_COUNT; number++) {
        const bool present = (calls[number].ages & age) != 0 && (the_config.without >> number & 1) == 0;
        boot.handlers[number] = present ? calls[number].handler : sys_absent;
    }
}

/* What the call answers, or ANSWER_LATER. */
static int64_t dispatch(struct task *self, uint64_t number, uint64_t pc)
{
    const enum storm_verdict verdict = storm_count(pc);
    if (verdict == STORM_BEGINS)
        audit_hazard(self->pid, number, "K-03", "storm");
    if (verdict != STORM_CALM)
        return -NX_EINVAL;
    if (number >= NX_SYS_COUNT)
        return -NX_ENOSYS;
    return boot.handlers[number](self, &self->frame.x[REG_A0]);
}

struct trap_frame *kernel_syscall(void)
{
    struct task *self = sched_trapped();
    const uint64_t number = self->frame.x[REG_A7];
    const uint64_t pc = self->frame.pc;
    self->frame.pc = pc + 4;
    self->last_call = number;
    if (number != NX_SYS_YIELD)
        self->yields = 0;
    if (boot.clobbers)
        self->frame.x[REG_T0] = self->frame.x[REG_T1] = self->frame.x[REG_T2] = CLOBBER;

    const int64_t answer = dispatch(self, number, pc);
    if (answer != ANSWER_LATER)
        self->frame.x[REG_A0] = (uint64_t)answer;
    return kernel_is_settled() ? &self->frame : NULL;
}
