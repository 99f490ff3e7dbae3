/* SPDX-License-Identifier: Apache-2.0 */
/* The peer's ELF file, embedded in the suite. */
	.section .rodata.conf_peer_elf, "a"
	.balign	16
	.globl	conf_peer_elf
conf_peer_elf:
	.incbin "conf_peer.elf"
1:
	.balign	8
	.globl	conf_peer_elf_bytes
conf_peer_elf_bytes:
	.dword	1b - conf_peer_elf
