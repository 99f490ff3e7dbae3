/* SPDX-License-Identifier: Apache-2.0 */
#include "core/usercopy.h"

#include <string.h>

#include "core/audit.h"
#include "core/checked.h"
#include "core/panic.h"
#include "core/port.h"

/* True if the task may access the page with `prot`. Records a hazard if it may not. */
static bool check_page(const struct task *task, uint64_t va, uint32_t prot, uint64_t *pa)
{
    if (aspace_translate(task->space, va, prot, pa)) {
        return true;
    }
    const bool is_mapped = !aspace_is_free(task->space, page_round_down(va), PAGE_BYTES);
    audit_hazard(task->pid, task->last_call, "K-64", is_mapped ? "protected-pointer" : "unmapped-pointer");
    return false;
}

bool user_range_check(const struct task *task, uint64_t va, uint64_t len, uint32_t prot,
                      struct user_range *range)
{
    uint64_t end, first_pa, pa;
    range->len = len;
    if (len == 0) {
        return true;
    }
    if (va == 0 || !checked_add(va, len, &end) || end > NX_USER_TOP ||
        !check_page(task, va, prot, &first_pa)) {
        return false;
    }
    for (uint64_t page = page_round_down(va) + PAGE_BYTES; page < end; page += PAGE_BYTES) {
        if (!check_page(task, page, prot, &pa)) {
            return false;
        }
    }
    range->space = task->space;
    range->va = va;
    range->prot = prot;
    range->first = port_ptr(first_pa);
    return true;
}

/* The kernel's pointer to `off`; *part is how many of n bytes are contiguous there. */
static uint8_t *piece(const struct user_range *range, uint64_t off, size_t n, size_t *part)
{
    const uint64_t va = range->va + off;
    const bool on_first_page = off < PAGE_BYTES - range->va % PAGE_BYTES;
    uint64_t pa;
    *part = (size_t)min_u64(n, PAGE_BYTES - va % PAGE_BYTES);
    if (on_first_page) {
        return range->first + off;
    }
    if (!aspace_translate(range->space, va, range->prot, &pa)) {
        kernel_panic("a checked range is no longer mapped", va);
    }
    return port_ptr(pa);
}

static void must_lie_inside(const struct user_range *range, uint64_t off, size_t n, uint32_t prot)
{
    if (!range_inside(off, n, range->len) || range->prot != prot) {
        kernel_panic("copy outside the checked range", range->va + off);
    }
}

/* memmove, because the other side may be the same physical page, seen through the arena. */
void user_read(const struct user_range *range, uint64_t off, void *dst, size_t n)
{
    size_t part;
    if (n > 0) {
        must_lie_inside(range, off, n, NX_PROT_READ);
    }
    for (size_t done = 0; done < n; done += part) {
        const uint8_t *from = piece(range, off + done, n - done, &part);
        memmove((uint8_t *)dst + done, from, part);
    }
}

void user_write(const struct user_range *range, uint64_t off, const void *src, size_t n)
{
    size_t part;
    if (n > 0) {
        must_lie_inside(range, off, n, NX_PROT_WRITE);
    }
    for (size_t done = 0; done < n; done += part) {
        uint8_t *to = piece(range, off + done, n - done, &part);
        memmove(to, (const uint8_t *)src + done, part);
    }
}
