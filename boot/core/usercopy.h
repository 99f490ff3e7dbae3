/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A user range is only an allegation. user_check judges one; the copies that follow it go page by
 * page through the task's own tables to physical memory.
 */
#ifndef CORE_USERCOPY_H
#define CORE_USERCOPY_H

#include <stddef.h>

#include "core/task.h"

/*
 * Whether the task itself could access [va, va + len) with these NX_PROT_* bits; a call answers -22
 * when not. NULL and what reaches beyond 0x80000000 is refused by the real kernels, too (K-21); what
 * is not mapped so brings them down, and is recorded as a hazard (K-64). An empty range is good.
 */
bool user_check(const struct task *task, uint64_t va, uint64_t len, uint32_t prot);

/* Copies of ranges that user_check found good. False when a page of them is not. */
bool user_read(const struct task *task, uint64_t va, void *dst, size_t n);
bool user_write(const struct task *task, uint64_t va, const void *src, size_t n);

#endif
