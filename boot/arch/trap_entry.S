/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only way into and out of user mode.
 *
 * sscratch holds the running task's frame while in U-mode, and 0 while in the kernel: that is how
 * the entry tells the two apart (RISC-V privileged specification, 4.1.6).
 */
#include "trap_offsets.h"

/*
 * Which registers are saved and loaded when. Each list serves both ways, so they cannot drift apart.
 * a0 (x10) is the last of its list, since it holds the frame while the others are loaded. sp (x2) is in
 * neither: the entry swaps it with sscratch.
 */
#define AT_EACH_TRAP 1, 3, 5, 6, 7, 8, 11, 12, 13, 14, 15, 16, 17, 28, 29, 30, 31, 10 /* C may overwrite; s0 */
#define AT_A_SWITCH 4, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27                      /* C preserves; tp */

/* op x, frame for each register of a list: op is sd or ld, \base holds the frame. */
.macro for_each op, base, registers:vararg
	.irp	n, \registers
	\op	x\n, FRAME_X(\n)(\base)
	.endr
.endm

/* x1 to x31 are in the lists once, but for sp. */
	.set	sum_of_bits, 1 << 2
	.irp	n, AT_EACH_TRAP, AT_A_SWITCH
	.set	sum_of_bits, sum_of_bits + (1 << \n)
	.endr
	.if	sum_of_bits - 0xfffffffe
	.error	"a register is missing from the lists of the trap entry, or stands twice"
	.endif

	.section .text
	.balign	4
	.globl	trap_entry
trap_entry:
	/* 1. sp <-> sscratch: sp = frame of the task, or 0 when the kernel itself trapped. */
	csrrw	sp, sscratch, sp
	beqz	sp, trap_in_kernel

	/* 2. Save what C code may overwrite, and s0 (x8) to keep the frame in. Live: sp = frame. x2 (sp) waits
	 * in sscratch. */
	for_each sd, sp, AT_EACH_TRAP

	/* 3. The two that the swap hid; sscratch = 0 from here on: we are in the kernel. */
	csrrw	t0, sscratch, zero
	sd	t0, FRAME_X(2)(sp)
	csrr	t1, sepc
	sd	t1, FRAME_PC(sp)
	mv	s0, sp

	/* 4. Kernel gp and stack; a0 = trap_user(cause) is the frame to resume. Live: s0 = frame. */
	.option push
	.option norelax
	la	gp, __global_pointer$
	.option pop
	csrr	a0, scause
	la	sp, kernel_stack_top
	call	trap_user
	beq	a0, s0, 6f

	/* 5. Another task: the callee-saved registers still belong to the old one; save them. If it has ended,
	 * its frame is free, and zeroed before reuse. Live: a0 = new frame, s0 = old frame. */
	for_each sd, s0, AT_A_SWITCH

	/* Resume a task whose page table is in place. Live: a0 = frame. */
trap_return:
	for_each ld, a0, AT_A_SWITCH

	/* 6. The rest, a0 last. Live: a0 = frame; tp and s1 to s11 are the task's. */
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

	/* The kernel itself trapped: a defect. sscratch holds the kernel's sp. A second trap on the way
	 * comes here again and reports itself; panic_stack_top is used by nobody else. */
trap_in_kernel:
	csrrw	sp, sscratch, zero
	la	sp, panic_stack_top
	csrr	a0, scause
	csrr	a1, sepc
	csrr	a2, stval
	j	trap_kernel
