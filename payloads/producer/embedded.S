/* SPDX-License-Identifier: Apache-2.0 */
/* The payload and the consumer's ELF file, as bytes; the run's folder comes first in the assembler's path. */
	.section .rodata.embedded, "a"
	.globl	embedded_payload
embedded_payload:
	.incbin "payload.bin"

	.balign	16
	.globl	consumer_elf
consumer_elf:
	.incbin "consumer.elf"
1:
	.balign	8
	.globl	consumer_elf_bytes
consumer_elf_bytes:
	.dword	1b - consumer_elf
