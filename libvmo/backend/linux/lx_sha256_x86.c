/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 by SHA-NI. The functions name their instructions in an attribute, so the rest of the library is
 * compiled for any x86-64.
 */
#include "lx_sha256_blocks.h"

#ifdef __x86_64__

#include <cpuid.h>
#include <immintrin.h>
#include <stdbool.h>

#include "sha256_portable.h"
#include "vmo/sha256.h"

#define SHA_NI __attribute__((target("sha,sse4.1,ssse3")))

static bool has_sha_ni(void)
{
    unsigned a = 0, b = 0, c = 0, d = 0;

    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSSE3) || !(c & bit_SSE4_1)) {
        return false;
    }
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA);
}

SHA_NI static inline __m128i load(const void *from)
{
    return _mm_loadu_si128(from);
}

/* Four words of the block, in the machine's byte order. */
SHA_NI static inline __m128i load_words(const uint8_t *from)
{
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    return _mm_shuffle_epi8(load(from), swap);
}

/* The next four words of the schedule, after the sixteen in w0 to w3. */
SHA_NI static inline __m128i next_words(__m128i w0, __m128i w1, __m128i w2, __m128i w3)
{
    const __m128i middle = _mm_alignr_epi8(w3, w2, 4); /* words 9 to 12 */
    return _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), middle), w3);
}

SHA_NI static inline void four_rounds(__m128i *abef, __m128i *cdgh, __m128i words, const uint32_t *k)
{
    const __m128i sum = _mm_add_epi32(words, load(k));
    *cdgh = _mm_sha256rnds2_epu32(*cdgh, *abef, sum);
    *abef = _mm_sha256rnds2_epu32(*abef, *cdgh, _mm_shuffle_epi32(sum, 0x0e));
}

SHA_NI static inline void compress(__m128i *abef, __m128i *cdgh, const uint8_t *block)
{
    const uint32_t *k = sha256_k;
    __m128i w0 = load_words(block), w1 = load_words(block + 16);
    __m128i w2 = load_words(block + 32), w3 = load_words(block + 48);

    for (; k < sha256_k + 48; k += 16) {
        four_rounds(abef, cdgh, w0, k);
        w0 = next_words(w0, w1, w2, w3);
        four_rounds(abef, cdgh, w1, k + 4);
        w1 = next_words(w1, w2, w3, w0);
        four_rounds(abef, cdgh, w2, k + 8);
        w2 = next_words(w2, w3, w0, w1);
        four_rounds(abef, cdgh, w3, k + 12);
        w3 = next_words(w3, w0, w1, w2);
    }
    four_rounds(abef, cdgh, w0, k);
    four_rounds(abef, cdgh, w1, k + 4);
    four_rounds(abef, cdgh, w2, k + 8);
    four_rounds(abef, cdgh, w3, k + 12);
}

/* The instructions take the state as a, b, e, f and c, d, g, h, the first in the highest lane. */
SHA_NI static void sha_ni(uint32_t state[8], const uint8_t *blocks, size_t count)
{
    const __m128i badc = _mm_shuffle_epi32(load(state), 0xb1);
    const __m128i hgfe = _mm_shuffle_epi32(load(state + 4), 0x1b);
    __m128i abef = _mm_alignr_epi8(badc, hgfe, 8);
    __m128i cdgh = _mm_blend_epi16(hgfe, badc, 0xf0);

    for (; count; count--, blocks += VMO_SHA256_BLOCK_BYTES) {
        const __m128i abef_before = abef, cdgh_before = cdgh;
        compress(&abef, &cdgh, blocks);
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }
    const __m128i feba = _mm_shuffle_epi32(abef, 0x1b);
    const __m128i dchg = _mm_shuffle_epi32(cdgh, 0xb1);
    _mm_storeu_si128((void *)state, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128((void *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

lx_sha256_blocks *lx_sha256_x86(void)
{
    return has_sha_ni() ? sha_ni : NULL;
}

#else

lx_sha256_blocks *lx_sha256_x86(void)
{
    return NULL;
}

#endif
