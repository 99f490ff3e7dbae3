/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The blocks of SHA-256 (FIPS 180-4, section 6.2). Eight rounds are unrolled, so that the working variables
 * rotate by name and need no moves. A loop of two words a turn computes the schedule first.
 * docs/testing/figures.md has the instructions a byte.
 */
#include "sha256_portable.h"

#include "sha256_sigma.h"
#include "vmo/sha256.h"

const uint32_t sha256_k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

/* Bytewise: a view may begin at any address, and rv64imac traps on some misaligned loads. */
static inline uint32_t load_be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

#define CH(x, y, z) (((x) & ((y) ^ (z))) ^ (z))
#define MAJ(x, y, z) (((x) & (y)) | ((z) & ((x) | (y))))
#define NEXT_WORD(w) (sha256_small1((w)[-2]) + (w)[-7] + sha256_small0((w)[-15]) + (w)[-16])

/* One round; the caller rotates the names. */
#define ROUND(a, b, c, d, e, f, g, h, i)                                                                     \
    do {                                                                                                     \
        const uint32_t t1_ = (h) + sha256_big1(e) + CH(e, f, g) + k[i] + w[i];                               \
        (d) += t1_;                                                                                          \
        (h) = t1_ + sha256_big0(a) + MAJ(a, b, c);                                                           \
    } while (0)

static void compress(uint32_t state[8], const uint8_t *block)
{
    uint32_t schedule[64];
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];

    for (unsigned i = 0; i < 16; i++) {
        schedule[i] = load_be32(block + (size_t)i * 4);
    }
    for (uint32_t *w = schedule + 16; w < schedule + 64; w += 2) {
        w[0] = NEXT_WORD(w);
        w[1] = NEXT_WORD(w + 1);
    }
    for (const uint32_t *k = sha256_k, *w = schedule; k < sha256_k + 64; k += 8, w += 8) {
        ROUND(a, b, c, d, e, f, g, h, 0);
        ROUND(h, a, b, c, d, e, f, g, 1);
        ROUND(g, h, a, b, c, d, e, f, 2);
        ROUND(f, g, h, a, b, c, d, e, 3);
        ROUND(e, f, g, h, a, b, c, d, 4);
        ROUND(d, e, f, g, h, a, b, c, 5);
        ROUND(c, d, e, f, g, h, a, b, 6);
        ROUND(b, c, d, e, f, g, h, a, 7);
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
    state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

void sha256_portable(uint32_t state[8], const uint8_t *blocks, size_t count)
{
    for (; count; count--, blocks += VMO_SHA256_BLOCK_BYTES) {
        compress(state, blocks);
    }
}
