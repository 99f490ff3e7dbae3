/* SPDX-License-Identifier: Apache-2.0 */
/*
 * void cost_registers(number): makes the call with a known value in every register and stores each register
 * after it. sp has such a value, too, so the stack is unusable meanwhile.
 */
#include "cost/cost_call.h"

	/* All registers except zero and a0, the base of the stores and loads. */
	.macro	each_register what
	.irp	r, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	\what	\r
	.endr
	.endm
	.macro	store r
	sd	x\r, 8*\r(a0)
	.endm
	.macro	fetch r
	ld	x\r, 8*\r(a0)
	.endm
	.macro	fill r
	li	x\r, COST_REGISTER + \r
	.endm

	.section .bss.cost_registers, "aw", @nobits
	.balign	8
before:
	.space	32*8
	.globl	cost_registers_after
cost_registers_after:
	.space	32*8

	.section .text.cost_registers, "ax"
	.globl	cost_registers
cost_registers:
	/* 1. Save the caller's registers, and a0 = number in the place of x0. */
	mv	t0, a0
	lla	a0, before
	sd	t0, 0(a0)
	each_register store
	/* 2. Fill the registers and make the call. Live: a7 = number, the others as filled. */
	each_register fill
	lla	a0, before
	ld	a7, 0(a0)
	ecall
	/* 3. Store the registers and restore the caller's. */
	lla	a0, cost_registers_after
	each_register store
	lla	a0, before
	each_register fetch
	ret
