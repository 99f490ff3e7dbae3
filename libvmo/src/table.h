/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of entries in the caller's storage. Taking and freeing an entry is O(1): freed entries form a list;
 * those at or above the high-water mark were never used, and their storage is never touched.
 */
#ifndef VMO_TABLE_H
#define VMO_TABLE_H

#include <stdbool.h>
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

/* Makes a free entry live. The table must not be full. */
void *table_take(struct table *table);
/* Frees a live entry, which makes its id stale. */
void table_give(struct table *table, struct entry *entry);

/* The id of a live entry: generation in bits 63..32, index + 1 in bits 31..0. So no id is 0. */
static inline uint64_t table_id(const struct entry *entry)
{
    return (uint64_t)entry->generation << 32 | ((entry->link & ~ENTRY_LIVE) + 1);
}

/* The live entry that an id names, or NULL. */
void *table_find(const struct table *table, uint64_t id);
/* The live entry at an index below table->used, or NULL. */
void *table_at(const struct table *table, uint32_t index);

#endif
