/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of entries in the caller's storage. Taking and freeing an entry is O(1): freed entries form a list;
 * those at or above the high-water mark were never used, and their storage is never touched.
 *
 * Every call of a program looks up a handle. C's `inline` lets the compiler choose for each caller: a copy
 * where it optimises for speed, a call of the one in table.c where it optimises for size.
 */
#ifndef VMO_TABLE_H
#define VMO_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* First member of every entry. */
struct entry {
    uint32_t generation; /* in a named table: how often the entry was freed */
    uint32_t link;       /* live: ENTRY_LIVE and the entry's index; free: index + 1 of the next free entry */
};
#define ENTRY_LIVE 0x80000000u

struct table {
    uint8_t *entries;
    uint32_t entry_bytes;
    uint32_t limit;
    uint32_t used; /* high-water mark */
    uint32_t free; /* index + 1 of the first free entry below the mark; 0: none */
    uint32_t live;
    bool named; /* handles name its entries: an entry at its last generation is never reused */
};

static inline bool table_full(const struct table *table)
{
    return table->free == 0 && table->used == table->limit;
}

/* The id of a live entry: generation in bits 63..32, index + 1 in bits 31..0. So no id is 0. */
static inline uint64_t table_id(const struct entry *entry)
{
    return (uint64_t)entry->generation << 32 | ((entry->link & ~ENTRY_LIVE) + 1);
}

inline void *table_place(const struct table *table, uint32_t index)
{
    return table->entries + (size_t)index * table->entry_bytes;
}

/* Makes a free entry live. The table must not be full. */
inline void *table_take(struct table *table)
{
    const bool fresh = table->free == 0;
    const uint32_t index = fresh ? table->used++ : table->free - 1;
    struct entry *entry = table_place(table, index);

    if (fresh) {
        entry->generation = 0; /* the storage is not initialised */
    } else {
        table->free = entry->link;
    }
    entry->link = ENTRY_LIVE | index;
    table->live++;
    return entry;
}

/* Frees a live entry, which makes its id stale. */
inline void table_give(struct table *table, struct entry *entry)
{
    const uint32_t index = entry->link & ~ENTRY_LIVE;

    table->live--;
    entry->link = table->free;
    if (!table->named || ++entry->generation != UINT32_MAX) {
        table->free = index + 1;
    }
}

/* The live entry at an index below table->used, or NULL. */
inline void *table_at(const struct table *table, uint32_t index)
{
    struct entry *entry = table_place(table, index);

    return entry->link & ENTRY_LIVE ? entry : NULL;
}

/* The live entry that an id names, or NULL. */
inline void *table_find(const struct table *table, uint64_t id)
{
    const uint32_t index = (uint32_t)id - 1; /* 0 - 1 is past every mark */
    struct entry *entry = index < table->used ? table_at(table, index) : NULL;

    return entry != NULL && entry->generation == id >> 32 ? entry : NULL;
}

#endif
