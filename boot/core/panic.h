/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ends the run after a defect of the kernel. panic.c depends only on kprint and the port, so every part may
 * call it. The hook that core/shutdown sets prints the audit.
 */
#ifndef CORE_PANIC_H
#define CORE_PANIC_H

#include <stdbool.h>
#include <stdint.h>

#include "core/kprint.h"

struct panic {
    const char *why;
    uint64_t detail;
    bool is_fault; /* the kernel itself faulted: detail is the pc */
    uint64_t va;   /* the address of the fault */
};

/* Prints the panic and the audit, then finishes with EXIT_PANIC. */
typedef void panic_hook(const struct panic *panic);

/* Sets the hook (NULL: only the panic line is printed) and clears an earlier panic. */
void panic_init(panic_hook *hook);

/* Ends the run. A panic within a panic finishes at once. */
_Noreturn void kernel_panic(const char *why, uint64_t detail);

/* Likewise, for a fault in the kernel itself. */
_Noreturn void kernel_panic_fault(const char *why, uint64_t pc, uint64_t va);

/* Adds the text of a panic line: "kernel: panic: why 0x1f", and " va=0x1f" for a fault. */
void panic_describe(struct line *line, const struct panic *panic);

#endif
