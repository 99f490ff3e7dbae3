/* SPDX-License-Identifier: Apache-2.0 */
/* The system calls that the payloads make themselves, for console and exit. libvmo makes all others. */
#ifndef CRT_SYS_H
#define CRT_SYS_H

#include <stdint.h>

#include "nexus_abi.h"

/* Two ecalls that the compiler cannot merge. Callers alternate them, because the kernel refuses more than
 * 10,001 consecutive calls from one address (K-03). a1 clobbers t0 to t2 (K-02). */
#define SYS_ECALL(name, turn)                                                                                \
    static inline int64_t name(uint64_t number, uint64_t arg0, uint64_t arg1)                                \
    {                                                                                                        \
        register uint64_t a0 __asm__("a0") = arg0;                                                           \
        register uint64_t a1 __asm__("a1") = arg1;                                                           \
        register uint64_t a7 __asm__("a7") = number;                                                         \
        __asm__ volatile("ecall # " turn : "+r"(a0), "+r"(a1) : "r"(a7) : "t0", "t1", "t2", "memory");       \
        return (int64_t)a0;                                                                                  \
    }

SYS_ECALL(sys_ecall_odd, "odd")
SYS_ECALL(sys_ecall_even, "even")

#endif
