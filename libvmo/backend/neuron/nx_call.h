/* SPDX-License-Identifier: Apache-2.0 */
/* NEURON's system calls, and which of them this kernel has (R14). */
#ifndef NX_CALL_H
#define NX_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nexus_abi.h"

struct nx_result {
    int64_t a0;
    int64_t a1;
};

/* nx_ecall.S */
struct nx_result nx_call(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5,
                         uint64_t number);

static inline int64_t nx_call0(uint64_t number)
{
    return nx_call(0, 0, 0, 0, 0, 0, number).a0;
}

static inline int64_t nx_call1(uint64_t number, uint64_t a0)
{
    return nx_call(a0, 0, 0, 0, 0, 0, number).a0;
}

static inline int64_t nx_call2(uint64_t number, uint64_t a0, uint64_t a1)
{
    return nx_call(a0, a1, 0, 0, 0, 0, number).a0;
}

static inline int64_t nx_call3(uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2)
{
    return nx_call(a0, a1, a2, 0, 0, 0, number).a0;
}

static inline int64_t nx_call4(uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)
{
    return nx_call(a0, a1, a2, a3, 0, 0, number).a0;
}

static inline uint64_t nx_address(const void *pointer)
{
    return (uint64_t)(uintptr_t)pointer;
}

/* What the probe found. No other file asks for the ABI revision. */
struct nx_features {
    bool map;      /* 4 */
    bool vm_map;   /* 53 */
    bool vm_unmap; /* 54 */
    bool share_ro; /* 51 */
    bool destroy;  /* 46 */
    bool read;     /* 47 */
    bool resume;   /* 32 */
    bool init;     /* this task is init: it has the endpoint factory (K-14) */
};

/* Probed once, each by a call that the kernel refuses before it does anything. */
const struct nx_features *nx_features(void);

/* Reads a byte of every page: the caller faults instead of the kernel, which would panic (K-64). */
void nx_touch(const void *memory, uint64_t bytes);

/* True if the slot is a VMO of at least size_bytes that this task may write (K-21). Writes nothing. */
bool nx_slot_writable(int32_t slot, uint64_t size_bytes);

#endif
