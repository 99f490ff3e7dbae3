/* SPDX-License-Identifier: Apache-2.0 */
/*
 * User pointers are not trusted. user_range_check validates a range once. Copies through the range that it
 * makes need no further check and cannot fail.
 */
#ifndef CORE_USERCOPY_H
#define CORE_USERCOPY_H

#include <stddef.h>

#include "core/task.h"

/* A validated range of a task's memory. Only user_range_check makes one. It is valid only during the call
 * that made it: while a task waits, its mappings can change. */
struct user_range {
    const struct aspace *space;
    uint64_t va, len;
    uint32_t prot;  /* NX_PROT_READ or NX_PROT_WRITE */
    uint8_t *first; /* the kernel's pointer to va; later pages are translated again */
};

/*
 * Validates [va, va + len) for an access by the task with these NX_PROT_* bits and fills *range. False if
 * the task cannot access it: the call then answers -22. The real kernels refuse NULL and addresses beyond
 * 0x80000000, too (K-21). They crash on a page that is not mapped for this access, so that is also recorded
 * as a hazard (K-64). An empty range is valid.
 */
bool user_range_check(const struct task *task, uint64_t va, uint64_t len, uint32_t prot,
                      struct user_range *range);

/* Copy n bytes out of the range, and into it, from `off` on. */
void user_read(const struct user_range *range, uint64_t off, void *dst, size_t n);
void user_write(const struct user_range *range, uint64_t off, const void *src, size_t n);

#endif
