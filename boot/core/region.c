/* SPDX-License-Identifier: Apache-2.0 */
#include "core/region.h"

#include <stddef.h>

#include "core/checked.h"
#include "core/panic.h"

static uint32_t limit;

void region_init(uint32_t regions)
{
    limit = regions;
}

bool region_has_place(const struct region_list *list)
{
    return list->count - region_count_kind(list, REGION_HIDDEN) < limit;
}

static const struct region *first_overlap(const struct region_list *list, uint64_t va, uint64_t bytes)
{
    for (uint32_t i = 0; i < list->count; i++) {
        const struct region *region = &list->regions[i];
        if (ranges_overlap(va, bytes, region->va, region->bytes))
            return region;
    }
    return NULL;
}

bool region_overlaps(const struct region_list *list, uint64_t va, uint64_t bytes)
{
    return first_overlap(list, va, bytes) != NULL;
}

/* The lowest address from va on where the run may start: congruent from 2 MiB up (K-24). */
static uint64_t place(uint64_t va, uint64_t base_pa, uint64_t bytes)
{
    return bytes < NX_SUPERPAGE_BYTES ? va : va + (base_pa - va) % NX_SUPERPAGE_BYTES;
}

bool region_find_hole(const struct region_list *list, uint64_t base_pa, uint64_t bytes, uint64_t *va)
{
    uint64_t at = place(NX_A2_MAP_BASE, base_pa, bytes);
    /* Each step passes one region for good, so there are no more steps than regions. */
    for (uint32_t step = 0; step <= list->count; step++) {
        if (!range_inside(at, bytes, NX_A2_MAP_END))
            return false;
        const struct region *in_the_way = first_overlap(list, at, bytes);
        if (in_the_way == NULL) {
            *va = at;
            return true;
        }
        at = place(in_the_way->va + in_the_way->bytes, base_pa, bytes);
    }
    return false;
}

/* The part that the real kernel maps by 2 MiB pages: *from == *to when there is none. */
static void interior(uint64_t va, uint64_t base_pa, uint64_t bytes, uint64_t *from, uint64_t *to)
{
    *from = *to = va;
    if (bytes < NX_SUPERPAGE_BYTES || (base_pa - va) % NX_SUPERPAGE_BYTES != 0)
        return;
    const uint64_t first = (va + NX_SUPERPAGE_BYTES - 1) / NX_SUPERPAGE_BYTES * NX_SUPERPAGE_BYTES;
    const uint64_t end = (va + bytes) / NX_SUPERPAGE_BYTES * NX_SUPERPAGE_BYTES;
    if (first >= end)
        return;
    *from = first;
    *to = end;
}

static uint64_t chunk_of(uint64_t va)
{
    return (va - NX_A2_MAP_BASE) / NX_SUPERPAGE_BYTES;
}

bool region_meets_table(const struct region_list *list, uint64_t va, uint64_t base_pa, uint64_t bytes)
{
    uint64_t from, to;
    interior(va, base_pa, bytes, &from, &to);
    for (uint64_t at = from; at < to; at += NX_SUPERPAGE_BYTES) {
        if (list->tabled[chunk_of(at) / 64] >> chunk_of(at) % 64 & 1)
            return true;
    }
    return false;
}

void region_note_small(struct region_list *list, uint64_t va, uint64_t bytes)
{
    const uint64_t from = max_u64(va, NX_A2_MAP_BASE);
    const uint64_t to = min_u64(va + bytes, NX_A2_MAP_END);
    for (uint64_t at = from; at < to; at = (at / NX_SUPERPAGE_BYTES + 1) * NX_SUPERPAGE_BYTES)
        list->tabled[chunk_of(at) / 64] |= UINT64_C(1) << chunk_of(at) % 64;
}

void region_note_tables(struct region_list *list, uint64_t va, uint64_t base_pa, uint64_t bytes)
{
    uint64_t from, to;
    interior(va, base_pa, bytes, &from, &to);
    region_note_small(list, va, from - va);
    region_note_small(list, to, va + bytes - to);
}

void region_add(struct region_list *list, const struct region *region)
{
    if (list->count == COUNT_OF(list->regions))
        kernel_panic("more regions than an address space can have", region->va);
    list->regions[list->count++] = *region;
}

struct region *region_at(struct region_list *list, uint64_t va)
{
    for (uint32_t i = 0; i < list->count; i++) {
        struct region *region = &list->regions[i];
        if (region->va == va && region->kind != REGION_HIDDEN)
            return region;
    }
    return NULL;
}

void region_remove(struct region_list *list, struct region *region)
{
    *region = list->regions[--list->count];
}

uint32_t region_count_kind(const struct region_list *list, enum region_kind kind)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < list->count; i++)
        count += list->regions[i].kind == kind;
    return count;
}

bool region_uses_vmo(const struct region_list *list, enum region_kind kind, uint32_t vmo_id)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->regions[i].kind == kind && list->regions[i].vmo_id == vmo_id)
            return true;
    }
    return false;
}
