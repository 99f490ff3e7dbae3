/* SPDX-License-Identifier: Apache-2.0 */
#include "cost/cost_call.h"

	.section .text.cost_call, "ax"
	.globl	cost_call
cost_call:
	/* 1. Load the arguments. t3 to t5 survive a call on both revisions (K-02). Live: t3 = call. */
	mv	t3, a0
	ld	a7, COST_NUMBER(t3)
	ld	a0, COST_ARGS(t3)
	ld	a1, COST_ARGS+8(t3)
	ld	a2, COST_ARGS+16(t3)
	ld	a3, COST_ARGS+24(t3)
	ld	a4, COST_ARGS+32(t3)
	ld	a5, COST_ARGS+40(t3)
	/* 2. Make the call. Live: t3, t4 = begin, t5 = end. */
	rdinstret t4
	ecall
	rdinstret t5
	sd	a0, COST_ANSWER(t3)
	sd	t4, COST_BEGIN(t3)
	sd	t5, COST_END(t3)
	ret

	.section .text.cost_of_nothing, "ax"
	.globl	cost_of_nothing
cost_of_nothing:
	rdinstret t4
	rdinstret t5
	sub	a0, t5, t4
	ret
