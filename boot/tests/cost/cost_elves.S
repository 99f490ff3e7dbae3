/* SPDX-License-Identifier: Apache-2.0 */
/* The programs embedded in init. */
	.macro	program name, file
	.balign	16
	.globl	\name
\name:
	.incbin	"\file"
1:
	.balign	8
	.globl	\name\()_bytes
\name\()_bytes:
	.dword	1b - \name
	.endm

	.section .rodata.cost_elves, "a"
	program	cost_peer_elf, "cost_peer.elf"
	program	cost_child_elf, "cost_child.elf"
	program	cost_stream_peer_elf, "cost_stream_peer.elf"
