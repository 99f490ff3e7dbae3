/* SPDX-License-Identifier: Apache-2.0 */
#include "core/image.h"

#include "core/checked.h"
#include "core/frames.h"
#include "core/panic.h"
#include "core/port.h"

#define GIB_BYTES (UINT64_C(1) << 30) /* what one middle table maps; every address space has the first */

/* The source of an image's pages. */
struct page_supply {
    bool from_arena;
    uint64_t next_pa;
};

static uint64_t supply_page(struct page_supply *supply)
{
    if (!supply->from_arena) {
        return frames_alloc();
    }
    const uint64_t pa = supply->next_pa;
    supply->next_pa += PAGE_BYTES;
    return pa;
}

/* Rounds a segment to whole pages; elf_plan has checked that its end does not wrap. */
static void segment_pages(const struct elf_segment *segment, uint64_t *va, uint64_t *bytes)
{
    *va = page_round_down(segment->va);
    *bytes = page_round_down(segment->va + segment->mem_bytes + PAGE_BYTES - 1) - *va;
}

static uint64_t stack_bytes(const struct image *image)
{
    return (image->stack_pages + NX_USER_STACK_EXTRA_PAGES) * PAGE_BYTES;
}

enum image_status image_measure(const struct image *image, uint64_t *bytes)
{
    if (image->stack_pages >= NX_USER_STACK_TOP / PAGE_BYTES - NX_USER_STACK_EXTRA_PAGES) {
        return IMAGE_TOO_LARGE;
    }
    const uint64_t stack = stack_bytes(image);
    *bytes = stack;
    for (uint32_t i = 0; i < image->plan->segment_count; i++) {
        uint64_t va, size;
        segment_pages(&image->plan->segments[i], &va, &size);
        if (ranges_overlap(va, size, NX_USER_STACK_TOP - stack, stack + PAGE_BYTES)) {
            return IMAGE_OVERLAP;
        }
        *bytes += size; /* cannot wrap: few segments, each below 2 GiB */
    }
    return IMAGE_OK;
}

/* The image's runs of pages: its segments, then the stack. */
static void image_run(const struct image *image, uint32_t i, uint64_t *va, uint64_t *bytes)
{
    if (i < image->plan->segment_count) {
        segment_pages(&image->plan->segments[i], va, bytes);
        return;
    }
    *bytes = stack_bytes(image);
    *va = NX_USER_STACK_TOP - *bytes;
}

/* True if a run before the i-th has a page in the same aligned span. */
static bool earlier_run_touches(const struct image *image, uint32_t i, uint64_t at, uint64_t span_bytes)
{
    for (uint32_t k = 0; k < i; k++) {
        uint64_t va, bytes;
        image_run(image, k, &va, &bytes);
        if (ranges_overlap(va, bytes, at - at % span_bytes, span_bytes)) {
            return true;
        }
    }
    return false;
}

uint64_t image_tables(const struct image *image)
{
    uint64_t tables = 0;
    for (uint32_t i = 0; i <= image->plan->segment_count; i++) {
        uint64_t va, bytes;
        image_run(image, i, &va, &bytes);
        for (uint64_t at = va; at < va + bytes; at = (at / NX_SUPERPAGE_BYTES + 1) * NX_SUPERPAGE_BYTES) {
            const bool begins_gib = at == va || at % GIB_BYTES == 0;
            tables += !earlier_run_touches(image, i, at, NX_SUPERPAGE_BYTES);
            tables += begins_gib && at >= GIB_BYTES && !earlier_run_touches(image, i, at, GIB_BYTES);
        }
    }
    return tables;
}

bool image_frames_fit(const struct image *image, uint64_t bytes, bool owned)
{
    /* One root, two middle tables, one leaf table for each 2 MiB, and two for the ends of each run. */
    const uint64_t runs = image->plan->segment_count + 1;
    const uint64_t tables = 3 + bytes / NX_SUPERPAGE_BYTES + 2 * runs;
    return frames_available() >= tables + (owned ? bytes / PAGE_BYTES : 0);
}

/* Reads the part of a page that the file provides. */
static void read_page(const struct elf_source *source, const struct elf_segment *segment, uint64_t va,
                      uint64_t pa)
{
    const uint64_t from = max_u64(va, segment->va);
    const uint64_t to = min_u64(va + PAGE_BYTES, segment->va + segment->file_bytes);
    if (from >= to) {
        return;
    }
    uint8_t *page = port_ptr(pa);
    source->read(source->ctx, segment->file_off + (from - segment->va), page + from % PAGE_BYTES, to - from);
}

static void load_run(struct aspace *space, struct page_supply *supply, const struct elf_source *source,
                     const struct elf_segment *segment, enum region_kind kind)
{
    uint64_t va, bytes;
    segment_pages(segment, &va, &bytes);
    /* The ISA reserves write-only entries. */
    const uint32_t prot = segment->prot & NX_PROT_WRITE ? segment->prot | NX_PROT_READ : segment->prot;
    const unsigned how = supply->from_arena ? ASPACE_USER : ASPACE_USER | ASPACE_OWNED;
    for (uint64_t off = 0; off < bytes; off += PAGE_BYTES) {
        const uint64_t pa = supply_page(supply);
        if (pa == 0) {
            kernel_panic("a measured image ran out of frames", va + off);
        }
        read_page(source, segment, va + off, pa);
        aspace_map(space, va + off, pa, PAGE_BYTES, prot, how);
    }
    region_add_image(&space->regions, &(struct region){.kind = kind, .va = va, .bytes = bytes});
    region_note_small(&space->regions, va, bytes);
}

void image_load(struct aspace *space, const struct image *image, uint64_t arena_pa, enum region_kind kind)
{
    struct page_supply supply = {.from_arena = arena_pa != 0, .next_pa = arena_pa};
    const struct elf_segment stack = {.va = NX_USER_STACK_TOP - stack_bytes(image),
                                      .mem_bytes = stack_bytes(image),
                                      .prot = NX_PROT_READ | NX_PROT_WRITE};
    for (uint32_t i = 0; i < image->plan->segment_count; i++) {
        load_run(space, &supply, image->source, &image->plan->segments[i], kind);
    }
    load_run(space, &supply, image->source, &stack, kind);
    port_code_flush();
}
