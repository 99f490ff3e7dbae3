/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 by the instructions of ARMv8. gcc takes them from the attribute. clang before 16 declares them only
 * under -march=armv8-a+crypto; without it, a program that clang compiles has the portable form.
 */
#include "lx_sha256_blocks.h"

#if defined(__AARCH64EL__) && (defined(__ARM_FEATURE_SHA2) || !defined(__clang__))

#include <arm_neon.h>
#include <sys/auxv.h>

#include "sha256_portable.h"
#include "vmo/sha256.h"

#define SHA2 __attribute__((target("+crypto")))
#define HAS_SHA2 (1ul << 6) /* HWCAP_SHA2 of the kernel's <asm/hwcap.h> */

/* Four words of the block, in the machine's byte order. */
SHA2 static inline uint32x4_t load_words(const uint8_t *from)
{
    return vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(from)));
}

/* The next four words of the schedule, after the sixteen in w0 to w3. */
SHA2 static inline uint32x4_t next_words(uint32x4_t w0, uint32x4_t w1, uint32x4_t w2, uint32x4_t w3)
{
    return vsha256su1q_u32(vsha256su0q_u32(w0, w1), w2, w3);
}

SHA2 static inline void four_rounds(uint32x4_t *abcd, uint32x4_t *efgh, uint32x4_t words, const uint32_t *k)
{
    const uint32x4_t sum = vaddq_u32(words, vld1q_u32(k));
    const uint32x4_t before = *abcd;
    *abcd = vsha256hq_u32(*abcd, *efgh, sum);
    *efgh = vsha256h2q_u32(*efgh, before, sum);
}

SHA2 static inline void compress(uint32x4_t *abcd, uint32x4_t *efgh, const uint8_t *block)
{
    const uint32_t *k = sha256_k;
    uint32x4_t w0 = load_words(block), w1 = load_words(block + 16);
    uint32x4_t w2 = load_words(block + 32), w3 = load_words(block + 48);

    for (; k < sha256_k + 48; k += 16) {
        four_rounds(abcd, efgh, w0, k);
        w0 = next_words(w0, w1, w2, w3);
        four_rounds(abcd, efgh, w1, k + 4);
        w1 = next_words(w1, w2, w3, w0);
        four_rounds(abcd, efgh, w2, k + 8);
        w2 = next_words(w2, w3, w0, w1);
        four_rounds(abcd, efgh, w3, k + 12);
        w3 = next_words(w3, w0, w1, w2);
    }
    four_rounds(abcd, efgh, w0, k);
    four_rounds(abcd, efgh, w1, k + 4);
    four_rounds(abcd, efgh, w2, k + 8);
    four_rounds(abcd, efgh, w3, k + 12);
}

SHA2 static void armv8(uint32_t state[8], const uint8_t *blocks, size_t count)
{
    uint32x4_t abcd = vld1q_u32(state), efgh = vld1q_u32(state + 4);

    for (; count; count--, blocks += VMO_SHA256_BLOCK_BYTES) {
        const uint32x4_t abcd_before = abcd, efgh_before = efgh;
        compress(&abcd, &efgh, blocks);
        abcd = vaddq_u32(abcd, abcd_before);
        efgh = vaddq_u32(efgh, efgh_before);
    }
    vst1q_u32(state, abcd);
    vst1q_u32(state + 4, efgh);
}

lx_sha256_blocks *lx_sha256_arm(void)
{
    return (getauxval(AT_HWCAP) & HAS_SHA2) ? armv8 : NULL;
}

#else

lx_sha256_blocks *lx_sha256_arm(void)
{
    return NULL;
}

#endif
