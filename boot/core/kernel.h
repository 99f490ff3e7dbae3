/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interface of the portable kernel for boot/arch and boot/init.
 *
 *   trap entry (arch)  ->  kernel_syscall / kernel_fault / kernel_timer  ->  kernel_next
 *
 * The kernel has one stack and is never preempted: each entry runs to completion, then kernel_next returns
 * the register frame to resume. A call that must wait blocks its task; the waker finishes the call.
 */
#ifndef CORE_KERNEL_H
#define CORE_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/config.h"
#include "core/trap_frame.h"

/* The physical memory of the kernel. Page-aligned, disjoint, all reachable by port_ptr. */
struct kernel_memory {
    uint64_t frames_pa; /* kernel frames: page tables, images, messages */
    uint64_t frames_bytes;
    uint64_t arena_pa; /* the VMO arena; exactly config.arena_bytes are used */
    uint64_t arena_bytes;
    uint64_t kernel_root_pa; /* the kernel's root page table; every address space shares its upper half */
};

enum kernel_fault { FAULT_LOAD, FAULT_STORE, FAULT_FETCH, FAULT_ILLEGAL, FAULT_BREAKPOINT, FAULT_OTHER };

/* Initializes every part of the kernel. Panics if the memory is too small for the configuration. */
void kernel_init(const struct kernel_config *config, const struct kernel_memory *memory);

/* Loads the init ELF (K-10, K-12..K-14) and makes it the running task. The physical memory of the ELF must
 * stay valid during this call. Ends the run with "refused" if the ELF is not acceptable. */
void kernel_start(uint64_t elf_pa, uint64_t elf_bytes);

/* Handles a fault of the running task at address va (0 if there is none). Kills only that task. */
void kernel_fault(enum kernel_fault kind, uint64_t va);

/* Handles the timer interrupt: deadlines, the watchdog and, on a2, the time slice. */
void kernel_timer(void);

/* Returns the frame of the next task and sets *root_pa to its page table. NULL if every task is blocked. */
struct trap_frame *kernel_next(uint64_t *root_pa);

/* The tick at which the timer must fire next. */
uint64_t kernel_next_event(void);

#endif
