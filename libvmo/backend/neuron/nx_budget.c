/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The budgets of a kernel that never takes memory back. All tasks share one heap for page tables and one
 * arena for VMOs and images (K-17, K-20). Init accounts for both. A child cannot know what other tasks use,
 * so it gets no arena and a fixed number of page tables, for which init has paid.
 */
#include "nx_budget.h"

#include "nx_call.h"
#include "sizes.h"

#define SPARE_TABLES 8 /* the numbers of K-17 are approximate */
#define INIT_TABLES (NX_HEAP_TABLES_A1 - NX_BOOT_TABLES_A1 - SPARE_TABLES)
#define CHILD_MAP_TABLES 5 /* for a child's mappings: one middle table and 8 MiB, the largest VMO */

/* Bounds of this program, from its linker script (linker/payload.ld). */
extern const char __image_start[];
extern const char __image_end[];

bool nx_gives_nothing_back(void)
{
    return nx_features()->map;
}

static uint64_t arena_after_init(void)
{
    const uint64_t stack = (uint64_t)(NX_INIT_STACK_PAGES + NX_USER_STACK_EXTRA_PAGES) * NX_PAGE_BYTES;
    const uint64_t used = nx_address(__image_end) - nx_address(__image_start) + stack;

    return used < NX_ARENA_MAPPED_BYTES_A1 ? NX_ARENA_MAPPED_BYTES_A1 - used : 0;
}

static struct nx_cost *left(void)
{
    static struct nx_cost budget;
    static bool known;

    if (!known) {
        budget = nx_features()->init ? (struct nx_cost){arena_after_init(), INIT_TABLES}
                                     : (struct nx_cost){0, CHILD_MAP_TABLES};
        known = true;
    }
    return &budget;
}

bool nx_budget_covers(struct nx_cost cost)
{
    return !nx_gives_nothing_back() ||
           (cost.arena_bytes <= left()->arena_bytes && cost.tables <= left()->tables);
}

void nx_budget_charge(struct nx_cost cost)
{
    if (nx_gives_nothing_back()) {
        left()->arena_bytes -= cost.arena_bytes;
        left()->tables -= cost.tables;
    }
}

uint64_t nx_leaf_tables(uint64_t va, uint64_t bytes)
{
    return (va + bytes - 1) / NX_SUPERPAGE_BYTES - va / NX_SUPERPAGE_BYTES + 1;
}

uint64_t nx_tables_of_child(uint32_t stack_pages)
{
    const uint64_t stack = (uint64_t)(stack_pages + NX_USER_STACK_EXTRA_PAGES) * NX_PAGE_BYTES;

    return NX_SPACE_TABLES_A1 + CHILD_MAP_TABLES + nx_leaf_tables(NX_USER_STACK_TOP - stack, stack);
}

/* Clones a capability that every task has `count` times, and closes the clones. */
vmo_status nx_check_slots(unsigned count)
{
    int64_t clones[NX_SLOTS_CHECKED_MAX];
    vmo_status status = VMO_OK;
    unsigned made = 0;

    while (status == VMO_OK && made < count) {
        clones[made] = nx_call1(NX_SYS_CAP_CLONE, NX_SLOT_BOOTSTRAP);
        if (clones[made] >= 0) {
            made++;
        } else {
            status = clones[made] == -NX_ENOSPC ? VMO_ERR_NO_SLOTS : VMO_ERR_BACKEND;
        }
    }
    while (made > 0) {
        made--;
        if (nx_call1(NX_SYS_CAP_CLOSE, (uint64_t)clones[made]) != 0) {
            status = VMO_ERR_BACKEND;
        }
    }
    return status;
}
