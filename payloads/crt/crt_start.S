/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A task's first instructions. In (K-11, K-12): sp two pages below the top of the stack, gp as the kernel
 * guessed it, everything else 0.
 */
	.section .text.entry, "ax"
	.globl	_start
_start:
	/* 1. gp for the linker's relaxations, whatever the kernel took for it. */
	.option push
	.option norelax
	lla	gp, __global_pointer$
	.option pop
	/* 2. tp at the thread's block: picolibc keeps errno there, and the kernel leaves tp 0. */
	lla	tp, __tls_base
	/* 3. The psABI wants sp 16-aligned; it is. main, then the end of the task. Live: a0 = status. */
	call	main
	call	task_finish
4:	j	4b
