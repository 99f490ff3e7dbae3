/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The entry point of the probe and of its children. Unlike crt_start.S it first saves every register, because
 * the probe reports their initial values (K-11, K-12).
 */
	.section .text.entry, "ax"
	.globl	_start
_start:
	/* 1. Save x0 to x31 below the initial sp before anything changes them. */
	addi	sp, sp, -256
	sd	zero, 0(sp)
	sd	ra, 8(sp)
	sd	gp, 24(sp)
	sd	tp, 32(sp)
	.irp n, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	sd	x\n, 8 * \n(sp)
	.endr
	addi	t0, sp, 256
	sd	t0, 16(sp)
	/* 2. Set gp and tp for C code. */
	.option push
	.option norelax
	lla	gp, __global_pointer$
	.option pop
	lla	tp, __tls_base
	/* 3. Call probe_main(registers), which does not return. Live: a0. */
	mv	a0, sp
	call	probe_main
1:	j	1b
