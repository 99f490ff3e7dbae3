/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The regions of one address space: what lies where, and where the next vm_map goes (K-24..K-27). Every
 * mapping of a VMO is one, on both revisions. Pure bookkeeping; page tables are core/aspace's.
 */
#ifndef CORE_REGION_H
#define CORE_REGION_H

#include <stdbool.h>
#include <stdint.h>

#include "core/elf.h"
#include "nexus_abi.h"

#define REGION_CHUNKS ((NX_A2_MAP_END - NX_A2_MAP_BASE) / NX_SUPERPAGE_BYTES)

#define REGION_LISTS_MAX 128 /* address spaces */

/* Regions of all lists: what images take at most is apart, so that maps never use it up. a1 does not bound
 * the maps of one address space, but only those of all. */
#define REGION_IMAGES_MAX (REGION_LISTS_MAX * (ELF_SEGMENTS_MAX + 1))
#define REGION_MAPS_MAX (REGION_LISTS_MAX * NX_REGIONS_MAX)

enum region_kind {
    REGION_HIDDEN, /* init's own image and stack: takes room, no place among those that are counted */
    REGION_IMAGE,  /* a child's */
    REGION_MAP,    /* a1's map: pages that continue each other are one region. From here on: VMOs */
    REGION_VM_MAP,
    REGION_AS_MAP
};

struct region {
    struct region *next; /* an older one of the same list */
    enum region_kind kind;
    uint32_t prot; /* NX_PROT_* */
    uint64_t va, bytes, base_pa;
    uint32_t vmo_id; /* 0 for an image */
    uint32_t map_id; /* of a VMO's mapping: counts from 1, never used again; 0 for an image */
};

struct region_list {
    struct region *first; /* the newest */
    uint32_t counted;     /* all but the hidden ones */
    /*
     * K-26. The real a2 maps 2 MiB at once where it can, and never takes back the table that 4 KiB
     * pages in the same place once needed: a later 2 MiB map there finds the table and fails. Here
     * every page is 4 KiB, so that A and D are exact for each; these bits remember which 2 MiB chunks
     * of the window the real kernel would have a table in.
     */
    uint64_t tabled[(REGION_CHUNKS + 63) / 64];
};

/* No region is in use. How many an address space has in this boot: 64 of the revision's (K-24), or fewer;
 * what an ELF file needs is not bounded by it. */
void region_init(uint32_t regions);

/* Whether one more region fits among those. */
bool region_has_place(const struct region_list *list);

/* Whether [va, va + bytes) meets any region. */
bool region_overlaps(const struct region_list *list, uint64_t va, uint64_t bytes);

/* The lowest place in the a2 window for a run of physical memory; false when there is none. */
bool region_find_hole(const struct region_list *list, uint64_t base_pa, uint64_t bytes, uint64_t *va);

/* K-26: whether the real kernel's 2 MiB map would meet a table; and notes the tables that a map leaves,
 * or that any run of 4 KiB pages does (parts outside the window do not matter). */
bool region_meets_table(const struct region_list *list, uint64_t va, uint64_t base_pa, uint64_t bytes);
void region_note_tables(struct region_list *list, uint64_t va, uint64_t base_pa, uint64_t bytes);
void region_note_small(struct region_list *list, uint64_t va, uint64_t bytes);

/* Whether there is room for one more map. */
bool region_fits(void);

/* Add a region as the draft says, which leaves `next` and map_id open: of an image, of a map. The map's is
 * given back. Panic when there is no room. */
void region_add_image(struct region_list *list, const struct region *draft);
const struct region *region_add_map(struct region_list *list, const struct region *draft);

/* Whether these pages of a1's map continue the newest region, which then has them, too. */
bool region_extend(struct region_list *list, const struct region *pages);

/* The region that starts at va, hidden ones aside; NULL when there is none. */
struct region *region_at(struct region_list *list, uint64_t va);

/* Takes a region, or all, off the list. */
void region_remove(struct region_list *list, struct region *region);
void region_clear(struct region_list *list);

uint32_t region_count_kind(const struct region_list *list, enum region_kind kind);
bool region_uses_vmo(const struct region_list *list, enum region_kind kind, uint32_t vmo_id);

#endif
