/* SPDX-License-Identifier: Apache-2.0 */
/*
 * void cost_registers(number): makes the call with a known value in every register, and notes what each holds
 * after it. sp is one of them, so nothing is on the stack meanwhile.
 */
#include "cost/cost_call.h"

	/* All but zero and a0, which is the base of the stores and loads. */
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
	/* 1. What the caller is to find again; a0 = number is kept in the place of zero. */
	mv	t0, a0
	lla	a0, before
	sd	t0, 0(a0)
	each_register store
	/* 2. The call. Live: a7 = number, everything else as filled. */
	each_register fill
	lla	a0, before
	ld	a7, 0(a0)
	ecall
	/* 3. What it left, and the caller's own again. */
	lla	a0, cost_registers_after
	each_register store
	lla	a0, before
	each_register fetch
	ret
