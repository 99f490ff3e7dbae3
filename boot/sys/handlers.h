/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system calls, one file for each family. A handler first decodes: it makes every check in the order of
 * docs/abi.md, and a refusal changes nothing. Then it performs, which cannot fail. args[0..5] are a0..a5.
 * The answer goes to a0, unless it is ANSWER_LATER: then the caller waits or has ended, and the dispatcher
 * must not write its frame.
 */
#ifndef SYS_HANDLERS_H
#define SYS_HANDLERS_H

#include "core/ipc.h"
#include "core/task.h"
#include "nexus_abi.h"

typedef int64_t sys_handler(struct task *self, const uint64_t *args);

/* One handler for each row of calls.def: sys_<name>, in the file of its family. */
#define NX_CALL(number, constant, name, revisions, arguments) sys_handler sys_##name;
#include "calls.def"

/* Whether one more region with the tables of this run can be made: 0 or -12. Where the real kernel would
 * panic for want of page tables, records the hazard (K-17). */
int64_t sys_check_room(const struct task *self, const struct aspace *space, uint64_t va, uint64_t bytes);

#endif
