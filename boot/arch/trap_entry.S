/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only way into and out of user mode.
 *
 * sscratch holds the running task's frame while in U-mode, and 0 while in the kernel: that is how
 * the entry tells the two apart (RISC-V privileged specification, 4.1.6).
 */
#include "trap_offsets.h"

	.section .text
	.balign	4
	.globl	trap_entry
trap_entry:
	/* 1. sp <-> sscratch: sp = frame of the task, or 0 when the kernel itself trapped. */
	csrrw	sp, sscratch, sp
	beqz	sp, trap_in_kernel

	/* 2. Save what C code may overwrite, and s0 (x8) to keep the frame in. Live: sp = frame. x2 (sp) waits
	 * in sscratch. */
	sd	x1, FRAME_X(1)(sp)
	sd	x3, FRAME_X(3)(sp)
	sd	x5, FRAME_X(5)(sp)
	sd	x6, FRAME_X(6)(sp)
	sd	x7, FRAME_X(7)(sp)
	sd	x8, FRAME_X(8)(sp)
	sd	x10, FRAME_X(10)(sp)
	sd	x11, FRAME_X(11)(sp)
	sd	x12, FRAME_X(12)(sp)
	sd	x13, FRAME_X(13)(sp)
	sd	x14, FRAME_X(14)(sp)
	sd	x15, FRAME_X(15)(sp)
	sd	x16, FRAME_X(16)(sp)
	sd	x17, FRAME_X(17)(sp)
	sd	x28, FRAME_X(28)(sp)
	sd	x29, FRAME_X(29)(sp)
	sd	x30, FRAME_X(30)(sp)
	sd	x31, FRAME_X(31)(sp)

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

	/* 5. Another task: what C code has kept is still the old one's. Where that one has ended, its frame is
	 * nobody's, and cleared before it is used again. Live: a0 = new frame, s0 = old frame. */
	sd	x4, FRAME_X(4)(s0)
	sd	x9, FRAME_X(9)(s0)
	sd	x18, FRAME_X(18)(s0)
	sd	x19, FRAME_X(19)(s0)
	sd	x20, FRAME_X(20)(s0)
	sd	x21, FRAME_X(21)(s0)
	sd	x22, FRAME_X(22)(s0)
	sd	x23, FRAME_X(23)(s0)
	sd	x24, FRAME_X(24)(s0)
	sd	x25, FRAME_X(25)(s0)
	sd	x26, FRAME_X(26)(s0)
	sd	x27, FRAME_X(27)(s0)

	/* trap_return(frame): resume a task. The page table is already its own. Live: a0 = frame. */
	.globl	trap_return
trap_return:
	ld	x4, FRAME_X(4)(a0)
	ld	x9, FRAME_X(9)(a0)
	ld	x18, FRAME_X(18)(a0)
	ld	x19, FRAME_X(19)(a0)
	ld	x20, FRAME_X(20)(a0)
	ld	x21, FRAME_X(21)(a0)
	ld	x22, FRAME_X(22)(a0)
	ld	x23, FRAME_X(23)(a0)
	ld	x24, FRAME_X(24)(a0)
	ld	x25, FRAME_X(25)(a0)
	ld	x26, FRAME_X(26)(a0)
	ld	x27, FRAME_X(27)(a0)

	/* 6. The rest, a0 last. Live: a0 = frame; tp and s1 to s11 are the task's. */
6:	ld	t0, FRAME_PC(a0)
	csrw	sepc, t0
	csrw	sscratch, a0
	ld	x1, FRAME_X(1)(a0)
	ld	x2, FRAME_X(2)(a0)
	ld	x3, FRAME_X(3)(a0)
	ld	x5, FRAME_X(5)(a0)
	ld	x6, FRAME_X(6)(a0)
	ld	x7, FRAME_X(7)(a0)
	ld	x8, FRAME_X(8)(a0)
	ld	x11, FRAME_X(11)(a0)
	ld	x12, FRAME_X(12)(a0)
	ld	x13, FRAME_X(13)(a0)
	ld	x14, FRAME_X(14)(a0)
	ld	x15, FRAME_X(15)(a0)
	ld	x16, FRAME_X(16)(a0)
	ld	x17, FRAME_X(17)(a0)
	ld	x28, FRAME_X(28)(a0)
	ld	x29, FRAME_X(29)(a0)
	ld	x30, FRAME_X(30)(a0)
	ld	x31, FRAME_X(31)(a0)
	ld	x10, FRAME_X(10)(a0)
	sret

	/* The kernel itself trapped: a defect. sscratch holds the kernel's sp. A second trap on the way
	 * comes here again and reports itself; panic_stack_top is used by nobody else. */
trap_in_kernel:
	csrrw	sp, sscratch, zero
	la	sp, panic_stack_top
	csrr	a0, scause
	csrr	a1, sepc
	csrr	a2, stval
	j	trap_kernel
