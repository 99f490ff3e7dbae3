/* SPDX-License-Identifier: Apache-2.0 */
/* Capabilities, and the capability table of each task (K-14, K-15, K-40). */
#ifndef CORE_CAP_H
#define CORE_CAP_H

#include <stdbool.h>
#include <stdint.h>

#include "nexus_abi.h"

#define CAP_SLOTS_MAX NX_SLOTS_A2
#define CAP_NO_SLOT UINT32_MAX

enum cap_kind {
    CAP_NONE, /* an empty slot */
    CAP_ENDPOINT,
    CAP_FACTORY,
    CAP_VMO,
    CAP_ALIAS /* a read-only capability to a VMO (K-28) */
};

struct cap {
    uint8_t kind;
    uint8_t rights;
    uint32_t object;         /* endpoint id or VMO id */
    uint64_t base_pa, bytes; /* of a VMO or alias */
};

struct cap_table {
    uint32_t end; /* no slot from here on was ever used */
    struct cap slots[CAP_SLOTS_MAX];
};

/* Sets the number of slots in every table. */
void cap_init(uint32_t slots);

/* Empties all slots. */
void cap_clear_all(struct cap_table *table);

/* Returns the capability in a slot; NULL if the slot is empty or out of range. */
const struct cap *cap_find(const struct cap_table *table, uint64_t slot);

/* Likewise, but also NULL if it is of another kind or lacks one of these rights. */
const struct cap *cap_find_kind(const struct cap_table *table, uint64_t slot, enum cap_kind kind,
                                uint8_t rights);

bool cap_slot_exists(uint64_t slot);

/* The lowest free slot, or CAP_NO_SLOT if the table is full. */
uint32_t cap_free_slot(const struct cap_table *table);

/* Writes a capability into an existing slot and overwrites its content. */
void cap_place(struct cap_table *table, uint32_t slot, const struct cap *cap);

/* Empties an existing slot and returns the capability that was in it. */
struct cap cap_take(struct cap_table *table, uint32_t slot);

uint32_t cap_used(const struct cap_table *table);

/* Counts the slots that hold this VMO or an alias of it. */
uint32_t cap_count_vmo(const struct cap_table *table, uint32_t vmo_id);

static inline bool cap_is_memory(const struct cap *cap)
{
    return cap->kind == CAP_VMO || cap->kind == CAP_ALIAS;
}

#endif
