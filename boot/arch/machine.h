/* SPDX-License-Identifier: Apache-2.0 */
/* The machine interface that boot/init uses, in calling order. */
#ifndef ARCH_MACHINE_H
#define ARCH_MACHINE_H

#include <stddef.h>
#include <stdint.h>

/* Physical addresses of QEMU virt (hw/riscv/virt.c of QEMU 7.2; the device tree says the same). */
#define MACHINE_UART_PA 0x10000000
#define MACHINE_FINISHER_PA 0x100000
#define MACHINE_RAM_PA 0x80000000
#define MACHINE_KERNEL_END_PA 0x80400000 /* linker/kernel.ld's KERNEL_END */

/* Builds the kernel's page table over [MACHINE_RAM_PA, ram_end_pa) and enables Sv39. Returns the physical
 * address of the root table. Every address space shares its upper half.
 *
 *   0x00000000  user, two root entries (2 GiB), empty here
 *   0x80000000  the firmware: not mapped
 *   0x80200000  kernel text RX, rodata R, data RW, by 4 KiB; the page below each stack is not mapped
 *   0x80400000  the rest of RAM, RW, by 2 MiB; virtual = physical
 *   0xC0000000  UART, then the test finisher, one page each, RW
 */
uint64_t machine_map(uint64_t ram_end_pa);

/* Sets the status bits under which tasks run and enables the timer interrupt. entry.S sets the trap
 * vector. */
void machine_traps(void);

/* Resumes the task that kernel_next returns; does not return. In trap_entry.S. */
_Noreturn void machine_run(void);

/* Moves the devices to their mapped addresses; called by machine_map. */
void uart_relocate(uint64_t uart_va);
void finisher_relocate(uint64_t finisher_va);

/* SBI (specification 1.0, chapter 6): programs the timer in absolute 100 ns ticks. */
void sbi_timer(uint64_t ticks);

#endif
