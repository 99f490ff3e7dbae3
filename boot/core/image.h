/* SPDX-License-Identifier: Apache-2.0 */
/* Puts a planned ELF image and its stack into an address space (K-11, K-13). */
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
    IMAGE_TOO_LARGE, /* more stack than there are addresses below its top */
    IMAGE_OVERLAP    /* a segment lies in the stack or in the guard page above it */
};

/* Checks image and stack against each other; *bytes is what both need in whole pages. */
enum image_status image_measure(const struct image *image, uint64_t *bytes);

/* Whether the frames suffice for an address space with so many bytes; `owned`: and for the bytes. */
bool image_frames_fit(const struct image *image, uint64_t bytes, bool owned);

/* Loads a measured image. Its memory is [arena_pa, + bytes), or frames of the pool when arena_pa is 0. */
void image_load(struct aspace *space, const struct image *image, uint64_t arena_pa, enum region_kind kind);

#endif
