/* SPDX-License-Identifier: Apache-2.0 */
/* The embedded init ELF; foreign_init.ld places it. */
	.section .foreign_init, "a"
	.balign	4096
	.globl	foreign_init, foreign_init_end
foreign_init:
	.incbin "init.elf"
foreign_init_end:
