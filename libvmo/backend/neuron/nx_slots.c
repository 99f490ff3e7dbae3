/* SPDX-License-Identifier: Apache-2.0 */
#include "nx_slots.h"

#include "nexus_abi.h"

static uint64_t owned_slots[NX_SLOTS_A2 / 64];

/* Ignores slots past those of the contract: no ticket may name one. */
void nx_slot_own(int32_t slot, bool owned)
{
    if ((uint32_t)slot < NX_SLOTS_A2) {
        const uint64_t bit = UINT64_C(1) << slot % 64;
        uint64_t *word = &owned_slots[slot / 64];
        *word = owned ? *word | bit : *word & ~bit;
    }
}

bool nx_slot_owned(int32_t slot)
{
    return owned_slots[slot / 64] >> slot % 64 & 1;
}
