/* SPDX-License-Identifier: Apache-2.0 */
/* Replaces core/storm.c: the kernel reads an unmapped address after it has built its page table. */
#include "core/storm.h"

#define NOWHERE_VA UINT64_C(0x50001238)

void storm_init(void)
{
    (void)*(volatile const uint64_t *)(uintptr_t)NOWHERE_VA;
}

enum storm_verdict storm_count(uint64_t pc)
{
    (void)pc;
    return STORM_CALM;
}
