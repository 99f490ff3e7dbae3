/* SPDX-License-Identifier: Apache-2.0 */
#include "core/frames.h"

#include <stdbool.h>
#include <string.h>

#include "core/checked.h"
#include "core/panic.h"
#include "core/port.h"

#define WORD_BITS 64u

static struct {
    uint64_t *taken;   /* one bit a frame; bits past the last frame are set */
    uint64_t words;    /* of taken */
    uint64_t first_pa; /* of the first allocatable frame */
    uint64_t total;    /* allocatable frames */
    uint64_t in_use;
    uint64_t hint_word; /* no word below this one has a free bit */
} pool;

void frames_init(uint64_t pa, uint64_t bytes)
{
    memset(&pool, 0, sizeof(pool));
    const uint64_t all = bytes / PAGE_BYTES;
    const uint64_t bitmap_frames = (all + 8 * PAGE_BYTES - 1) / (8 * PAGE_BYTES);
    if (!page_aligned(pa) || pa == 0 || bitmap_frames >= all) {
        kernel_panic("no room for kernel frames", bytes);
    }

    pool.taken = port_ptr(pa);
    pool.total = all - bitmap_frames;
    pool.first_pa = pa + bitmap_frames * PAGE_BYTES;
    pool.words = (pool.total + WORD_BITS - 1) / WORD_BITS;
    memset(pool.taken, 0, pool.words * sizeof(pool.taken[0]));
    if (pool.total % WORD_BITS != 0) {
        pool.taken[pool.words - 1] = UINT64_MAX << pool.total % WORD_BITS;
    }
}

uint64_t frames_alloc_raw(void)
{
    while (pool.hint_word < pool.words && pool.taken[pool.hint_word] == UINT64_MAX) {
        pool.hint_word++;
    }
    if (pool.hint_word == pool.words) {
        return 0;
    }

    const uint64_t word = pool.taken[pool.hint_word];
    const unsigned bit = (unsigned)__builtin_ctzll(~word); /* the lowest free frame */
    pool.taken[pool.hint_word] = word | UINT64_C(1) << bit;
    pool.in_use++;
    return pool.first_pa + (pool.hint_word * WORD_BITS + bit) * PAGE_BYTES;
}

uint64_t frames_alloc(void)
{
    const uint64_t pa = frames_alloc_raw();
    if (pa != 0) {
        memset(port_ptr(pa), 0, PAGE_BYTES);
    }
    return pa;
}

void frames_free(uint64_t pa)
{
    frames_free_used(pa, PAGE_BYTES);
}

void frames_free_used(uint64_t pa, uint64_t bytes)
{
    if (!page_aligned(pa) || pa < pool.first_pa || (pa - pool.first_pa) / PAGE_BYTES >= pool.total) {
        kernel_panic("free of a frame outside the pool", pa);
    }
    const uint64_t index = (pa - pool.first_pa) / PAGE_BYTES;
    const uint64_t mask = UINT64_C(1) << index % WORD_BITS;
    if ((pool.taken[index / WORD_BITS] & mask) == 0) {
        kernel_panic("a frame was freed twice", pa);
    }

    memset(port_ptr(pa), FRAMES_JUNK, min_u64(bytes, PAGE_BYTES));
    pool.taken[index / WORD_BITS] &= ~mask;
    pool.in_use--;
    pool.hint_word = min_u64(pool.hint_word, index / WORD_BITS);
}

uint64_t frames_in_use(void)
{
    return pool.in_use;
}

uint64_t frames_available(void)
{
    return pool.total - pool.in_use;
}
