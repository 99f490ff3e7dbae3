/* SPDX-License-Identifier: Apache-2.0 */
/* The peer's ELF file, embedded in init. */
	.section .rodata.hostile_peer_elf, "a"
	.balign	16
	.globl	hostile_peer_elf
hostile_peer_elf:
	.incbin "hostile_peer.elf"
1:
	.balign	8
	.globl	hostile_peer_elf_bytes
hostile_peer_elf_bytes:
	.dword	1b - hostile_peer_elf
