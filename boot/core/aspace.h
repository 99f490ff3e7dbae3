/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address spaces: Sv39 page tables out of frames, 4 KiB leaves alone, A and D clear when they are
 * made (the MMU sets them: that is the audit's evidence), and the walk behind every user copy.
 *
 *   user:    below 0x80000000, private
 *   kernel:  root entries for 0x80000000 and up, as in the kernel's own root
 */
#ifndef CORE_ASPACE_H
#define CORE_ASPACE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/region.h"

#define ASPACES_MAX REGION_LISTS_MAX
#define ASPACE_VA_BITS 39

/* How a run of pages is mapped, beside its NX_PROT_* bits: bits of the entries (core/pte.h). */
#define ASPACE_USER 0x010u  /* U-mode may use it */
#define ASPACE_OWNED 0x100u /* its frames go back to the pool with the address space */

struct aspace {
    bool live;
    uint32_t owner; /* pid of the task that it is of, or that made it */
    uint64_t root_pa;
    struct region_list regions;
};

void aspace_init(uint64_t kernel_root_pa);

/* An empty address space; NULL when the table is full or there are no frames. */
struct aspace *aspace_create(uint32_t owner);

bool aspace_table_is_full(void);

/* Reports the pages that were used to the audit, then frees regions, tables and owned frames. */
void aspace_destroy(struct aspace *space);

/* Brings the audit's page counts of every living mapping of every address space up to date. */
void aspace_collect_all(void);

/* Handles are small and guessable (K-27). */
struct aspace *aspace_find(uint64_t handle);
uint64_t aspace_handle(const struct aspace *space);

/* Whether the frames suffice for the page tables that such a map can need. */
bool aspace_tables_fit(uint64_t bytes);

/* Maps whole pages of contiguous memory over free addresses. Panics when one is taken or a table
 * cannot be had: the caller has looked. */
void aspace_map(struct aspace *space, uint64_t va, uint64_t base_pa, uint64_t bytes, uint32_t prot,
                unsigned how);

/* Maps whole pages of a VMO, from its offset `off` on, as aspace_map does: as a region and in the audit.
 * `draft` says all but map_id; region_fits has said that there is room. `alias`: by a capability that can
 * only read. */
void aspace_map_vmo(struct aspace *space, const struct region *draft, uint64_t off, bool alias, unsigned how);

/* Unmaps a region's pages, whose tables stay, and takes it off the list. */
void aspace_unmap(struct aspace *space, struct region *region);

/* Whether no page of the run is mapped. */
bool aspace_is_free(const struct aspace *space, uint64_t va, uint64_t bytes);

/* Whether va is canonical under Sv39. */
bool aspace_is_canonical(uint64_t va);

/* *pa = where a user access with these NX_PROT_* bits at va goes; false when it would fault. */
bool aspace_translate(const struct aspace *space, uint64_t va, uint32_t prot, uint64_t *pa);

/* Whether any address space has a region of this kind over the VMO. */
bool aspace_any_region_of(enum region_kind kind, uint32_t vmo_id);

#endif
