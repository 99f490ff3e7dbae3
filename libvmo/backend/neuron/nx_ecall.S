/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The library's only system call instruction; there are two of it. The kernel answers -22 to the 10,002nd
 * ecall in a row from one address (K-03), so a caller's loop over one library call would be refused in the
 * end. Two addresses in turn never make a row.
 *
 * struct nx_result nx_call(a0, a1, a2, a3, a4, a5, number): the psABI puts number in a6 and takes the result
 * from a0 and a1. t0..t2, which a1 clobbers (K-02), belong to the caller of no function.
 */
	.section .bss.nx_turn, "aw", @nobits
	.balign	4
nx_turn:
	.space	4

	.section .text.nx_call, "ax"
	.globl	nx_call
nx_call:
	/* 1. The other turn. Live: a0..a6. */
	lla	t3, nx_turn
	lw	t4, 0(t3)
	xori	t4, t4, 1
	sw	t4, 0(t3)
	mv	a7, a6
	/* 2. One of two addresses. Live: a0..a5, a7, t4. */
	bnez	t4, 1f
	ecall
	ret
1:	ecall
	ret
