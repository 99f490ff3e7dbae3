/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The children's programs. evil_make_elf copies one of them, CHILD_CODE_BYTES long, into an ELF file. So a
 * program starts with its first instruction and uses no address except its stack (K-11).
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
	.word	0x00007053	/* fadd.s f0, f0, f0; the assembler's ISA has no F */

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

	/* These three use the address that evil_kernel_memory.c writes to CHILD_ADDRESS_AT. */
CHILD child_loads
	auipc	t0, 0
	ld	t0, 56(t0)
	ld	a0, 0(t0)

CHILD child_stores
	auipc	t0, 0
	ld	t0, 56(t0)
	sd	a0, 0(t0)

CHILD child_jumps
	auipc	t0, 0
	ld	t0, 56(t0)
	jr	t0
	.balign 64
