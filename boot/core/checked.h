/* SPDX-License-Identifier: Apache-2.0 */
/* Arithmetic on sizes and offsets that does not wrap. */
#ifndef CORE_CHECKED_H
#define CORE_CHECKED_H

#include <stdbool.h>
#include <stdint.h>

#include "nexus_abi.h"

#define PAGE_BYTES ((uint64_t)NX_PAGE_BYTES)
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* *sum = a + b; false on overflow. */
static inline bool checked_add(uint64_t a, uint64_t b, uint64_t *sum)
{
    return !__builtin_add_overflow(a, b, sum);
}

/* True if [off, off + len) lies inside [0, size). An empty range may lie at the very end. */
static inline bool range_inside(uint64_t off, uint64_t len, uint64_t size)
{
    return off <= size && len <= size - off;
}

/* True if two ranges, neither of which wraps, share an address. */
static inline bool ranges_overlap(uint64_t a, uint64_t a_len, uint64_t b, uint64_t b_len)
{
    return a < b + b_len && b < a + a_len;
}

static inline bool page_aligned(uint64_t value)
{
    return value % PAGE_BYTES == 0;
}

static inline uint64_t page_round_down(uint64_t value)
{
    return value - value % PAGE_BYTES;
}

/* *rounded = value, rounded up to whole pages; false on overflow. */
static inline bool page_round_up(uint64_t value, uint64_t *rounded)
{
    uint64_t sum;
    if (!checked_add(value, PAGE_BYTES - 1, &sum)) {
        return false;
    }
    *rounded = page_round_down(sum);
    return true;
}

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

#endif
