/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address spaces: Sv39 page tables with 4 KiB leaves, and the page walk of every user copy. Leaves start
 * with A and D clear. The MMU sets them, and the audit reads them as evidence of use.
 *
 *   user:    below 0x80000000, private
 *   kernel:  root entries for 0x80000000 and up, copied from the kernel's root
 */
#ifndef CORE_ASPACE_H
#define CORE_ASPACE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/region.h"

#define ASPACES_MAX REGION_LISTS_MAX
#define ASPACE_VA_BITS 39

/* Flags of a mapping in addition to its NX_PROT_* bits; each is a bit of an entry (core/pte.h). */
#define ASPACE_USER 0x010u  /* U-mode may access the pages */
#define ASPACE_OWNED 0x100u /* aspace_destroy frees the frames */

struct aspace {
    bool live;
    uint32_t owner; /* pid of its task, or of the task that created it */
    uint64_t root_pa;
    struct region_list regions;
};

void aspace_init(uint64_t kernel_root_pa);

/* Creates an empty address space. Returns NULL if the table is full or no frame is left. */
struct aspace *aspace_create(uint32_t owner);

bool aspace_table_is_full(void);

/* Reports page usage to the audit, then frees regions, tables and owned frames. */
void aspace_destroy(struct aspace *space);

/* Updates the audit's page counts for every live mapping of every address space. */
void aspace_collect_all(void);

/* Handles are small and guessable (K-27). */
struct aspace *aspace_find(uint64_t handle);
uint64_t aspace_handle(const struct aspace *space);

/* Whether the page tables of a run can be made. The frames are judged by an upper bound. */
enum aspace_room {
    ASPACE_ROOM,
    ASPACE_NO_TABLES, /* the boot's budget lacks them: the real kernel would panic (K-17) */
    ASPACE_NO_FRAMES
};
enum aspace_room aspace_room(const struct aspace *space, uint64_t va, uint64_t bytes);

/* K-17, where page tables are never freed: what is left of the boot's budget, UINT64_MAX without one.
 * aspace_charge_space takes the tables of one more address space; false if they are not left. */
uint64_t aspace_tables_left(void);
bool aspace_charge_space(void);

/* Forgets the tables that init's start has taken. */
void aspace_start_tables(void);

/* Maps whole pages of contiguous memory at free addresses. Panics if an address is in use or a table cannot
 * be allocated; the caller checks both first. */
void aspace_map(struct aspace *space, uint64_t va, uint64_t base_pa, uint64_t bytes, uint32_t prot,
                unsigned how);

/* Maps whole pages of a VMO from offset `off` with aspace_map, adds the region and reports it to the audit.
 * `draft` sets all fields but map_id; the caller has checked region_fits. `alias` marks a read-only
 * capability. */
void aspace_map_vmo(struct aspace *space, const struct region *draft, uint64_t off, bool alias, unsigned how);

/* Unmaps a region's pages, keeps their tables, and removes the region from the list. */
void aspace_unmap(struct aspace *space, struct region *region);

/* The bytes at the start of the run of which no page is mapped; 0 if a page of the run lies in a GiB of the
 * kernel. aspace_is_free: true if that is the whole run. */
uint64_t aspace_free_bytes(const struct aspace *space, uint64_t va, uint64_t bytes);
bool aspace_is_free(const struct aspace *space, uint64_t va, uint64_t bytes);

/* True if va is canonical under Sv39. */
bool aspace_is_canonical(uint64_t va);

/* Sets *pa to the physical address of a user access at va with these NX_PROT_* bits. False if it would
 * fault. */
bool aspace_translate(const struct aspace *space, uint64_t va, uint32_t prot, uint64_t *pa);

/* True if any address space has a region of this kind over the VMO. */
bool aspace_any_region_of(enum region_kind kind, uint32_t vmo_id);

#endif
