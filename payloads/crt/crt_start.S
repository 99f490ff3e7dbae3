/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A task's entry point. In (K-11, K-12): sp two pages below the top of the stack, gp as chosen by the kernel,
 * every other register 0.
 */
	.section .text.entry, "ax"
	.globl	_start
_start:
	/* 1. Set gp for the linker's relaxations; the kernel's value may differ. */
	.option push
	.option norelax
	lla	gp, __global_pointer$
	.option pop
	/* 2. Point tp at the thread-local block, where picolibc keeps errno; the kernel leaves tp 0. */
	lla	tp, __tls_base
	/* 3. sp is 16-aligned as the psABI requires. Call main, then end the task. Live: a0 = status. */
	call	main
	call	task_finish
4:	j	4b
