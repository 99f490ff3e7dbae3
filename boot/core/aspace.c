/* SPDX-License-Identifier: Apache-2.0 */
#include "core/aspace.h"

#include <string.h>

#include "core/audit.h"
#include "core/checked.h"
#include "core/config.h"
#include "core/frames.h"
#include "core/panic.h"
#include "core/port.h"
#include "core/pte.h"

_Static_assert(NX_PROT_READ << 1 == PTE_R && NX_PROT_WRITE << 1 == PTE_W && NX_PROT_EXEC << 1 == PTE_X,
               "prot << 1 must give the bits of an entry");

_Static_assert(ASPACE_USER == PTE_U && ASPACE_OWNED == PTE_OWNED, "ASPACE_* must equal bits of an entry");

#define LEVEL_ROOT 2u
#define LEVEL_MIDDLE 1u
#define ROOT_ENTRY_BYTES (UINT64_C(1) << 30)
#define TABLE_SPAN_BYTES ((uint64_t)NX_SUPERPAGE_BYTES) /* what one leaf table maps */

_Static_assert(REGION_VM_MAP - REGION_MAP == AUDIT_VIA_VM_MAP &&
                   REGION_AS_MAP - REGION_MAP == AUDIT_VIA_AS_MAP,
               "the kinds of maps must be in the audit's order");

static struct aspace spaces[ASPACES_MAX];
static uint64_t kernel_root;
static uint64_t tables_left; /* K-17: of the boot's budget; UINT64_MAX without one */

static unsigned index_at(uint64_t va, unsigned level)
{
    return (unsigned)(va >> (12 + 9 * level) & (PTE_COUNT - 1));
}

/* The next-level table for va; NULL if the entry is empty or a large page of the kernel. */
static uint64_t *table_below(const uint64_t *table, uint64_t va, unsigned level)
{
    const uint64_t entry = table[index_at(va, level)];
    return (entry & (PTE_V | PTE_LEAF)) == PTE_V ? port_ptr(pte_pa(entry)) : NULL;
}

/* The leaf table of va, or NULL. */
static uint64_t *leaf_table(const struct aspace *space, uint64_t va)
{
    const uint64_t *middle = table_below(port_ptr(space->root_pa), va, LEVEL_ROOT);
    return middle == NULL ? NULL : table_below(middle, va, LEVEL_MIDDLE);
}

static void take_tables(uint64_t count)
{
    tables_left -= the_config.tables == 0 ? 0 : count;
}

/* The real kernel maps its devices in the first GiB of every address space, so the middle table there is one
 * of those that an address space starts with (K-17, K-23). */
static bool is_of_every_space(uint64_t va, unsigned level)
{
    return level == LEVEL_ROOT && va < ROOT_ENTRY_BYTES;
}

/* Returns the leaf table of va and allocates missing tables on the way. Returns NULL if no frame is left or
 * the kernel has a large page there. Kept out of line: it runs rarely, and aspace_map would save registers
 * for it. */
__attribute__((noinline)) static uint64_t *make_leaf_table(const struct aspace *space, uint64_t va)
{
    uint64_t *table = port_ptr(space->root_pa);
    for (unsigned level = LEVEL_ROOT; level > 0 && table != NULL; level--) {
        uint64_t *entry = &table[index_at(va, level)];
        const uint64_t pa = (*entry & PTE_V) == 0 ? frames_alloc() : 0;
        if (pa != 0) {
            *entry = pte_for(pa, 0);
            take_tables(!is_of_every_space(va, level));
        }
        table = table_below(table, va, level);
    }
    return table;
}

void aspace_init(uint64_t kernel_root_pa)
{
    memset(spaces, 0, sizeof(spaces));
    kernel_root = kernel_root_pa;
    aspace_start_tables();
}

void aspace_start_tables(void)
{
    tables_left = the_config.tables == 0 ? UINT64_MAX : the_config.tables;
}

uint64_t aspace_tables_left(void)
{
    return tables_left;
}

bool aspace_charge_space(void)
{
    if (tables_left < the_facts.tables_of_space) {
        return false;
    }
    take_tables(the_facts.tables_of_space);
    return true;
}

static struct aspace *free_place(void)
{
    for (struct aspace *space = spaces; space < spaces + ASPACES_MAX; space++) {
        if (!space->live) {
            return space;
        }
    }
    return NULL;
}

bool aspace_table_is_full(void)
{
    return free_place() == NULL;
}

struct aspace *aspace_create(uint32_t owner)
{
    struct aspace *space = free_place();
    const uint64_t root_pa = space == NULL ? 0 : frames_alloc();
    if (root_pa == 0) {
        return NULL;
    }

    memset(space, 0, sizeof(*space));
    space->live = true;
    space->owner = owner;
    space->root_pa = root_pa;
    const unsigned first = NX_USER_TOP / ROOT_ENTRY_BYTES;
    uint64_t *root = port_ptr(root_pa);
    const uint64_t *shared = port_ptr(kernel_root);
    memcpy(root + first, shared + first, (PTE_COUNT - first) * sizeof(root[0]));
    return space;
}

/* True if the page at `off` is the run's first in its leaf table. Only such a page needs a walk. */
static bool begins_table(uint64_t va, uint64_t off)
{
    return off == 0 || (va + off) % TABLE_SPAN_BYTES == 0;
}

static struct audit_usage usage_of(const struct aspace *space, uint64_t va, uint64_t bytes)
{
    struct audit_usage usage = {0};
    const uint64_t *table = NULL;
    for (uint64_t off = 0; off < bytes; off += PAGE_BYTES) {
        if (begins_table(va, off)) {
            table = leaf_table(space, va + off);
        }
        const uint64_t entry = table == NULL ? 0 : table[index_at(va + off, 0)];
        usage.accessed += (entry & PTE_V) != 0 && (entry & PTE_A) != 0;
        usage.dirtied += (entry & PTE_V) != 0 && (entry & PTE_D) != 0;
    }
    return usage;
}

static void collect(const struct aspace *space)
{
    for (const struct region *region = space->regions.first; region != NULL; region = region->next) {
        if (region->map_id == 0) {
            continue;
        }
        const struct audit_usage usage = usage_of(space, region->va, region->bytes);
        audit_map_usage(region->map_id, &usage);
    }
}

void aspace_collect_all(void)
{
    for (unsigned i = 0; i < ASPACES_MAX; i++) {
        if (spaces[i].live) {
            collect(&spaces[i]);
        }
    }
}

static void free_leaf_table(uint64_t table_pa)
{
    const uint64_t *table = port_ptr(table_pa);
    for (unsigned i = 0; i < PTE_COUNT; i++) {
        if ((table[i] & (PTE_V | PTE_OWNED)) == (PTE_V | PTE_OWNED)) {
            frames_free(pte_pa(table[i]));
        }
    }
    frames_free(table_pa);
}

static void free_middle_table(uint64_t table_pa)
{
    const uint64_t *table = port_ptr(table_pa);
    for (unsigned i = 0; i < PTE_COUNT; i++) {
        if ((table[i] & PTE_V) != 0) {
            free_leaf_table(pte_pa(table[i]));
        }
    }
    frames_free(table_pa);
}

/* Reports page usage when a mapping ends. Images are not in the audit. */
static void report_end(const struct aspace *space, const struct region *region)
{
    if (region->map_id == 0) {
        return;
    }
    const struct audit_usage usage = usage_of(space, region->va, region->bytes);
    audit_map_unmapped(region->map_id, &usage);
}

void aspace_destroy(struct aspace *space)
{
    for (const struct region *region = space->regions.first; region != NULL; region = region->next) {
        report_end(space, region);
    }
    region_clear(&space->regions);
    if (port_root() == space->root_pa) {
        port_use_root(kernel_root);
    }
    const uint64_t *root = port_ptr(space->root_pa);
    const uint64_t *shared = port_ptr(kernel_root);
    for (unsigned i = 0; i < PTE_COUNT; i++) {
        const bool is_shared = i >= NX_USER_TOP / ROOT_ENTRY_BYTES && (shared[i] & PTE_V) != 0;
        if ((root[i] & PTE_V) != 0 && !is_shared) {
            free_middle_table(pte_pa(root[i]));
        }
    }
    frames_free(space->root_pa);
    space->live = false;
}

struct aspace *aspace_find(uint64_t handle)
{
    if (handle == 0 || handle > ASPACES_MAX || !spaces[handle - 1].live) {
        return NULL;
    }
    return &spaces[handle - 1];
}

uint64_t aspace_handle(const struct aspace *space)
{
    return (uint64_t)(space - spaces) + 1;
}

/* An upper bound of the tables of a run: a leaf table for each 2 MiB and two for the ends; middle tables
 * likewise. */
static uint64_t most_tables(uint64_t bytes)
{
    return bytes / TABLE_SPAN_BYTES + 2 + bytes / ROOT_ENTRY_BYTES + 2;
}

/* The tables that the run needs and the address space lacks. Out of line: a rare case. */
__attribute__((noinline)) static uint64_t missing_tables(const struct aspace *space, uint64_t va,
                                                         uint64_t bytes)
{
    const uint64_t *root = port_ptr(space->root_pa);
    uint64_t missing = 0;
    for (uint64_t off = 0; off < bytes; off += PAGE_BYTES) {
        if (!begins_table(va, off)) {
            continue;
        }
        const bool begins_middle = off == 0 || (va + off) % ROOT_ENTRY_BYTES == 0;
        missing += leaf_table(space, va + off) == NULL;
        missing += begins_middle && table_below(root, va + off, LEVEL_ROOT) == NULL &&
                   !is_of_every_space(va + off, LEVEL_ROOT);
    }
    return missing;
}

enum aspace_room aspace_room(const struct aspace *space, uint64_t va, uint64_t bytes)
{
    const uint64_t most = most_tables(bytes);
    if (tables_left < most && tables_left < missing_tables(space, va, bytes)) {
        return ASPACE_NO_TABLES;
    }
    return frames_available() >= most ? ASPACE_ROOM : ASPACE_NO_FRAMES;
}

/* Panics unless the write makes an invalid entry valid or a valid entry invalid. */
static void set_entry(uint64_t *table, uint64_t va, uint64_t entry)
{
    const unsigned i = index_at(va, 0);
    if (table != NULL && (table[i] & PTE_V) != (entry & PTE_V)) {
        table[i] = entry;
    } else {
        kernel_panic("page table and regions disagree at", va);
    }
}

void aspace_map(struct aspace *space, uint64_t va, uint64_t base_pa, uint64_t bytes, uint32_t prot,
                unsigned how)
{
    const uint64_t bits = (uint64_t)prot << 1 | how;
    uint64_t *table = NULL;
    for (uint64_t off = 0; off < bytes; off += PAGE_BYTES) {
        if (begins_table(va, off)) {
            table = leaf_table(space, va + off);
        }
        if (table == NULL) {
            table = make_leaf_table(space, va + off);
        }
        set_entry(table, va + off, pte_for(base_pa + off, bits));
    }
    port_tlb_flush();
}

/* Reports a new mapping to the audit. */
static void report_made(const struct aspace *space, const struct region *region, uint64_t off, bool alias)
{
    const struct audit_map record = {.pid = space->owner,
                                     .vmo_id = region->vmo_id,
                                     .off = off,
                                     .bytes = region->bytes,
                                     .base_pa = region->base_pa,
                                     .prot = region->prot,
                                     .via = region->kind - REGION_MAP,
                                     .alias = alias};
    audit_map_made(region->map_id, &record);
}

void aspace_map_vmo(struct aspace *space, const struct region *draft, uint64_t off, bool alias, unsigned how)
{
    aspace_map(space, draft->va, draft->base_pa, draft->bytes, draft->prot, how);
    if (draft->kind == REGION_MAP && region_extend(&space->regions, draft)) {
        audit_map_extended(space->regions.first->map_id, draft->bytes);
    } else {
        report_made(space, region_add_map(&space->regions, draft), off, alias);
    }
}

void aspace_unmap(struct aspace *space, struct region *region)
{
    const uint64_t va = region->va, bytes = region->bytes;
    uint64_t *table = NULL;
    report_end(space, region);
    region_remove(&space->regions, region);
    for (uint64_t off = 0; off < bytes; off += PAGE_BYTES) {
        if (begins_table(va, off)) {
            table = leaf_table(space, va + off);
        }
        set_entry(table, va + off, 0);
    }
    port_tlb_flush();
}

bool aspace_is_canonical(uint64_t va)
{
    const uint64_t above = va >> (ASPACE_VA_BITS - 1);
    return above == 0 || above == UINT64_MAX >> (ASPACE_VA_BITS - 1);
}

/* True if any page lies in a GiB that the kernel uses. A root entry used by the kernel is unavailable as a
 * whole. */
static bool meets_kernel(const struct aspace *space, uint64_t va, uint64_t bytes)
{
    const uint64_t *root = port_ptr(space->root_pa), *shared = port_ptr(kernel_root);
    for (uint64_t off = 0; off < bytes; off += PAGE_BYTES) {
        const unsigned at = index_at(va + off, LEVEL_ROOT);
        if (at >= NX_USER_TOP / ROOT_ENTRY_BYTES && (root[at] & shared[at] & PTE_V) != 0) {
            return true;
        }
    }
    return false;
}

uint64_t aspace_free_bytes(const struct aspace *space, uint64_t va, uint64_t bytes)
{
    const uint64_t *table = NULL;
    if (!range_inside(va, bytes, NX_USER_TOP) && meets_kernel(space, va, bytes)) {
        return 0;
    }
    for (uint64_t off = 0; off < bytes; off += PAGE_BYTES) {
        if (begins_table(va, off)) {
            table = leaf_table(space, va + off);
        }
        if (table != NULL && (table[index_at(va + off, 0)] & PTE_V) != 0) {
            return off;
        }
    }
    return bytes;
}

bool aspace_is_free(const struct aspace *space, uint64_t va, uint64_t bytes)
{
    return aspace_free_bytes(space, va, bytes) == bytes;
}

bool aspace_translate(const struct aspace *space, uint64_t va, uint32_t prot, uint64_t *pa)
{
    if (va >= NX_USER_TOP) {
        return false;
    }
    const uint64_t *table = leaf_table(space, va);
    if (table == NULL) {
        return false;
    }
    const uint64_t entry = table[index_at(va, 0)];
    const bool reserved = (entry & (PTE_R | PTE_W)) == PTE_W; /* write-only entries always fault */
    const uint64_t need = (uint64_t)prot << 1 | PTE_V | PTE_U;
    if (reserved || (entry & need) != need) {
        return false;
    }
    *pa = pte_pa(entry) + va % PAGE_BYTES;
    return true;
}

bool aspace_any_region_of(enum region_kind kind, uint32_t vmo_id)
{
    for (unsigned i = 0; i < ASPACES_MAX; i++) {
        if (spaces[i].live && region_uses_vmo(&spaces[i].regions, kind, vmo_id)) {
            return true;
        }
    }
    return false;
}
