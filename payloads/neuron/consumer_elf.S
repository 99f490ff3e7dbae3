/* SPDX-License-Identifier: Apache-2.0 */
/* The consumer's ELF file, embedded in the producer. */
	.section .rodata.consumer_elf, "a"
	.balign	16
	.globl	consumer_elf
consumer_elf:
	.incbin "consumer.elf"
1:
	.balign	8
	.globl	consumer_elf_bytes
consumer_elf_bytes:
	.dword	1b - consumer_elf
