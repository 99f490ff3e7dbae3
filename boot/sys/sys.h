/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system calls, one room per family. A handler first decodes: every check, in the order that
 * docs/abi.md gives, each refusal leaving everything as it was. Then it performs, which cannot fail.
 * args[0..5] are a0..a5. The answer goes to a0, unless it is ANSWER_LATER: then the caller waits or
 * has ended, and its frame is no business of the dispatcher any more.
 */
#ifndef SYS_SYS_H
#define SYS_SYS_H

#include "core/ipc.h"
#include "core/task.h"
#include "nexus_abi.h"

typedef int64_t sys_handler(struct task *self, const uint64_t *args);

/* sys_time.c */
sys_handler sys_yield, sys_nsec, sys_getpid;

/* sys_console.c */
sys_handler sys_debug_putc, sys_debug_write;

/* sys_vmo.c */
sys_handler sys_vmo_create, sys_vmo_write, sys_vmo_read, sys_vmo_destroy, sys_vmo_share_ro;

/* sys_map.c */
sys_handler sys_map, sys_vm_map, sys_vm_unmap;

/* sys_as.c */
sys_handler sys_as_create, sys_as_map, sys_as_self;

/* sys_cap.c */
sys_handler sys_cap_transfer, sys_cap_transfer_to, sys_cap_close, sys_cap_clone, sys_cap_query;

/* sys_endpoint.c */
sys_handler sys_ep_create_old, sys_ep_create, sys_ep_create_for, sys_ep_close;

/* sys_ipc.c */
sys_handler sys_ipc_send, sys_ipc_recv, sys_ipc_recv_v2;

/* sys_exec.c */
sys_handler sys_exec, sys_exec_v2;

/* sys_task.c */
sys_handler sys_exit, sys_wait, sys_wait_nohang, sys_task_resume;

#endif
