/* SPDX-License-Identifier: Apache-2.0 */
/* int64_t evil_call(uint64_t number, const uint64_t args[6]): the only ecall of an evil init (K-03). */
	.section .text.evil_call, "ax"
	.globl	evil_call
evil_call:
	/* 1. In: a0 = number, a1 = args. Load a1 last. */
	mv	a7, a0
	ld	a0, 0(a1)
	ld	a2, 16(a1)
	ld	a3, 24(a1)
	ld	a4, 32(a1)
	ld	a5, 40(a1)
	ld	a1, 8(a1)
	/* 2. ABI revision a1 clobbers t0 to t2 (K-02), which are caller-saved. Out: a0 = answer. */
	ecall
	ret
