/* SPDX-License-Identifier: Apache-2.0 */
/* The mappings and page tables of the stub kernel. */
#include "nx_stub_maps.h"

#include "nx_stub.h"

#define HEAP_TABLES_A1 (239 - 35) /* K-17 */
#define UNITS ((NX_A2_MAP_END - NX_A2_MAP_BASE) / NX_SUPERPAGE_BYTES)

/* The window of vm_map (K-24), and its units of 2 MiB that have a page table (K-26). */
static struct region {
    uint64_t va, bytes;
} regions[NX_REGIONS_MAX];
static bool has_table[UNITS];
static bool a1_table[UNITS + NX_A2_MAP_BASE / NX_SUPERPAGE_BYTES]; /* page tables of map, by address */

void stub_add_page_tables(uint32_t units)
{
    for (uint32_t i = 0; i < units; i++) {
        has_table[i] = true;
    }
}

uint32_t stub_regions(void)
{
    uint32_t used = 0;

    for (uint32_t i = 0; i < NX_REGIONS_MAX; i++) {
        used += regions[i].bytes != 0;
    }
    return used;
}

void stub_take_tables(uint32_t count)
{
    stub.tables_used += count;
    stub.panics += stub.a1 && stub.tables_used > HEAP_TABLES_A1;
}

int64_t stub_map_page(uint64_t number, uint64_t va, uint64_t off)
{
    const struct stub_slot *vmo = stub_slot_of(number);

    if (va % PAGE) {
        return -NX_EINVAL;
    }
    if (vmo == NULL || off >= vmo->size) {
        return -NX_EPERM;
    }
    if (va < NX_A1_MAP_BASE || va >= NX_A1_MAP_END) {
        return -NX_EINVAL;
    }
    bool *table = &a1_table[(va - NX_A1_MAP_BASE) / NX_SUPERPAGE_BYTES];
    const uint32_t middle = va == NX_A1_MAP_BASE ? 1 : 0; /* the first page also needs a middle table */
    stub_take_tables((*table ? 0u : 1u) + middle);
    *table = true;
    return 0;
}

static bool overlaps(uint64_t va, uint64_t bytes)
{
    for (uint32_t i = 0; i < NX_REGIONS_MAX; i++) {
        if (regions[i].bytes && va < regions[i].va + regions[i].bytes && regions[i].va < va + bytes) {
            return true;
        }
    }
    return false;
}

/* The lowest address that fits. From 2 MiB on it is congruent with the physical address. */
static uint64_t find_hole(uint64_t base, uint64_t bytes)
{
    const bool large = bytes >= NX_SUPERPAGE_BYTES;
    uint64_t va = NX_A2_MAP_BASE + (large ? base % NX_SUPERPAGE_BYTES : 0);

    while (va + bytes <= NX_A2_MAP_END && overlaps(va, bytes)) {
        va += large ? NX_SUPERPAGE_BYTES : PAGE;
    }
    return va + bytes <= NX_A2_MAP_END ? va : 0;
}

/* K-26: maps 2 MiB pages where they fit and makes page tables for the rest; these are never freed. If a unit
 * for a 2 MiB page has a page table, the map is refused, and the table of its first part stays. */
static int64_t map_pages(uint64_t va, uint64_t bytes)
{
    const uint64_t end = va + bytes;
    const bool large = bytes >= NX_SUPERPAGE_BYTES;
    bool refused = false;

    for (uint64_t at = va; at < end && !refused;) {
        const uint64_t unit = (at - NX_A2_MAP_BASE) / NX_SUPERPAGE_BYTES;
        const uint64_t next = NX_A2_MAP_BASE + (unit + 1) * NX_SUPERPAGE_BYTES;
        if (large && at % NX_SUPERPAGE_BYTES == 0 && next <= end) {
            refused = has_table[unit];
        } else {
            has_table[unit] = true;
        }
        at = next;
    }
    return refused ? -NX_EEXIST : (int64_t)va;
}

int64_t stub_vm_map(uint64_t number, uint64_t off, uint64_t bytes, uint64_t flags)
{
    const struct stub_slot *vmo = stub_slot_of(number);

    if (flags > NX_MAP_KNOWN || bytes == 0 || bytes % PAGE || off % PAGE) {
        return -NX_EINVAL;
    }
    if (vmo == NULL || off > vmo->size || bytes > vmo->size - off) {
        return -NX_EPERM;
    }
    const uint64_t va = find_hole(vmo->base + off, bytes);
    if (va == 0) {
        return -NX_ENOMEM;
    }
    for (uint32_t i = 0; i < NX_REGIONS_MAX; i++) {
        if (regions[i].bytes == 0) {
            const int64_t answer = map_pages(va, bytes);
            if (answer > 0) {
                regions[i] = (struct region){va, bytes};
            }
            return answer;
        }
    }
    return -NX_ENOSPC;
}

int64_t stub_vm_unmap(uint64_t va, uint64_t bytes)
{
    if (va % PAGE || bytes == 0 || bytes % PAGE) {
        return -NX_EINVAL;
    }
    for (uint32_t i = 0; i < NX_REGIONS_MAX; i++) {
        if (regions[i].va == va && regions[i].bytes == bytes) {
            regions[i] = (struct region){0};
            return 0;
        }
    }
    return -NX_ENOENT;
}
