/* SPDX-License-Identifier: Apache-2.0 */
/*
 * First instructions of the kernel, in S-mode, paging off.
 *
 * In (SBI specification 1.0, "hart start"): a0 = hart id, a1 = physical address of the device tree.
 */
	.section .text.entry, "ax"
	.globl	_start
_start:
	/* 1. Mask all interrupts; sscratch = 0 marks the next trap as the kernel's own. Live: a0, a1. */
	csrw	sie, zero
	csrw	sscratch, zero

	/* 2. Set gp for the linker's relaxations and sp to the top of the kernel stack. Live: a0, a1. */
	.option push
	.option norelax
	la	gp, __global_pointer$
	.option pop
	la	sp, kernel_stack_top

	/* 3. Clear .bss, 8 bytes at a time; the linker script aligns both ends. Live: a0, a1, t0, t1. */
	la	t0, __bss_start
	la	t1, __bss_end
1:	bgeu	t0, t1, 2f
	sd	zero, 0(t0)
	addi	t0, t0, 8
	j	1b

	/* 4. Set the trap vector. The firmware leaves the address of _start in stvec. From here on a trap
	 * panics, because sscratch is 0. Live: a0, a1. */
2:	la	t0, trap_entry
	csrw	stvec, t0

	/* 5. boot_main(hart, device tree) does not return. */
	call	boot_main
3:	wfi
	j	3b
