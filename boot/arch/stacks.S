/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's two stacks, each above a page that machine_map leaves unmapped: a stack that overflows
 * faults there and ends in a panic.
 *
 *   panic_stack_guard    not mapped
 *                        the stack of a panic after the kernel itself has trapped
 *   kernel_stack_guard   not mapped (panic_stack_top)
 *                        the one stack of the kernel
 *   kernel_stack_top
 */
	.section .bss.stack, "aw", @nobits
	.balign	4096
	.globl	panic_stack_guard
panic_stack_guard:
	.space	4096
	.space	8192
	.globl	panic_stack_top
panic_stack_top:
	.globl	kernel_stack_guard
kernel_stack_guard:
	.space	4096
	.space	32768
	.globl	kernel_stack_top
kernel_stack_top:
