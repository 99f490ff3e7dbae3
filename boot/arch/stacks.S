/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's two stacks. machine_map leaves the page below each unmapped, so a stack overflow faults and
 * ends in a panic.
 *
 *   panic_stack_guard    not mapped
 *                        the stack for traps in the kernel, which panic
 *   kernel_stack_guard   not mapped (panic_stack_top)
 *                        the stack of the kernel
 *   kernel_stack_top
 */
#include "nexus_abi.h"

	.section .bss.stack, "aw", @nobits
	.balign	NX_PAGE_BYTES
	.globl	panic_stack_guard
panic_stack_guard:
	.space	NX_PAGE_BYTES
	.space	2 * NX_PAGE_BYTES
	.globl	panic_stack_top
panic_stack_top:
	.globl	kernel_stack_guard
kernel_stack_guard:
	.space	NX_PAGE_BYTES
	.space	8 * NX_PAGE_BYTES
	.globl	kernel_stack_top
kernel_stack_top:
