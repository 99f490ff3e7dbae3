/* SPDX-License-Identifier: Apache-2.0 */
/* Capabilities and the table of them that each task has (K-14, K-15, K-40). */
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
    CAP_ALIAS /* a VMO that its holder can only read (K-28) */
};

struct cap {
    uint8_t kind;
    uint8_t rights;
    uint32_t object;         /* endpoint id or VMO id */
    uint64_t base_pa, bytes; /* of a VMO or alias */
};

struct cap_table {
    uint32_t end; /* from this slot on none was ever used */
    struct cap slots[CAP_SLOTS_MAX];
};

/* How many slots a table has in this boot. */
void cap_init(uint32_t slots);

/* All slots empty. */
void cap_clear_all(struct cap_table *table);

/* The capability in a slot; NULL when the slot is empty or out of range. */
const struct cap *cap_find(const struct cap_table *table, uint64_t slot);

/* Likewise, of exactly this kind and with all of these rights. */
const struct cap *cap_find_kind(const struct cap_table *table, uint64_t slot, enum cap_kind kind,
                                uint8_t rights);

bool cap_slot_exists(uint64_t slot);

/* The lowest free slot, or CAP_NO_SLOT when the table is full. */
uint32_t cap_free_slot(const struct cap_table *table);

/* Puts a capability into a slot that exists, over whatever was there. */
void cap_place(struct cap_table *table, uint32_t slot, const struct cap *cap);

/* Empties a slot that exists and gives back what was in it. */
struct cap cap_take(struct cap_table *table, uint32_t slot);

uint32_t cap_used(const struct cap_table *table);

/* How many slots hold this VMO or an alias of it. */
uint32_t cap_count_vmo(const struct cap_table *table, uint32_t vmo_id);

static inline bool cap_is_memory(const struct cap *cap)
{
    return cap->kind == CAP_VMO || cap->kind == CAP_ALIAS;
}

#endif
