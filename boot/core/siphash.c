/* SPDX-License-Identifier: Apache-2.0 */
#include "core/siphash.h"

#include <string.h>

#include "nexus_abi.h"

#define WORD_BYTES sizeof(uint64_t)

static inline uint64_t rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static inline void begin(uint64_t v[4], const struct sip_key *key)
{
    v[0] = key->k0 ^ UINT64_C(0x736F6D6570736575);
    v[1] = key->k1 ^ UINT64_C(0x646F72616E646F6D);
    v[2] = key->k0 ^ UINT64_C(0x6C7967656E657261);
    v[3] = key->k1 ^ UINT64_C(0x7465646279746573);
}

static inline void rounds(uint64_t v[4], unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] = rotate(v[0], 32);
        v[2] += v[1];
        v[0] += v[3];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] = rotate(v[2], 32);
    }
}

static inline void add(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    rounds(v, 2);
    v[0] ^= word;
}

/* Adds the last word: the bytes after the last whole word, and the length's low byte on top. */
static inline uint64_t end(uint64_t v[4], uint64_t last)
{
    add(v, last);
    v[2] ^= 0xFF;
    rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t siphash(const struct sip_key *key, const void *bytes, size_t n)
{
    const uint8_t *at = bytes;
    uint64_t v[4], word, last = (uint64_t)n << 56;
    begin(v, key);
    for (; n >= WORD_BYTES; n -= WORD_BYTES, at += WORD_BYTES) {
        memcpy(&word, at, sizeof(word));
        add(v, word);
    }
    for (size_t i = 0; i < n; i++) {
        last |= (uint64_t)at[i] << (8 * i);
    }
    return end(v, last);
}

static uint64_t of_page(const struct sip_key *key, const void *page)
{
    const uint8_t *at = __builtin_assume_aligned(page, sizeof(uint64_t));
    uint64_t v[4], word;
    begin(v, key);
    for (size_t off = 0; off < NX_PAGE_BYTES; off += WORD_BYTES) {
        memcpy(&word, at + off, sizeof(word));
        add(v, word);
    }
    return end(v, (uint64_t)NX_PAGE_BYTES << 56);
}

void sip_pages_begin(struct sip_pages *pages, const struct sip_key *key)
{
    pages->key = *key;
    pages->count = 0;
    begin(pages->state, key);
}

void sip_pages_add(struct sip_pages *pages, const void *page)
{
    add(pages->state, of_page(&pages->key, page));
    pages->count++;
}

uint64_t sip_pages_end(struct sip_pages *pages)
{
    return end(pages->state, pages->count * WORD_BYTES << 56);
}
