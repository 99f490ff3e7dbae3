/* SPDX-License-Identifier: Apache-2.0 */
#include "nexus_abi.h"

/*
 * void probe_regs(uint64_t area[35]): getpid with a pattern in each register (0x5A00 + its number; sp, gp and tp as
 * they are, a7 the call's number). After it area[n] is what register n holds, and area[32..34] what sp, gp and tp were.
 */
	.section .bss.probe_regs, "aw", @nobits
	.balign	8
kept:	.space	16

	.section .text.probe_regs, "ax"
	.globl	probe_regs
probe_regs:
	/* 1. What the caller relies on goes to the stack; sp and the area to where nothing but pc is needed to find them. */
	addi	sp, sp, -112
	sd	ra, 0(sp)
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
	sd	s\n, 8 * \n + 8(sp)
	.endr
	lla	t0, kept
	sd	sp, 0(t0)
	sd	a0, 8(t0)
	sd	sp, 256(a0)
	sd	gp, 264(a0)
	sd	tp, 272(a0)
	/* 2. The patterns and the call. Live: all. */
	.irp n, 1, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	li	x\n, 0x5A00 + \n
	.endr
	li	a7, NX_SYS_GETPID
	ecall
	/* 3. a0, the answer, is free. */
	lla	a0, kept
	ld	a0, 8(a0)
	.irp n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	sd	x\n, 8 * \n(a0)
	.endr
	/* 4. Back, whatever became of the registers. */
	ld	gp, 264(a0)
	ld	tp, 272(a0)
	lla	t0, kept
	ld	sp, 0(t0)
	ld	ra, 0(sp)
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
	ld	s\n, 8 * \n + 8(sp)
	.endr
	addi	sp, sp, 112
	ret
