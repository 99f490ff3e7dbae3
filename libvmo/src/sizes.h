/* SPDX-License-Identifier: Apache-2.0 */
/* Arithmetic on sizes with overflow checks. */
#ifndef VMO_SIZES_H
#define VMO_SIZES_H

#include <stdbool.h>
#include <stdint.h>

#include "vmo/vmo.h"

static inline bool checked_add(uint64_t a, uint64_t b, uint64_t *sum)
{
    return !__builtin_add_overflow(a, b, sum);
}

/* Rounds up to a multiple of unit, a power of two. */
static inline bool checked_round_up(uint64_t value, uint64_t unit, uint64_t *rounded)
{
    uint64_t sum = 0;
    if (!checked_add(value, unit - 1, &sum)) {
        return false;
    }
    *rounded = sum & ~(unit - 1);
    return true;
}

/* True if the range lies within [0, limit]. An empty range may begin at limit. */
static inline bool range_within(struct vmo_range range, uint64_t limit)
{
    return range.off_bytes <= limit && range.len_bytes <= limit - range.off_bytes;
}

#endif
