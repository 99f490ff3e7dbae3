/* SPDX-License-Identifier: Apache-2.0 */
/* The MMU for a task's page tables: a page walk that shares no code with boot/core. */
#include "core/kernel_rig.h"
#include "core/port.h"

#define PTE_LEAF (PTE_R | PTE_W | PTE_X)

/* Sv39: three levels of 512 entries, the physical page number from bit 10 on. */
static uint64_t *find_entry(const struct aspace *space, uint64_t va)
{
    uint64_t table_pa = space->root_pa;
    for (unsigned shift = 30;; shift -= 9) {
        uint64_t *entry = (uint64_t *)port_ptr(table_pa) + (va >> shift & 511);
        if ((*entry & PTE_V) == 0) {
            return NULL;
        }
        if (shift == 12) {
            return entry;
        }
        if ((*entry & PTE_LEAF) != 0) {
            return NULL; /* a large page of the kernel */
        }
        table_pa = *entry >> 10 << 12;
    }
}

uint64_t rig_pte_of(const struct aspace *space, uint64_t va)
{
    const uint64_t *entry = find_entry(space, va);
    return entry == NULL ? 0 : *entry;
}

uint64_t rig_pte(const struct task *task, uint64_t va)
{
    return rig_pte_of(task->space, va);
}

uint64_t rig_pa(const struct task *task, uint64_t va)
{
    const uint64_t entry = rig_pte(task, va);
    return entry == 0 ? 0 : (entry >> 10 << 12) + va % PAGE;
}

/* The byte at va for an access from U-mode that needs this bit; NULL if it faults. */
static uint8_t *access_byte(const struct task *task, uint64_t va, uint64_t need)
{
    uint64_t *entry = find_entry(task->space, va);
    if (entry == NULL || (*entry & (need | PTE_U)) != (need | PTE_U) || (*entry & (PTE_R | PTE_W)) == PTE_W) {
        return NULL;
    }
    *entry |= need == PTE_W ? PTE_A | PTE_D : PTE_A;
    return (uint8_t *)port_ptr((*entry >> 10 << 12) & ((UINT64_C(1) << 56) - 1)) + va % PAGE;
}

bool rig_load(const struct task *task, uint64_t va, void *dst, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const uint8_t *byte = access_byte(task, va + i, PTE_R);
        if (byte == NULL) {
            return false;
        }
        ((uint8_t *)dst)[i] = *byte;
    }
    return true;
}

bool rig_store(const struct task *task, uint64_t va, const void *src, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t *byte = access_byte(task, va + i, PTE_W);
        if (byte == NULL) {
            return false;
        }
        *byte = ((const uint8_t *)src)[i];
    }
    return true;
}

bool rig_fetch(const struct task *task, uint64_t va)
{
    return access_byte(task, va, PTE_X) != NULL;
}

static uint8_t *look(const struct task *task, uint64_t va)
{
    const uint64_t pa = rig_pa(task, va);
    if (pa == 0) {
        fail_msg("pid %u has nothing at 0x%llx", task->pid, (unsigned long long)va);
    }
    return port_ptr(pa);
}

void rig_peek(const struct task *task, uint64_t va, void *dst, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ((uint8_t *)dst)[i] = *look(task, va + i);
    }
}

void rig_poke(const struct task *task, uint64_t va, const void *src, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        *look(task, va + i) = ((const uint8_t *)src)[i];
    }
}

void rig_fill(const struct task *task, uint64_t va, int byte, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        *look(task, va + i) = (uint8_t)byte;
    }
}

bool rig_holds(const struct task *task, uint64_t va, int byte, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (*look(task, va + i) != (uint8_t)byte) {
            return false;
        }
    }
    return true;
}
