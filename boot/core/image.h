/* SPDX-License-Identifier: Apache-2.0 */
/* Loads a planned ELF image and its stack into an address space (K-11, K-13). */
#ifndef CORE_IMAGE_H
#define CORE_IMAGE_H

#include "core/aspace.h"
#include "core/elf.h"

struct image {
    const struct elf_source *source;
    const struct elf_plan *plan;
    uint64_t stack_pages; /* without the extra ones of K-11 */
    uint64_t gp;          /* 0: the plan's default */
};

enum image_status {
    IMAGE_OK,
    IMAGE_TOO_LARGE, /* the stack does not fit below its top */
    IMAGE_OVERLAP    /* a segment lies in the stack or in the guard page above it */
};

/* Checks that image and stack do not overlap; *bytes is the size of both in whole pages. */
enum image_status image_measure(const struct image *image, uint64_t *bytes);

/* True if enough frames are left for an address space of this size; `owned`: with its pages. */
/* The page tables of the image in an address space of its own (K-17). */
uint64_t image_tables(const struct image *image);

bool image_frames_fit(const struct image *image, uint64_t bytes, bool owned);

/* Loads a measured image into the arena at arena_pa, or into frames if arena_pa is 0. */
void image_load(struct aspace *space, const struct image *image, uint64_t arena_pa, enum region_kind kind);

#endif
