/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control of the fake backend (B3): the port of libvmo/src/backend.h in the memory of one host process.
 *
 * The fake plays a small kernel with up to FAKE_SIDES tasks, its "sides". Each has a table of capability
 * slots, a table of mappings, and channels to its parent and children. Every backend call acts for the
 * current side, so that one test program can use both ends of a channel. Nothing is random and nothing
 * sleeps: each look at the clock and each poll advances the time by a fixed step. No call takes longer with
 * more objects or mappings, except in a build with AddressSanitizer.
 *
 * Where backends differ, the fake acts like NEURON: it destroys no VMO that was sent by message before the
 * channel is closed (K-29). libvmo/tests/linux and conformance test the Linux backend.
 *
 * Under AddressSanitizer, pages that no side maps are poisoned: a use of a pointer after its unmap ends the
 * test.
 */
#ifndef VMO_FAKE_H
#define VMO_FAKE_H

#include "backend.h"

#define FAKE_SIDES 4
#define FAKE_SLOTS 64 /* after fake_reset */
#define FAKE_REGIONS 64
#define FAKE_DEPTH_MAX 16
#define FAKE_PAGE_BYTES 4096
#define FAKE_USER_TOP (UINT64_C(1) << 63) /* user memory ends below it */
#define FAKE_MESSAGE_MAX_BYTES 640        /* longer than anything the core sends */

/* Features and limits of this kernel. Change them after fake_reset, through fake_config(). */
struct fake_config {
    bool has_alias;
    bool has_read;
    bool has_unmap;
    bool has_destroy;
    bool has_transfer;
    bool check_maps;           /* be_verify leaves a mapping behind */
    bool knows_objects;        /* be_identify tells objects apart */
    uint32_t slots;            /* capability slots a side, at most 2,097,152 */
    uint32_t regions;          /* mappings a side, at most 2,097,152 */
    uint32_t depth;            /* messages a queue, at most FAKE_DEPTH_MAX */
    uint32_t queued_bytes_max; /* bytes a queue: beyond it VMO_ERR_QUEUE_FULL, without waiting */
    uint64_t arena_bytes;      /* memory of all objects together */
    uint64_t object_bytes_max;
    uint64_t step_ns; /* time that one look at the clock, or one poll, takes */
};

/* Resources in use, over all sides; a test compares them to find leaks. */
struct fake_live {
    uint32_t objects;  /* memories that a capability, a mapping or a message still reaches */
    uint32_t lost;     /* memories that nothing reaches and that were not destroyed */
    uint32_t caps;     /* capabilities for a VMO, in tables */
    uint32_t slots;    /* used slots of any kind */
    uint32_t mappings; /* live mappings */
    uint32_t queued;   /* messages in queues */
};

/* Resets to one side, empty tables, every feature, no failure ordered, call count 0. Frees all memory. */
void fake_reset(void);
struct fake_config *fake_config(void);

/* The side that calls act for; 0 after fake_reset. The n-th be_spawn makes side n. */
void fake_side(uint32_t side);
uint32_t fake_side_now(void);

/* The n-th backend call from now on returns status and has no effect; n = 0 cancels that. */
void fake_fail_call(uint32_t n, vmo_status status);
/* Backend calls since fake_reset; be_now_ns does not count. */
uint32_t fake_call_count(void);

/* Ends the side that the current one spawned last. Its capabilities are closed at once, its mappings when it
 * is waited for. */
void fake_kill_peer(int32_t exit_status);

/* Sets a hook that runs at each poll of a waiting call, on the waiting side; it may act for other sides.
 * NULL removes it. */
void fake_on_poll(void (*hook)(void *context), void *context);

/* Makes a file with a copy of these bytes and returns its descriptor, or -1 if the table is full. It stays
 * until fake_reset. The second call truncates it. */
int fake_file_set(const void *bytes, size_t len);
void fake_file_truncate(int file, size_t len);

struct fake_live fake_live(void);
/* A hash (FNV-1a) of the bytes of all memories. */
uint64_t fake_contents(void);

#endif
