/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cap.h"

#include <stddef.h>
#include <string.h>

#include "core/panic.h"

static uint32_t slot_count;

void cap_init(uint32_t slots)
{
    slot_count = slots;
}

void cap_clear_all(struct cap_table *table)
{
    memset(table, 0, sizeof(*table));
}

bool cap_slot_exists(uint64_t slot)
{
    return slot < slot_count;
}

const struct cap *cap_find(const struct cap_table *table, uint64_t slot)
{
    if (!cap_slot_exists(slot) || table->slots[slot].kind == CAP_NONE) {
        return NULL;
    }
    return &table->slots[slot];
}

const struct cap *cap_find_kind(const struct cap_table *table, uint64_t slot, enum cap_kind kind,
                                uint8_t rights)
{
    const struct cap *cap = cap_find(table, slot);
    if (cap == NULL || cap->kind != kind || (cap->rights & rights) != rights) {
        return NULL;
    }
    return cap;
}

uint32_t cap_free_slot(const struct cap_table *table)
{
    for (uint32_t slot = 0; slot < slot_count; slot++) {
        if (table->slots[slot].kind == CAP_NONE) {
            return slot;
        }
    }
    return CAP_NO_SLOT;
}

void cap_place(struct cap_table *table, uint32_t slot, const struct cap *cap)
{
    if (!cap_slot_exists(slot)) {
        kernel_panic("a capability was placed outside its table", slot);
    }
    table->slots[slot] = *cap;
    if (slot >= table->end) {
        table->end = slot + 1;
    }
}

struct cap cap_take(struct cap_table *table, uint32_t slot)
{
    if (!cap_slot_exists(slot)) {
        kernel_panic("a capability was taken from outside its table", slot);
    }
    const struct cap taken = table->slots[slot];
    table->slots[slot] = (struct cap){.kind = CAP_NONE};
    return taken;
}

uint32_t cap_used(const struct cap_table *table)
{
    uint32_t used = 0;
    for (uint32_t slot = 0; slot < table->end; slot++) {
        used += table->slots[slot].kind != CAP_NONE;
    }
    return used;
}

uint32_t cap_count_vmo(const struct cap_table *table, uint32_t vmo_id)
{
    uint32_t holders = 0;
    for (uint32_t slot = 0; slot < table->end; slot++) {
        holders += cap_is_memory(&table->slots[slot]) && table->slots[slot].object == vmo_id;
    }
    return holders;
}
