/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stand-in for nx_call, below the NEURON backend on the host: a small kernel of either revision with one
 * task. It answers as docs/abi.md states, counts the calls, and counts those that would panic a real
 * kernel. A test may take calls away, and order an answer for the n-th call of a number.
 *
 * The backend keeps static state (features, budgets, addresses), so each case is a process of its own.
 */
#ifndef NX_STUB_H
#define NX_STUB_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "backend.h"
#include "nexus_abi.h"
#include "page.h"

enum stub_kind { STUB_FREE, STUB_BOOTSTRAP, STUB_FACTORY, STUB_VMO, STUB_ALIAS, STUB_END, STUB_WATCH };

struct stub_slot {
    enum stub_kind kind;
    uint64_t size;
    uint64_t base; /* physical address */
    int32_t pid;   /* STUB_WATCH: of the child */
};

#define STUB_CHILDREN_MAX 400

struct stub {
    bool a1;
    bool child;       /* the task is no init */
    uint64_t without; /* calls that answer -38, one bit each */
    uint64_t now_ns;
    uint64_t next_base; /* physical address of the next VMO */
    uint64_t arena_used;
    uint64_t tables_used;
    uint32_t panics; /* calls that would have panicked a real kernel */
    uint32_t slot_count;
    struct stub_slot slots[NX_SLOTS_A2];
    uint32_t children;
    bool ended[STUB_CHILDREN_MAX];
    bool reaped[STUB_CHILDREN_MAX];
    uint32_t child_slots[STUB_CHILDREN_MAX];
    uint32_t queued;  /* messages that nobody receives */
    int32_t incoming; /* the kind of capability of the one message to receive; -1: there is none */
    uint32_t calls[NX_SYS_COUNT];
};
extern struct stub stub;

#define STUB_NO_MESSAGE (-1)
#define WITHOUT(number) (UINT64_C(1) << (number))

void stub_boot(bool a1, bool child, uint64_t without);
/* The nth call (from 1; 0: every one) of this number from now on answers this and has no effect. */
void stub_order(uint64_t number, uint32_t nth, int64_t answer);
/* Cancels the orders; each must have been used. */
void stub_forget_orders(void);
/* K-26: the first units of 2 MiB of the window have a page table. */
void stub_spoil(uint32_t units);
uint32_t stub_used_slots(void);
uint32_t stub_regions(void);
/* All calls but nsec and yield. */
uint32_t stub_all_calls(void);
/* The child that was made last ends. */
void stub_end_child(void);

/* A program of one segment without bytes, with memory of this many bytes at an address; or of two such. */
struct vmo_program stub_program(uint64_t va, uint64_t memory_bytes);
struct vmo_program stub_program_of_two(uint64_t va, uint64_t second_va, uint64_t memory_bytes);

/* Runs in a process of its own; true if it returned. */
bool stub_alone(void (*run)(const void *), const void *context);

#define CHECK_EQ(found, wanted)                                                                              \
    do {                                                                                                     \
        const long long found_ = (long long)(found), wanted_ = (long long)(wanted);                          \
        if (found_ != wanted_) {                                                                             \
            (void)fprintf(stderr, "# %s:%d: %s: found %lld, wanted %lld\n", __FILE__, __LINE__, #found,      \
                          found_, wanted_);                                                                  \
            _exit(1);                                                                                        \
        }                                                                                                    \
    } while (0)
#define CHECK(condition) CHECK_EQ(!!(condition), 1)

#endif
