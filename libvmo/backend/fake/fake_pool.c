/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_pool.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void fake_pool_init(struct fake_pool *pool, size_t entry_bytes)
{
    *pool = (struct fake_pool){.entry_bytes = entry_bytes};
}

void fake_pool_drop(struct fake_pool *pool)
{
    const size_t words = pool->top / 64 + 1;

    free(pool->entries);
    pool->entries = NULL;
    pool->made = 0;
    pool->top = 0;
    pool->live = 0;
    /* The rest was never set. */
    memset(pool->used, 0, (words < FAKE_POOL_MAX / 64 ? words : FAKE_POOL_MAX / 64) * sizeof(uint64_t));
    memset(pool->full, 0, sizeof(pool->full));
    memset(pool->more, 0, sizeof(pool->more));
}

static uint32_t lowest_zero(uint64_t word)
{
    return (uint32_t)__builtin_ctzll(~word);
}

static bool grow(struct fake_pool *pool, uint32_t number)
{
    if (number < pool->made) {
        return true;
    }
    const uint32_t made = pool->made ? pool->made * 2 : 64;
    uint8_t *entries = realloc(pool->entries, made * pool->entry_bytes);
    if (entries == NULL) {
        return false;
    }
    memset(entries + pool->made * pool->entry_bytes, 0, (made - pool->made) * pool->entry_bytes);
    pool->entries = entries;
    pool->made = made;
    return true;
}

bool fake_pool_take(struct fake_pool *pool, uint32_t limit, uint32_t *number)
{
    uint32_t at = 0;

    while (at < FAKE_POOL_MAX / 64 / 64 / 64 && pool->more[at] == UINT64_MAX) {
        at++;
    }
    if (at == FAKE_POOL_MAX / 64 / 64 / 64) {
        return false;
    }
    at = at * 64 + lowest_zero(pool->more[at]);
    at = at * 64 + lowest_zero(pool->full[at]);
    at = at * 64 + lowest_zero(pool->used[at]);
    if (at >= limit || !grow(pool, at)) {
        return false;
    }
    pool->used[at / 64] |= UINT64_C(1) << at % 64;
    if (pool->used[at / 64] == UINT64_MAX) {
        pool->full[at / 64 / 64] |= UINT64_C(1) << at / 64 % 64;
        if (pool->full[at / 64 / 64] == UINT64_MAX) {
            pool->more[at / 64 / 64 / 64] |= UINT64_C(1) << at / 64 / 64 % 64;
        }
    }
    pool->top = at >= pool->top ? at + 1 : pool->top;
    pool->live++;
    *number = at;
    return true;
}

void fake_pool_give(struct fake_pool *pool, uint32_t number)
{
    memset(fake_pool_at(pool, number), 0, pool->entry_bytes);
    pool->used[number / 64] &= ~(UINT64_C(1) << number % 64);
    pool->full[number / 64 / 64] &= ~(UINT64_C(1) << number / 64 % 64);
    pool->more[number / 64 / 64 / 64] &= ~(UINT64_C(1) << number / 64 / 64 % 64);
    pool->live--;
}

void *fake_zeroed(uint64_t bytes)
{
    void *made = calloc(1, (size_t)bytes);
    assert(made != NULL);
    return made;
}
