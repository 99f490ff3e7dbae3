/* SPDX-License-Identifier: Apache-2.0 */
/* A system call with any number and six arguments that returns a0 and a1 (K-01). */
#ifndef PROBE_ECALL_H
#define PROBE_ECALL_H

#include <stdint.h>

#include "nexus_abi.h"

struct probe_answer {
    int64_t a0;
    int64_t a1;
};

/* Two ecalls that the compiler cannot merge (K-03). a1 clobbers t0 to t2 (K-02). */
#define PROBE_ECALL(name, turn)                                                                              \
    static inline struct probe_answer name(uint64_t number, const uint64_t args[6])                          \
    {                                                                                                        \
        register uint64_t a0 __asm__("a0") = args[0];                                                        \
        register uint64_t a1 __asm__("a1") = args[1];                                                        \
        register uint64_t a2 __asm__("a2") = args[2];                                                        \
        register uint64_t a3 __asm__("a3") = args[3];                                                        \
        register uint64_t a4 __asm__("a4") = args[4];                                                        \
        register uint64_t a5 __asm__("a5") = args[5];                                                        \
        register uint64_t a7 __asm__("a7") = number;                                                         \
        __asm__ volatile("ecall # " turn                                                                     \
                         : "+r"(a0), "+r"(a1)                                                                \
                         : "r"(a2), "r"(a3), "r"(a4), "r"(a5), "r"(a7)                                       \
                         : "t0", "t1", "t2", "memory");                                                      \
        return (struct probe_answer){(int64_t)a0, (int64_t)a1};                                              \
    }

PROBE_ECALL(probe_ecall_odd, "odd")
PROBE_ECALL(probe_ecall_even, "even")

static inline uint64_t at(const volatile void *pointer)
{
    return (uint64_t)(uintptr_t)pointer;
}

#endif
