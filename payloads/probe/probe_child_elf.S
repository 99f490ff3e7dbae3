/* SPDX-License-Identifier: Apache-2.0 */
/* The child's ELF file, embedded in the probe. */
	.section .rodata.probe_child_elf, "a"
	.balign	16
	.globl	probe_child_elf
probe_child_elf:
	.incbin "probe_child.elf"
1:
	.balign	8
	.globl	probe_child_elf_bytes
probe_child_elf_bytes:
	.dword	1b - probe_child_elf
