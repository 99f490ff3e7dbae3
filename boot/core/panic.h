/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a kernel that found a defect of its own. A leaf, so that everything may call it: the audit
 * that a run ends with is printed by the one hook, which core/shutdown sets.
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
    uint64_t va;   /* the address that it faulted at */
};

/* Prints the panic and what else a run ends with, then finishes with EXIT_PANIC. */
typedef void panic_hook(const struct panic *panic);

/* Sets the hook (NULL: the panic line is all that is printed) and forgets an earlier panic. */
void panic_init(panic_hook *hook);

/* Ends the run. A panic within a panic finishes at once. */
_Noreturn void kernel_panic(const char *why, uint64_t detail);

/* The same for a fault of the kernel's own. */
_Noreturn void kernel_panic_fault(const char *why, uint64_t pc, uint64_t va);

/* Adds the text of a panic line: "kernel: panic: why 0x1f", for a fault " va=0x1f" as well. */
void panic_describe(struct line *line, const struct panic *panic);

#endif
