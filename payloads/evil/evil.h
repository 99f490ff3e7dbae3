/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by the evil programs: raw system calls, and children of a few instructions. Each evil_*.c is an init
 * that does one thing that breaks the real kernels or gets lost on them (docs/testing/hazards.md). It prints
 * the kernel's answers and continues if it can.
 */
#ifndef EVIL_H
#define EVIL_H

#include <stdint.h>

#include "elf64.h"
#include "nexus_abi.h"

#define ANY_SLOT UINT64_MAX
#define NOTHING UINT32_MAX                         /* evil_send: no capability to move */
#define UNMAPPED UINT64_C(0x30000000)              /* never mapped */
#define AT(object) ((uint64_t)(uintptr_t)(object)) /* an address as an argument */

/* Makes a system call, always from the same instruction (K-03; evil_call.S). */
int64_t evil_call(uint64_t number, const uint64_t args[6]);
#define CALL(number, ...) evil_call(number, (const uint64_t[6]){__VA_ARGS__})

/* Prints "evil: <what> <answer>". */
void evil_says(const char *what, int64_t answer);

/* Makes a call and prints its answer. */
#define SAYS(what, number, ...) evil_says(what, CALL(number, __VA_ARGS__))

/* ---- Messages ------------------------------------------------------------------------------------------ */

extern struct nx_ipc_hdr evil_hdr;
extern uint8_t evil_buf[64];

/* Receives into evil_hdr and evil_buf. */
int64_t evil_recv(uint64_t slot, uint64_t flags, uint64_t deadline_ns);

/* Sends an empty message that moves a slot, unless `move` is NOTHING. */
int64_t evil_send(uint64_t slot, uint32_t move, uint64_t flags);

/* ---- Children ------------------------------------------------------------------------------------------ */

#define CHILD_CODE_BYTES 64
#define CHILD_ADDRESS_AT 56 /* of the address that child_loads, child_stores and child_jumps use */

/* The children's programs (evil_child.S). */
extern const uint8_t child_exits[], child_faults[], child_is_illegal[], child_floats[], child_breaks[],
    child_is_misaligned[], child_receives[], child_spins[], child_loads[], child_stores[], child_jumps[];

/* An ELF file with one segment: its headers and the code. */
struct evil_elf {
    struct elf64_header header;
    struct elf64_program_header segment;
    uint8_t code[CHILD_CODE_BYTES];
};

void evil_make_elf(struct evil_elf *elf, const uint8_t *code);

/* Starts a child by exec (13) or exec_v2 (17). Returns its pid or an error. On a2 the child is suspended. */
int64_t evil_exec(uint64_t number, const struct evil_elf *elf);

/* Starts a child that runs when this task yields or blocks. Returns its pid. */
uint64_t evil_start(const uint8_t *code);

/* Yields until every other task has ended or blocks. */
void evil_let_run(void);

/* Starts a child, yields while it runs, and prints what wait returns for it. */
void evil_child_alone(const uint8_t *code);

#endif
