/* SPDX-License-Identifier: Apache-2.0 */
/* Growing tables of the fake kernel. Like NEURON, they give out the lowest free number, here without a
 * search. */
#ifndef VMO_FAKE_POOL_H
#define VMO_FAKE_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAKE_POOL_MAX 2097152

struct fake_pool {
    uint8_t *entries;
    size_t entry_bytes;
    uint32_t made; /* entries that exist; all are zero but those in use */
    uint32_t top;  /* no entry from here on was ever in use */
    uint32_t live;
    uint64_t used[FAKE_POOL_MAX / 64];           /* a bit an entry */
    uint64_t full[FAKE_POOL_MAX / 64 / 64];      /* a bit a word of `used` */
    uint64_t more[FAKE_POOL_MAX / 64 / 64 / 64]; /* a bit a word of `full` */
};

void fake_pool_init(struct fake_pool *pool, size_t entry_bytes);
void fake_pool_drop(struct fake_pool *pool);

/* Takes the lowest free entry; false if it is at `limit` or beyond. */
bool fake_pool_take(struct fake_pool *pool, uint32_t limit, uint32_t *number);
/* Zeroes and frees an entry. */
void fake_pool_give(struct fake_pool *pool, uint32_t number);

/* Zeroed memory, of which a page costs nothing until it is touched; free() takes it back. Ends the program if
 * there is none. */
void *fake_zeroed(uint64_t bytes);

/* An entry below pool->top. */
static inline void *fake_pool_at(const struct fake_pool *pool, uint32_t number)
{
    return pool->entries + number * pool->entry_bytes;
}

static inline bool fake_pool_uses(const struct fake_pool *pool, uint32_t number)
{
    return number < pool->top && (pool->used[number / 64] >> number % 64 & 1);
}

#endif
