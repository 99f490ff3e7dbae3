/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SipHash-2-4 (Aumasson and Bernstein, 2012): a 64-bit hash under a 128-bit key. The audit uses it so that no
 * task can compute the hash of its own memory.
 */
#ifndef CORE_SIPHASH_H
#define CORE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct sip_key {
    uint64_t k0, k1; /* the key's 16 bytes as two little-endian words */
};

uint64_t siphash(const struct sip_key *key, const void *bytes, size_t n);

/*
 * The hash of whole pages: SipHash of the pages' SipHashes, each as 8 little-endian bytes, all under one key.
 * A host can hash the pages side by side.
 */
struct sip_pages {
    struct sip_key key;
    uint64_t state[4];
    uint64_t count;
};

void sip_pages_begin(struct sip_pages *pages, const struct sip_key *key);
void sip_pages_add(struct sip_pages *pages, const void *page); /* NX_PAGE_BYTES, aligned to 8 bytes */
uint64_t sip_pages_end(struct sip_pages *pages);

#endif
