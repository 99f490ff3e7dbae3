/* SPDX-License-Identifier: Apache-2.0 */
#include "core/usercopy.h"

#include <string.h>

#include "core/audit.h"
#include "core/checked.h"
#include "core/port.h"

bool user_check(const struct task *task, uint64_t va, uint64_t len, uint32_t prot)
{
    uint64_t end;
    if (len == 0)
        return true;
    if (va == 0 || !checked_add(va, len, &end) || end > NX_USER_TOP)
        return false;
    for (uint64_t page = page_round_down(va); page < end; page += PAGE_BYTES) {
        uint64_t pa;
        if (aspace_translate(task->space, page, prot, &pa))
            continue;
        const bool is_mapped = !aspace_is_free(task->space, page, PAGE_BYTES);
        audit_hazard(task->pid, task->last_call, "K-64",
                     is_mapped ? "protected-pointer" : "unmapped-pointer");
        return false;
    }
    return true;
}

/* The part of [va, va + n) in va's page: its kernel pointer, and its size in *part. */
static void *user_part(const struct task *task, uint64_t va, uint32_t prot, size_t n, size_t *part)
{
    uint64_t pa;
    if (!aspace_translate(task->space, va, prot, &pa))
        return NULL;
    *part = (size_t)min_u64(n, PAGE_BYTES - va % PAGE_BYTES);
    return port_ptr(pa);
}

/* memmove: the other side may be the same physical page, seen through the arena. */
bool user_read(const struct task *task, uint64_t va, void *dst, size_t n)
{
    size_t part;
    for (size_t done = 0; done < n; done += part) {
        const void *from = user_part(task, va + done, NX_PROT_READ, n - done, &part);
        if (from == NULL)
            return false;
        memmove((uint8_t *)dst + done, from, part);
    }
    return true;
}

bool user_write(const struct task *task, uint64_t va, const void *src, size_t n)
{
    size_t part;
    for (size_t done = 0; done < n; done += part) {
        void *to = user_part(task, va + done, NX_PROT_WRITE, n - done, &part);
        if (to == NULL)
            return false;
        memmove(to, (const uint8_t *)src + done, part);
    }
    return true;
}
