/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The library's only ecalls. The kernel refuses the 10,002nd ecall in a row from one address with -22
 * (K-03), so a loop over one library call would fail. Two alternating addresses avoid that.
 *
 * struct nx_result nx_call(a0, a1, a2, a3, a4, a5, number): the psABI passes number in a6 and returns the
 * result in a0 and a1. ABI revision a1 clobbers t0..t2 (K-02), which are caller-saved.
 */
	.section .bss.nx_turn, "aw", @nobits
	.balign	4
nx_turn:
	.space	4

	.section .text.nx_call, "ax"
	.globl	nx_call
nx_call:
	/* 1. Toggle the turn. Live: a0..a6. */
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
