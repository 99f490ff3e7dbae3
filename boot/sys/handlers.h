/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system calls, one room per family. A handler first decodes: every check, in the order that
 * docs/abi.md gives, each refusal leaving everything as it was. Then it performs, which cannot fail.
 * args[0..5] are a0..a5. The answer goes to a0, unless it is ANSWER_LATER: then the caller waits or
 * has ended, and its frame is no business of the dispatcher any more.
 */
#ifndef SYS_HANDLERS_H
#define SYS_HANDLERS_H

#include "core/ipc.h"
#include "core/task.h"
#include "nexus_abi.h"

typedef int64_t sys_handler(struct task *self, const uint64_t *args);

/* The handlers, one a row of calls.def: sys_<name>, in the file of its family. */
#define NX_CALL(number, constant, name, revisions, arguments) sys_handler sys_##name;
#include "calls.def"

#endif
