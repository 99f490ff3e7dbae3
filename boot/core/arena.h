/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The VMO arena (K-20): physically contiguous ranges, zeroed when they are given.
 *
 *   a1  a bump pointer: nothing ever comes back. Images and stacks of exec come out of it, too, and
 *       only its first 8 MiB is mapped in the real kernel.
 *   a2  first fit over the live ranges, sorted by address.
 */
#ifndef CORE_ARENA_H
#define CORE_ARENA_H

#include <stdbool.h>
#include <stdint.h>

#define ARENA_RANGES_MAX 1024

enum arena_status {
    ARENA_OK,
    ARENA_FULL,    /* no such range is free */
    ARENA_UNMAPPED /* a1: the range crosses the mapped part; the real kernel panics (K-20) */
};

/* bump_only: as on a1. */
void arena_init(bool bump_only, uint64_t base_pa, uint64_t bytes);

/* Makes a VMO of `bytes`, a multiple of the page, and gives it the next serial id. */
enum arena_status arena_create(uint64_t bytes, uint64_t *base_pa, uint32_t *vmo_id);

/* Takes memory that is no VMO: images and stacks on a1. */
enum arena_status arena_take(uint64_t bytes, uint64_t *base_pa);

/* Gives a VMO's range back (a2 alone). Panics on one that does not live. */
void arena_destroy(uint64_t base_pa);

uint64_t arena_bytes_used(void);
uint64_t arena_vmos_live(void);

#endif
