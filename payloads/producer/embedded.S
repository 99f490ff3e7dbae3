/* SPDX-License-Identifier: Apache-2.0 */
/* The payload's bytes from this run's folder; empty when the payload is generated. */
	.section .rodata.embedded, "a"
	.globl	embedded_payload
embedded_payload:
	.incbin "payload.bin"

#ifdef __linux__
	.section .note.GNU-stack, "", %progbits
#endif
