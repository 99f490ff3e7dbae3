/* SPDX-License-Identifier: Apache-2.0 */
#include "table.h"

#include <stddef.h>

static void *place_of(const struct table *table, uint32_t index)
{
    return table->entries + (size_t)index * table->entry_bytes;
}

void *table_take(struct table *table)
{
    const bool fresh = table->free == 0;
    const uint32_t index = fresh ? table->used++ : table->free - 1;
    struct entry *entry = place_of(table, index);

    if (fresh) {
        entry->generation = 0; /* the storage is not initialised */
    } else {
        table->free = entry->link;
    }
    entry->link = ENTRY_LIVE | index;
    table->live++;
    return entry;
}

void table_give(struct table *table, struct entry *entry)
{
    const uint32_t index = entry->link & ~ENTRY_LIVE;

    table->live--;
    entry->link = table->free;
    if (!table->named || ++entry->generation != UINT32_MAX) {
        table->free = index + 1;
    }
}

void *table_at(const struct table *table, uint32_t index)
{
    struct entry *entry = place_of(table, index);

    return entry->link & ENTRY_LIVE ? entry : NULL;
}

void *table_find(const struct table *table, uint64_t id)
{
    const uint32_t index = (uint32_t)id - 1; /* 0 - 1 is past every mark */
    struct entry *entry = index < table->used ? table_at(table, index) : NULL;

    return entry != NULL && entry->generation == id >> 32 ? entry : NULL;
}
