/* SPDX-License-Identifier: Apache-2.0 */
/* One system call between two reads of the instruction counter, and nothing else. */
#ifndef COST_CALL_H
#define COST_CALL_H

/* Offsets in struct cost_call for cost_call.S; pinned below. */
#define COST_NUMBER 0
#define COST_ARGS 8
#define COST_ANSWER 56
#define COST_BEGIN 64
#define COST_END 72

#define COST_REGISTER 0x5EED000000000000 /* cost_registers fills register n with this + n */

#ifndef __ASSEMBLER__
#include <stddef.h>
#include <stdint.h>

struct cost_call {
    uint64_t number;
    uint64_t args[6];
    int64_t answer;      /* out */
    uint64_t begin, end; /* out: instructions retired before the ecall and after it */
};

_Static_assert(offsetof(struct cost_call, number) == COST_NUMBER, "cost_call.S: number");
_Static_assert(offsetof(struct cost_call, args) == COST_ARGS, "cost_call.S: args");
_Static_assert(offsetof(struct cost_call, answer) == COST_ANSWER, "cost_call.S: answer");
_Static_assert(offsetof(struct cost_call, begin) == COST_BEGIN, "cost_call.S: begin");
_Static_assert(offsetof(struct cost_call, end) == COST_END, "cost_call.S: end");

#define CALL(nr, ...) (&(struct cost_call){.number = (nr), .args = {__VA_ARGS__}})

void cost_call(struct cost_call *call);

/* Makes a call without arguments, with a known value in every register, and stores the registers after it.
 * In cost_registers.S. */
void cost_registers(uint64_t number);
extern const volatile uint64_t cost_registers_after[32];

/* The difference of two consecutive reads, to be subtracted from every cost. */
uint64_t cost_of_nothing(void);
#endif

#endif
