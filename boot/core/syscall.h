/* SPDX-License-Identifier: Apache-2.0 */
/* The system call interface: called by arch and init, implemented by sys/sys.c. */
#ifndef CORE_SYSCALL_H
#define CORE_SYSCALL_H

#include "core/trap_frame.h"

/* Builds the table of this boot's calls. Runs after kernel_init, which sets the configuration. */
void kernel_calls_init(void);

/* Handles an ecall of the running task, whose pc is at the ecall instruction. Returns the task's frame if it
 * continues; NULL if the caller must ask kernel_next and kernel_next_event. */
struct trap_frame *kernel_syscall(void);

#endif
