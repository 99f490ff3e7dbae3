/* SPDX-License-Identifier: Apache-2.0 */
/* The puppets' ELF file, embedded in differ.elf. */
	.section .rodata.puppet_elf, "a"
	.balign	16
	.globl	puppet_elf
puppet_elf:
	.incbin "puppet.elf"
1:
	.balign	8
	.globl	puppet_elf_bytes
puppet_elf_bytes:
	.dword	1b - puppet_elf
