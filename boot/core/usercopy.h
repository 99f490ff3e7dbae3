/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pointer from a task is only an allegation. user_range_check judges it once; the range that it makes is
 * copied through without another look, and cannot fail.
 */
#ifndef CORE_USERCOPY_H
#define CORE_USERCOPY_H

#include <stddef.h>

#include "core/task.h"

/* Memory that the task itself may access so. Made by user_range_check alone, and good for the call in which
 * it was made: a task that waits can have changed its mappings when it is woken. */
struct user_range {
    const struct aspace *space;
    uint64_t va, len;
    uint32_t prot;  /* NX_PROT_READ or NX_PROT_WRITE */
    uint8_t *first; /* the kernel's pointer to va; what lies on later pages is looked up again */
};

/*
 * Makes *range when the task could access [va, va + len) with these NX_PROT_* bits; a call answers -22
 * when not. NULL and what reaches beyond 0x80000000 is refused by the real kernels, too (K-21); what
 * is not mapped so brings them down, and is recorded as a hazard (K-64). An empty range is good.
 */
bool user_range_check(const struct task *task, uint64_t va, uint64_t len, uint32_t prot,
                      struct user_range *range);

/* Copies n bytes out of the range from `off` on, and into it. */
void user_read(const struct user_range *range, uint64_t off, void *dst, size_t n);
void user_write(const struct user_range *range, uint64_t off, const void *src, size_t n);

#endif
