/* SPDX-License-Identifier: Apache-2.0 */
#include "core/storm.h"

#include <stdbool.h>

#include "nexus_abi.h"

static struct {
    uint64_t pc;
    uint64_t calls; /* in a row from pc */
    bool has_begun;
} storm;

void storm_init(void)
{
    storm.calls = 0;
    storm.has_begun = false;
}

enum storm_verdict storm_count(uint64_t pc)
{
    if (pc != storm.pc) {
        storm.pc = pc;
        storm.calls = 1;
        return STORM_CALM;
    }
    storm.calls++;
    if (storm.calls <= NX_STORM_LIMIT)
        return STORM_CALM;
    const bool lasts = storm.has_begun;
    storm.has_begun = true;
    return lasts ? STORM_LASTS : STORM_BEGINS;
}
