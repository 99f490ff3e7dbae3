/* SPDX-License-Identifier: Apache-2.0 */
/* Dispatches traps by cause and resumes the next task. */
#include <stddef.h>

#include "arch/csr.h"
#include "arch/machine.h"
#include "arch/trap_offsets.h"
#include "core/kernel.h"
#include "core/panic.h"
#include "core/port.h"
#include "core/syscall.h"

_Static_assert(offsetof(struct trap_frame, x[31]) == FRAME_X(31), "trap_entry.S: x31");
_Static_assert(offsetof(struct trap_frame, pc) == FRAME_PC, "trap_entry.S: pc");

struct trap_frame *trap_user(uint64_t cause, struct trap_frame *frame);
struct trap_frame *trap_next(void);
_Noreturn void trap_kernel(uint64_t cause, uint64_t pc, uint64_t tval);

static uint64_t armed_ticks; /* the tick that the timer is set to; 0: set it again */

void machine_traps(void)
{
    /* Tasks run in U-mode with the timer interrupt on; floating point and SUM stay off. */
    CSR_CLEAR(sstatus, SSTATUS_SIE | SSTATUS_SPP | SSTATUS_FS | SSTATUS_SUM);
    CSR_WRITE(scounteren, SCOUNTEREN_ALL);
    CSR_WRITE(sie, SIE_STIE);
}

static void arm_timer(void)
{
    const uint64_t event = kernel_next_event();
    if (event != armed_ticks) {
        sbi_timer(event);
        armed_ticks = event;
    }
}

static void on_timer(void)
{
    armed_ticks = 0; /* the interrupt stays pending until the timer is set again */
    kernel_timer();
}

/* Instructions retired when a task was resumed last, and the count of the task that trapped last. The counts
 * include the trap path outside trap_user, some 70 instructions a trap. */
static uint64_t resumed_instret, user_instret;

uint64_t port_user_instret(void)
{
    return user_instret;
}

/* Picks the next task, loads its page table, sets the timer and returns its frame. */
struct trap_frame *trap_next(void)
{
    uint64_t root_pa = 0;
    struct trap_frame *frame = kernel_next(&root_pa);
    while (frame == NULL) { /* every task waits: sleep until a deadline or the watchdog */
        arm_timer();
        __asm__ volatile("wfi");
        on_timer();
        frame = kernel_next(&root_pa);
    }
    arm_timer();
    port_use_root(root_pa);
    CSR_READ(instret, resumed_instret);
    return frame;
}

static enum kernel_fault fault_kind(uint64_t cause)
{
    switch (cause) {
    case SCAUSE_LOAD_PAGE:
    case SCAUSE_LOAD_FAULT:
        return FAULT_LOAD;
    case SCAUSE_STORE_PAGE:
    case SCAUSE_STORE_FAULT:
        return FAULT_STORE;
    case SCAUSE_FETCH_PAGE:
    case SCAUSE_FETCH_FAULT:
        return FAULT_FETCH;
    case SCAUSE_ILLEGAL:
        return FAULT_ILLEGAL;
    case SCAUSE_BREAKPOINT:
        return FAULT_BREAKPOINT;
    default:
        return FAULT_OTHER;
    }
}

static void on_fault(uint64_t cause)
{
    uint64_t va;
    if (cause & SCAUSE_INTERRUPT) {
        kernel_panic("unexpected interrupt", cause);
    }
    CSR_READ(stval, va);
    kernel_fault(fault_kind(cause), va);
}

/* Handles a trap from a task and returns the frame to resume. */
struct trap_frame *trap_user(uint64_t cause, struct trap_frame *frame)
{
    uint64_t now;
    CSR_READ(instret, now);
    user_instret = frame->user_instret += now - resumed_instret;
    if (cause == SCAUSE_ECALL_U) {
        struct trap_frame *same = kernel_syscall();
        if (same != NULL) {
            CSR_READ(instret, resumed_instret);
            return same;
        }
    } else if (cause == SCAUSE_TIMER) {
        on_timer();
    } else {
        on_fault(cause);
    }
    return trap_next();
}

_Noreturn void trap_kernel(uint64_t cause, uint64_t pc, uint64_t tval)
{
    switch (cause) {
    case SCAUSE_LOAD_PAGE:
    case SCAUSE_LOAD_FAULT:
        kernel_panic_fault("kernel load fault at pc", pc, tval);
    case SCAUSE_STORE_PAGE:
    case SCAUSE_STORE_FAULT:
        kernel_panic_fault("kernel store fault at pc", pc, tval);
    case SCAUSE_FETCH_PAGE:
    case SCAUSE_FETCH_FAULT:
        kernel_panic_fault("kernel fetch fault at pc", pc, tval);
    default:
        kernel_panic("unexpected trap in the kernel at pc", pc);
    }
}
