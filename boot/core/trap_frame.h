/* SPDX-License-Identifier: Apache-2.0 */
/* The user registers of a stopped task. arch/trap_entry.S uses offsets that arch/trap.c asserts. */
#ifndef CORE_TRAP_FRAME_H
#define CORE_TRAP_FRAME_H

#include <stdint.h>

struct trap_frame {
    uint64_t x[32]; /* x[0] is unused, so that the indices are those of the ISA */
    uint64_t pc;
    uint64_t user_instret; /* instructions retired in user mode */
};

/* Register numbers in x[]. */
enum {
    REG_RA = 1,
    REG_SP = 2,
    REG_GP = 3,
    REG_TP = 4,
    REG_T0 = 5,
    REG_T1 = 6,
    REG_T2 = 7,
    REG_A0 = 10,
    REG_A1 = 11,
    REG_A7 = 17
};

#endif
