/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The four sigma functions of SHA-256 (FIPS 180-4, section 4.1.2), by what the compiler may use:
 *
 *   Zknh               one instruction for each function
 *   a rotate, or Zbb   one instruction for each rotation
 *   rv64imac           3 for each rotation; so x << 32 is shifted and folded: 8, not 11, for 3 rotations
 *
 * A hart without Zbb or Zknh traps on their instructions, so no build has them by default.
 */
#ifndef VMO_SHA256_SIGMA_H
#define VMO_SHA256_SIGMA_H

#include <stdint.h>

/* A test sets it, to compile the form without a rotate on any machine. */
#ifndef SHA256_ROTATES
#if defined(__riscv) && !defined(__riscv_zbb)
#define SHA256_ROTATES 0
#else
#define SHA256_ROTATES 1
#endif
#endif

#ifdef __riscv_zknh
#define SHA256_SIGMA(name, instruction)                                                                      \
    static inline uint32_t name(uint32_t x)                                                                  \
    {                                                                                                        \
        uint32_t result;                                                                                     \
        __asm__(instruction " %0, %1" : "=r"(result) : "r"(x));                                              \
        return result;                                                                                       \
    }
SHA256_SIGMA(sha256_big0, "sha256sum0")
SHA256_SIGMA(sha256_big1, "sha256sum1")
SHA256_SIGMA(sha256_small0, "sha256sig0")
SHA256_SIGMA(sha256_small1, "sha256sig1")
#undef SHA256_SIGMA
#else

#if SHA256_ROTATES
static inline uint32_t sha256_rotate(uint32_t x, unsigned n)
{
    return x >> n | x << (32 - n);
}
#else
/* Each shift leaves the high part of its rotation in the upper half, the low part in the lower one. */
static inline uint32_t sha256_fold(uint64_t x)
{
    return (uint32_t)(x >> 32 ^ x);
}
#endif

/* One function for both forms: gcovr merges builds by a function's line. */
static inline uint32_t sha256_rotate2(uint32_t x, unsigned i, unsigned j)
{
#if SHA256_ROTATES
    return sha256_rotate(x, i) ^ sha256_rotate(x, j);
#else
    const uint64_t high = (uint64_t)x << 32;
    return sha256_fold(high >> i ^ high >> j);
#endif
}

static inline uint32_t sha256_rotate3(uint32_t x, unsigned i, unsigned j, unsigned k)
{
#if SHA256_ROTATES
    return sha256_rotate2(x, i, j) ^ sha256_rotate(x, k);
#else
    const uint64_t high = (uint64_t)x << 32;
    return sha256_fold(high >> i ^ high >> j ^ high >> k);
#endif
}

static inline uint32_t sha256_big0(uint32_t x)
{
    return sha256_rotate3(x, 2, 13, 22);
}

static inline uint32_t sha256_big1(uint32_t x)
{
    return sha256_rotate3(x, 6, 11, 25);
}

static inline uint32_t sha256_small0(uint32_t x)
{
    return sha256_rotate2(x, 7, 18) ^ x >> 3;
}

static inline uint32_t sha256_small1(uint32_t x)
{
    return sha256_rotate2(x, 17, 19) ^ x >> 10;
}
#endif

#endif
