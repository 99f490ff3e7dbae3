/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The regions of an address space, and the choice of an address for vm_map (K-24..K-27). Every mapping of a
 * VMO is a region, on both revisions. core/aspace has the page tables.
 */
#ifndef CORE_REGION_H
#define CORE_REGION_H

#include <stdbool.h>
#include <stdint.h>

#include "core/elf.h"
#include "nexus_abi.h"

#define REGION_CHUNKS ((NX_A2_MAP_END - NX_A2_MAP_BASE) / NX_SUPERPAGE_BYTES)

#define REGION_LISTS_MAX 128 /* address spaces */

/* Capacity of all lists together. Images have a share of their own, so that maps cannot exhaust it. a1
 * limits the maps of all address spaces together, not those of one. */
#define REGION_IMAGES_MAX (REGION_LISTS_MAX * (ELF_SEGMENTS_MAX + 1))
#define REGION_MAPS_MAX (REGION_LISTS_MAX * NX_REGIONS_MAX)

enum region_kind {
    REGION_HIDDEN, /* init's image and stack: occupies addresses, but is not counted */
    REGION_IMAGE,  /* a child's image and stack */
    REGION_MAP,    /* map of a1: contiguous pages form one region. Kinds from here on map VMOs */
    REGION_VM_MAP,
    REGION_AS_MAP
};

struct region {
    struct region *next; /* the next older region of the list */
    enum region_kind kind;
    uint32_t prot; /* NX_PROT_* */
    uint64_t va, bytes, base_pa;
    uint32_t vmo_id; /* 0 for an image */
    uint32_t map_id; /* of a VMO's mapping: from 1, never reused; 0 for an image */
    bool uncounted;  /* hidden; or made by as_map that then was refused, or found the table full (K-27) */
};

struct region_list {
    struct region *first; /* the newest */
    uint32_t counted;     /* regions without `uncounted` */
    /*
     * K-26. The real a2 maps 2 MiB pages where it can, and never frees the table of earlier 4 KiB pages: a
     * later 2 MiB map at that place finds the table and fails. This kernel maps only 4 KiB pages, so that A
     * and D are exact for each. These bits mark the 2 MiB chunks of the window in which the real kernel
     * would have a table.
     */
    uint64_t tabled[(REGION_CHUNKS + 63) / 64];
};

/* Empties the table and sets the limit of regions for an address space: 64 (K-24) or fewer. Regions of an
 * ELF file are not limited by it. */
void region_init(uint32_t regions);

/* True if the list is below that limit. */
bool region_has_place(const struct region_list *list);

/* True if [va, va + bytes) overlaps a region. */
bool region_overlaps(const struct region_list *list, uint64_t va, uint64_t bytes);

/* Finds the lowest free address in the a2 window for a run of physical memory; false if there is none. */
bool region_find_hole(const struct region_list *list, uint64_t base_pa, uint64_t bytes, uint64_t *va);

/* K-26. region_meets_table: true if the real kernel's 2 MiB map would find a table. The others mark tables:
 * region_note_tables those of a map, region_note_refused the one that a refused map leaves behind for its
 * 4 KiB head, region_note_small those of a run of 4 KiB pages. Parts outside the window are ignored. */
bool region_meets_table(const struct region_list *list, uint64_t va, uint64_t base_pa, uint64_t bytes);
void region_note_tables(struct region_list *list, uint64_t va, uint64_t base_pa, uint64_t bytes);
void region_note_refused(struct region_list *list, uint64_t va, uint64_t base_pa, uint64_t bytes);
void region_note_small(struct region_list *list, uint64_t va, uint64_t bytes);

/* True if the table has room for one more map. */
bool region_fits(void);

/* Add the region of an image, and of a map. The draft sets all fields but `next` and map_id. region_add_map
 * returns the new region. Both panic if the table is full. */
void region_add_image(struct region_list *list, const struct region *draft);
const struct region *region_add_map(struct region_list *list, const struct region *draft);

/* Adds these pages of a1's map to the newest region if they continue it; false if they do not. */
bool region_extend(struct region_list *list, const struct region *pages);

/* The region that starts at va, hidden ones excluded, or NULL. */
struct region *region_at(struct region_list *list, uint64_t va);

/* Remove one region, or all, from the list. */
void region_remove(struct region_list *list, struct region *region);
void region_clear(struct region_list *list);

uint32_t region_count_kind(const struct region_list *list, enum region_kind kind);
bool region_uses_vmo(const struct region_list *list, enum region_kind kind, uint32_t vmo_id);

#endif
