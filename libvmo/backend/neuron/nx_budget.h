/* SPDX-License-Identifier: Apache-2.0 */
/* Budgets of memory and page tables, for a kernel that never takes them back (K-17, K-20). */
#ifndef NX_BUDGET_H
#define NX_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "backend.h"

/* True if the kernel never takes memory or page tables back and panics when they run out. On other kernels
 * every cost is covered and nothing is charged. */
bool nx_gives_nothing_back(void);

struct nx_cost {
    uint64_t arena_bytes;
    uint64_t tables; /* page tables */
};
bool nx_budget_covers(struct nx_cost cost);
/* Call right before the system call: the kernel also loses what it took for a call that it then refused. */
void nx_budget_charge(struct nx_cost cost);

/* Page tables of a child without those of its image: for its address space, its stack, and the mappings that
 * it may make. */
uint64_t nx_tables_of_child(uint32_t stack_pages);
/* Last-level page tables of a range that is not empty. */
uint64_t nx_leaf_tables(uint64_t va, uint64_t bytes);

#define NX_SLOTS_CHECKED_MAX 3
/* NO_SLOTS if this task has fewer free slots than count. */
VMO_CHECK vmo_status nx_check_slots(unsigned count);

#endif
