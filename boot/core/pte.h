/* SPDX-License-Identifier: Apache-2.0 */
/* Page table entries of Sv39 (RISC-V privileged specification, 4.3 and 4.4), for kernel and tasks. */
#ifndef CORE_PTE_H
#define CORE_PTE_H

#include <stdint.h>

#include "core/checked.h"

#define PTE_V 0x001u
#define PTE_R 0x002u
#define PTE_W 0x004u
#define PTE_X 0x008u
#define PTE_U 0x010u
#define PTE_A 0x040u
#define PTE_D 0x080u
#define PTE_OWNED 0x100u /* software bit: aspace_destroy frees the frame */
#define PTE_LEAF (PTE_R | PTE_W | PTE_X)

#define PTE_COUNT 512u /* entries of a table */
#define PTE_PPN_SHIFT 10
#define PTE_PPN_MASK ((UINT64_C(1) << 44) - 1)

/* An entry for the page or table at pa. */
static inline uint64_t pte_for(uint64_t pa, uint64_t bits)
{
    return pa / PAGE_BYTES << PTE_PPN_SHIFT | bits | PTE_V;
}

static inline uint64_t pte_pa(uint64_t entry)
{
    return (entry >> PTE_PPN_SHIFT & PTE_PPN_MASK) * PAGE_BYTES;
}

#endif
