/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs of children. Each is copied, whole and alone, into an ELF file of its own, so it names no address but
 * its stack's (K-11): CHILD_CODE_BYTES of evil.h each, the first instruction first.
 */
#include "nexus_abi.h"

	.macro CHILD name
	.balign 64
	.globl	\name
\name:
	.endm

	.section .rodata.children, "a"

CHILD child_exits
	li	a0, 7
	li	a7, NX_SYS_EXIT
	ecall

CHILD child_faults
	ld	a0, 0(zero)

CHILD child_is_illegal
	unimp

CHILD child_floats
	.word	0x00007053	/* fadd.s f0, f0, f0, which this assembler is not to know */

CHILD child_breaks
	ebreak

CHILD child_is_misaligned
	addi	a0, sp, 2
	amoadd.w zero, zero, (a0)

	/* Waits for an empty message on the bootstrap endpoint, then exits. */
CHILD child_receives
	li	a0, NX_SLOT_BOOTSTRAP
	mv	a1, sp
	mv	a2, sp
	li	a3, 0
	li	a4, 0
	li	a5, 0
	li	a7, NX_SYS_IPC_RECV
	ecall
	li	a0, 7
	li	a7, NX_SYS_EXIT
	ecall

CHILD child_spins
	j	child_spins
	.balign 64
