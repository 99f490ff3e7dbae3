/* SPDX-License-Identifier: Apache-2.0 */
#include "core/region.h"

#include <stddef.h>

#include "core/checked.h"
#include "core/panic.h"

static struct {
    uint32_t limit; /* of one list */
    uint32_t maps;  /* in use, images excluded */
    uint32_t last_map_id;
    struct region *free;  /* freed entries */
    struct region *fresh; /* no entry from here on was ever used */
    struct region places[REGION_IMAGES_MAX + REGION_MAPS_MAX];
} all;

void region_init(uint32_t regions)
{
    all.limit = regions;
    all.maps = all.last_map_id = 0;
    all.free = NULL;
    all.fresh = all.places;
}

bool region_has_place(const struct region_list *list)
{
    return list->counted < all.limit;
}

static const struct region *first_overlap(const struct region_list *list, uint64_t va, uint64_t bytes)
{
    for (const struct region *region = list->first; region != NULL; region = region->next) {
        if (ranges_overlap(va, bytes, region->va, region->bytes)) {
            return region;
        }
    }
    return NULL;
}

bool region_overlaps(const struct region_list *list, uint64_t va, uint64_t bytes)
{
    return first_overlap(list, va, bytes) != NULL;
}

/* The lowest address from va at which the run may start: congruent with base_pa from 2 MiB up (K-24). */
static uint64_t place(uint64_t va, uint64_t base_pa, uint64_t bytes)
{
    return bytes < NX_SUPERPAGE_BYTES ? va : va + (base_pa - va) % NX_SUPERPAGE_BYTES;
}

bool region_find_hole(const struct region_list *list, uint64_t base_pa, uint64_t bytes, uint64_t *va)
{
    uint64_t at = place(NX_A2_MAP_BASE, base_pa, bytes);
    for (;;) { /* each round passes one region, so the loop terminates */
        if (!range_inside(at, bytes, NX_A2_MAP_END)) {
            return false;
        }
        const struct region *in_the_way = first_overlap(list, at, bytes);
        if (in_the_way == NULL) {
            *va = at;
            return true;
        }
        at = place(in_the_way->va + in_the_way->bytes, base_pa, bytes);
    }
}

/* The part that the real kernel maps in 2 MiB pages; *from == *to if there is none. */
static void interior(uint64_t va, uint64_t base_pa, uint64_t bytes, uint64_t *from, uint64_t *to)
{
    *from = *to = va;
    if (bytes < NX_SUPERPAGE_BYTES || (base_pa - va) % NX_SUPERPAGE_BYTES != 0) {
        return;
    }
    const uint64_t first = (va + NX_SUPERPAGE_BYTES - 1) / NX_SUPERPAGE_BYTES * NX_SUPERPAGE_BYTES;
    const uint64_t end = (va + bytes) / NX_SUPERPAGE_BYTES * NX_SUPERPAGE_BYTES;
    if (first >= end) {
        return;
    }
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
        if (list->tabled[chunk_of(at) / 64] >> chunk_of(at) % 64 & 1) {
            return true;
        }
    }
    return false;
}

void region_note_small(struct region_list *list, uint64_t va, uint64_t bytes)
{
    const uint64_t from = max_u64(va, NX_A2_MAP_BASE);
    const uint64_t to = min_u64(va + bytes, NX_A2_MAP_END);
    for (uint64_t at = from; at < to; at = (at / NX_SUPERPAGE_BYTES + 1) * NX_SUPERPAGE_BYTES) {
        list->tabled[chunk_of(at) / 64] |= UINT64_C(1) << chunk_of(at) % 64;
    }
}

void region_note_tables(struct region_list *list, uint64_t va, uint64_t base_pa, uint64_t bytes)
{
    uint64_t from, to;
    interior(va, base_pa, bytes, &from, &to);
    region_note_small(list, va, from - va);
    region_note_small(list, to, va + bytes - to);
}

void region_note_refused(struct region_list *list, uint64_t va, uint64_t base_pa, uint64_t bytes)
{
    uint64_t from, to;
    interior(va, base_pa, bytes, &from, &to);
    region_note_small(list, va, from - va);
}

bool region_fits(void)
{
    return all.maps < REGION_MAPS_MAX;
}

static struct region *take_place(void)
{
    struct region *taken = all.free;
    if (taken != NULL) {
        all.free = taken->next;
    } else if (all.fresh < all.places + COUNT_OF(all.places)) {
        taken = all.fresh++;
    } else {
        kernel_panic("the region table overflows", COUNT_OF(all.places));
    }
    return taken;
}

static void give_place(struct region *region)
{
    all.maps -= region->map_id != 0;
    region->next = all.free;
    all.free = region;
}

static struct region *push(struct region_list *list, const struct region *draft)
{
    struct region *added = take_place();
    *added = *draft;
    added->next = list->first;
    list->first = added;
    return added;
}

void region_add_image(struct region_list *list, const struct region *draft)
{
    struct region *added = push(list, draft);
    added->map_id = 0;
    added->uncounted = draft->kind == REGION_HIDDEN;
    list->counted += !added->uncounted;
}

const struct region *region_add_map(struct region_list *list, const struct region *draft)
{
    struct region *added = push(list, draft);
    added->map_id = ++all.last_map_id;
    all.maps++;
    added->uncounted = draft->uncounted || (draft->kind == REGION_AS_MAP && !region_has_place(list));
    list->counted += !added->uncounted;
    return added;
}

bool region_extend(struct region_list *list, const struct region *pages)
{
    struct region *last = list->first;
    if (last == NULL || last->kind != pages->kind || last->vmo_id != pages->vmo_id ||
        last->prot != pages->prot || last->va + last->bytes != pages->va ||
        last->base_pa + last->bytes != pages->base_pa) {
        return false;
    }
    last->bytes += pages->bytes;
    return true;
}

struct region *region_at(struct region_list *list, uint64_t va)
{
    struct region *region = list->first;
    while (region != NULL && (region->va != va || region->kind == REGION_HIDDEN)) {
        region = region->next;
    }
    return region;
}

void region_remove(struct region_list *list, struct region *region)
{
    struct region **link = &list->first;
    while (*link != region) {
        link = &(*link)->next;
    }
    *link = region->next;
    list->counted -= !region->uncounted;
    give_place(region);
}

void region_clear(struct region_list *list)
{
    while (list->first != NULL) {
        region_remove(list, list->first);
    }
}

uint32_t region_count_kind(const struct region_list *list, enum region_kind kind)
{
    uint32_t count = 0;
    for (const struct region *region = list->first; region != NULL; region = region->next) {
        count += region->kind == kind;
    }
    return count;
}

bool region_uses_vmo(const struct region_list *list, enum region_kind kind, uint32_t vmo_id)
{
    for (const struct region *region = list->first; region != NULL; region = region->next) {
        if (region->kind == kind && region->vmo_id == vmo_id) {
            return true;
        }
    }
    return false;
}
