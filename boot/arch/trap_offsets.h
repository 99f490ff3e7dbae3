/* SPDX-License-Identifier: Apache-2.0 */
/* Offsets in struct trap_frame for trap_entry.S; trap.c asserts them. */
#ifndef ARCH_TRAP_OFFSETS_H
#define ARCH_TRAP_OFFSETS_H

#define FRAME_X(n) ((n)*8)
#define FRAME_PC (32 * 8)

#endif
