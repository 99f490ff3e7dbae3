/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The face of the portable kernel towards boot/arch and boot/init: what a trap may ask of it.
 *
 *   trap entry (arch)  ->  kernel_syscall / kernel_fault / kernel_timer  ->  kernel_next
 *
 * The kernel is one stack deep and never preempted: each entry runs to its end, then kernel_next
 * names the register frame to resume. A call that must wait leaves its task blocked and is finished
 * by whoever wakes it.
 */
#ifndef CORE_KERNEL_H
#define CORE_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/config.h"
#include "core/trap_frame.h"

/* Physical memory that the boot list hands over. Page-aligned, disjoint, all reachable by port_ptr. */
struct kernel_memory {
    uint64_t frames_pa; /* kernel frames: page tables, images, messages */
    uint64_t frames_bytes;
    uint64_t arena_pa; /* the VMO arena; exactly config.arena_bytes are used */
    uint64_t arena_bytes;
    uint64_t kernel_root_pa; /* root page table whose upper half every address space shares */
};

enum kernel_fault { FAULT_LOAD, FAULT_STORE, FAULT_FETCH, FAULT_ILLEGAL, FAULT_BREAKPOINT, FAULT_OTHER };

/* Prepares every room. Panics when the memory does not suffice for the configuration. */
void kernel_init(const struct kernel_config *config, const struct kernel_memory *memory);

/* Loads the init ELF (K-10, K-12..K-14) from physical memory that stays valid during this call and
 * makes it the running task. Ends the run with "refused" when the ELF is not acceptable. */
void kernel_start(uint64_t elf_pa, uint64_t elf_bytes);

/* A fault of the running task at address va (0 where there is none). Kills that task alone. */
void kernel_fault(enum kernel_fault kind, uint64_t va);

/* The timer fired: deadlines, the watchdog and, on a2, the time slice. */
void kernel_timer(void);

/* The next task to run: its frame and root page table; NULL when every task is blocked. */
struct trap_frame *kernel_next(uint64_t *root_pa);

/* When the timer must fire next, in ticks. */
uint64_t kernel_next_event(void);

#endif
