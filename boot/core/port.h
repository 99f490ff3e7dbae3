/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine interface of the portable kernel core. boot/arch implements it for RISC-V under QEMU.
 * boot/tests/core implements it for the host, where "physical memory" is a buffer.
 */
#ifndef CORE_PORT_H
#define CORE_PORT_H

#include <stddef.h>
#include <stdint.h>

/* The kernel's pointer to a physical address. Valid for RAM that boot/init passed to the core. */
void *port_ptr(uint64_t pa);

#define NS_PER_TICK 100u /* the 10 MHz timer */
#define TICKS_PER_MS (1000000u / NS_PER_TICK)

/* Guest time in ticks. Never decreases. */
uint64_t port_ticks(void);

/* Retired instructions since a fixed moment; 0 if the machine does not count them. */
uint64_t port_instret(void);

/* Instructions that the task which trapped last has retired in user mode; 0 if the machine does not count
 * them. */
uint64_t port_user_instret(void);

/* Makes changes of page table entries visible to the next translation of any address. */
void port_tlb_flush(void);

/* Get and set the root page table in use. The core switches to the kernel's root before it frees the root in
 * use. The code that resumes a task sets that task's root. */
uint64_t port_root(void);
void port_use_root(uint64_t root_pa);

/* Makes instructions written through port_ptr visible to instruction fetch. */
void port_code_flush(void);

/* Writes n bytes to the console unchanged, '\n' included. */
void port_console(const char *bytes, size_t n);

/* Ends the run with an exit code (docs/testing/audit.md). Does not return. */
_Noreturn void port_finish(unsigned code);

#endif
