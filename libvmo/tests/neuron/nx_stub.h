/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stub of nx_call for the NEURON backend on the host: a small kernel of either ABI revision with one task.
 * It answers as docs/abi.md states. It counts all calls, and those that would panic a real kernel. A test can
 * remove calls, and inject an answer for the n-th call of a number.
 *
 * The backend has static state (features, budgets, addresses), so each case runs in its own process.
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
    bool child;       /* the task is not init */
    uint64_t without; /* one bit for each call that answers -38 */
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
    uint32_t queued;  /* messages sent; no task receives them */
    int32_t incoming; /* kind of capability in the message to receive; -1: no message */
    uint32_t calls[NX_SYS_COUNT];
};
extern struct stub stub;

#define STUB_NO_MESSAGE (-1)
#define WITHOUT(number) (UINT64_C(1) << (number))

void stub_boot(bool a1, bool child, uint64_t without);
/* From now on the nth call (from 1; 0: each) of this number returns this answer and has no effect. */
void stub_inject(uint64_t number, uint32_t nth, int64_t answer);
/* Removes the injected answers; checks that each was used. */
void stub_check_injected(void);
/* K-26: gives the first units of 2 MiB of the window a page table, so that no 2 MiB page fits there. */
void stub_add_page_tables(uint32_t units);
uint32_t stub_used_slots(void);
uint32_t stub_regions(void);
/* Number of calls without nsec and yield. */
uint32_t stub_all_calls(void);
/* Ends the newest child. */
void stub_end_child(void);

/* A program of one or two segments without file bytes, each of memory_bytes at its address. */
struct vmo_program stub_program(uint64_t va, uint64_t memory_bytes);
struct vmo_program stub_program_of_two(uint64_t va, uint64_t second_va, uint64_t memory_bytes);

/* Runs the function in a new process; returns true if it returned. */
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
