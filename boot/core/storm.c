/* SPDX-License-Identifier: Apache-2.0 */
#include "core/storm.h"

#include <stdbool.h>

#include "nexus_abi.h"

static struct {
    uint64_t pc;
    uint64_t left; /* consecutive calls from pc that are still allowed */
    bool has_begun;
} storm;

void storm_init(void)
{
    storm.left = NX_STORM_LIMIT;
    storm.has_begun = false;
}

enum storm_verdict storm_count(uint64_t pc)
{
    if (pc != storm.pc) {
        storm.pc = pc;
        storm.left = NX_STORM_LIMIT;
    }
    if (storm.left > 0) {
        storm.left--;
        return STORM_CALM;
    }
    const bool lasts = storm.has_begun;
    storm.has_begun = true;
    return lasts ? STORM_LASTS : STORM_BEGINS;
}
