/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The VMO arena (K-20): physically contiguous ranges, zeroed on allocation.
 *
 *   a1  a bump pointer; nothing is freed. exec allocates images and stacks from it, too. The real kernel
 *       maps only its first 8 MiB.
 *   a2  first fit over the live ranges, sorted by address.
 */
#ifndef CORE_ARENA_H
#define CORE_ARENA_H

#include <stdbool.h>
#include <stdint.h>

#define ARENA_RANGES_MAX 1024

enum arena_status {
    ARENA_OK,
    ARENA_FULL,    /* no free range is large enough */
    ARENA_UNMAPPED /* a1: the range leaves the mapped part; the real kernel panics (K-20) */
};

/* `bump_only` selects the bump pointer of a1. */
void arena_init(bool bump_only, uint64_t base_pa, uint64_t bytes);

/* Allocates a VMO of `bytes`, a multiple of the page size, and assigns the next serial id. */
enum arena_status arena_create(uint64_t bytes, uint64_t *base_pa, uint32_t *vmo_id);

/* Allocates memory for an image and its stack, which are not VMOs (a1 only). */
enum arena_status arena_take(uint64_t bytes, uint64_t *base_pa);

/* Frees a VMO's range (a2 only). Panics if no live VMO starts at base_pa. */
void arena_destroy(uint64_t base_pa);

uint64_t arena_bytes_used(void);
uint64_t arena_vmos_live(void);

#endif
