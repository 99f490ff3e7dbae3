/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of entries in the caller's storage. Taking and giving back an entry is O(1): free entries form a
 * list, and entries that were never used lie beyond a high-water mark and are not touched before.
 */
#ifndef VMO_TABLE_H
#define VMO_TABLE_H

#include <stdbool.h>
#include <stdint.h>

/* First member of every entry. */
struct entry {
    uint32_t generation; /* of a named table: counts how often the entry was given back */
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
    bool named; /* handles name the entries: an entry whose generations are used up is retired */
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
