/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the portable kernel core needs from the machine below it. boot/arch supplies these for
 * RISC-V under QEMU; boot/tests/core supplies them for the host, where "physical memory" is a buffer.
 */
#ifndef CORE_PORT_H
#define CORE_PORT_H

#include <stddef.h>
#include <stdint.h>

/* The kernel's pointer to a physical address. Valid for RAM that the boot list handed to the core. */
void *port_ptr(uint64_t pa);

#define NS_PER_TICK 100u /* the 10 MHz timer */
#define TICKS_PER_MS (1000000u / NS_PER_TICK)

/* Guest time in ticks. Never goes back. */
uint64_t port_ticks(void);

/* Retired instructions since some fixed moment; 0 where the machine does not count them. */
uint64_t port_instret(void);

/* Makes changes to page table entries visible to the next translation, for every address. */
void port_tlb_flush(void);

/* The root page table in use, and another one from now on. Before the core frees a root that is in use
 * it takes the kernel's own; whoever resumes a task sets that task's root. */
uint64_t port_root(void);
void port_use_root(uint64_t root_pa);

/* Makes instructions written through port_ptr visible to instruction fetch. */
void port_code_flush(void);

/* Writes bytes to the console as they are; a '\n' is sent as it is. Bounded by n. */
void port_console(const char *bytes, size_t n);

/* Ends the run with an exit code (docs/testing/audit.md). Does not return. */
_Noreturn void port_finish(unsigned code);

#endif
