/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The regions of one address space: what lies where, and where the next vm_map goes (K-24..K-27).
 * Pure bookkeeping; page tables are core/aspace's.
 */
#ifndef CORE_REGION_H
#define CORE_REGION_H

#include <stdbool.h>
#include <stdint.h>

#include "core/elf.h"
#include "nexus_abi.h"

#define REGION_CHUNKS ((NX_A2_MAP_END - NX_A2_MAP_BASE) / NX_SUPERPAGE_BYTES)

enum region_kind {
    REGION_HIDDEN, /* init's own image and stack: takes room, no place among those that are counted */
    REGION_IMAGE,  /* a child's */
    REGION_VM_MAP,
    REGION_AS_MAP
};

struct region {
    enum region_kind kind;
    uint64_t va, bytes;
    uint32_t vmo_id; /* 0 for an image */
    int audit;       /* its record, or -1 */
};

struct region_list {
    uint32_t count;
    struct region regions[NX_REGIONS_MAX + ELF_SEGMENTS_MAX + 1]; /* + what is hidden */
    /*
     * K-26. The real a2 maps 2 MiB at once where it can, and never takes back the table that 4 KiB
     * pages in the same place once needed: a later 2 MiB map there finds the table and fails. Here
     * every page is 4 KiB, so that A and D are exact for each; these bits remember which 2 MiB chunks
     * of the window the real kernel would have a table in.
     */
    uint64_t tabled[(REGION_CHUNKS + 63) / 64];
};

/* How many regions an address space has in this boot: 64 of the age's (K-24), or fewer. What an ELF file
 * needs is not bounded by it. */
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

/* Panics when the list is full. */
void region_add(struct region_list *list, const struct region *region);

/* The region that starts at va, hidden ones aside; NULL when there is none. */
struct region *region_at(struct region_list *list, uint64_t va);

/* Removes a region of the list; pointers to others become stale. */
void region_remove(struct region_list *list, struct region *region);

uint32_t region_count_kind(const struct region_list *list, enum region_kind kind);
bool region_uses_vmo(const struct region_list *list, enum region_kind kind, uint32_t vmo_id);

#endif
