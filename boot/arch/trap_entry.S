/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only entry from user mode and the only return to it. In U-mode sscratch holds the frame of the running
 * task; in the kernel it holds 0. The entry uses it to tell a task's trap from the kernel's own (RISC-V
 * privileged specification, 4.1.6).
 */
#include "trap_offsets.h"

/*
 * The registers saved at each trap, and those saved only at a switch of tasks. Save and restore share one
 * list, so they cannot differ. a0 (x10) is the last of its list because it holds the frame while the others
 * are loaded. sp (x2) is in neither list because the entry swaps it with sscratch.
 */
#define AT_EACH_TRAP 1, 3, 5, 6, 7, 8, 11, 12, 13, 14, 15, 16, 17, 28, 29, 30, 31, 10 /* caller-saved; s0 */
#define AT_A_SWITCH 4, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27                      /* callee-saved; tp */

/* op x, frame for each register of a list: op is sd or ld, \base holds the frame. */
.macro for_each op, base, registers:vararg
	.irp	n, \registers
	\op	x\n, FRAME_X(\n)(\base)
	.endr
.endm

/* Each of x1 to x31 except sp is in exactly one list, once. */
	.set	sum_of_bits, 1 << 2
	.irp	n, AT_EACH_TRAP, AT_A_SWITCH
	.set	sum_of_bits, sum_of_bits + (1 << \n)
	.endr
	.if	sum_of_bits - 0xfffffffe
	.error	"a register is missing from the lists of the trap entry, or is in them twice"
	.endif

	.section .text
	.balign	4
	.globl	trap_entry
trap_entry:
	/* 1. sp <-> sscratch: sp = frame of the task, or 0 when the kernel itself trapped. */
	csrrw	sp, sscratch, sp
	beqz	sp, trap_in_kernel

	/* 2. Save the caller-saved registers and s0 (x8), which will hold the frame. Live: sp = frame. */
	for_each sd, sp, AT_EACH_TRAP

	/* 3. Save the task's sp and pc. sscratch = 0 from here on: the CPU is in the kernel. */
	csrrw	t0, sscratch, zero
	sd	t0, FRAME_X(2)(sp)
	csrr	t1, sepc
	sd	t1, FRAME_PC(sp)
	mv	s0, sp

	/* 4. Load the kernel's gp and sp. a0 = trap_user(cause, frame), the frame to resume. Live: s0 = frame. */
	.option push
	.option norelax
	la	gp, __global_pointer$
	.option pop
	csrr	a0, scause
	mv	a1, s0
	la	sp, kernel_stack_top
	call	trap_user
	beq	a0, s0, 6f

	/* 5. Switch tasks. The callee-saved registers still belong to the old task; save them. If that task has
	 * ended, its frame is free and is zeroed before reuse. Live: a0 = new frame, s0 = old frame. */
	for_each sd, s0, AT_A_SWITCH

	/* Resume a task whose page table is loaded. Live: a0 = frame. */
trap_return:
	for_each ld, a0, AT_A_SWITCH

	/* 6. Load the other registers, a0 last. Live: a0 = frame; tp and s1 to s11 hold the task's values. */
6:	ld	t0, FRAME_PC(a0)
	csrw	sepc, t0
	csrw	sscratch, a0
	ld	x2, FRAME_X(2)(a0)
	for_each ld, a0, AT_EACH_TRAP
	sret

	/* machine_run(): resumes the first task; does not return. Live: sp. */
	.globl	machine_run
machine_run:
	call	trap_next
	j	trap_return

	/* The kernel itself trapped: a defect. sscratch holds the kernel's sp. Only this path uses
	 * panic_stack_top. A second trap on the way comes here again and is reported. */
trap_in_kernel:
	csrrw	sp, sscratch, zero
	la	sp, panic_stack_top
	csrr	a0, scause
	csrr	a1, sepc
	csrr	a2, stval
	j	trap_kernel
