/* SPDX-License-Identifier: Apache-2.0 */
/* The way from a trap to the system calls: called by arch and init, implemented by sys/sys.c. */
#ifndef CORE_SYSCALL_H
#define CORE_SYSCALL_H

#include "core/trap_frame.h"

/* Settles which calls this boot has; after kernel_init, which takes the configuration. */
void kernel_calls_init(void);

/* An ecall of the running task; the frame still points at the ecall instruction. Gives that frame when
 * the task simply goes on; NULL when kernel_next and kernel_next_event must be asked. */
struct trap_frame *kernel_syscall(void);

#endif
