/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control of the fake backend (B3): the port of libvmo/src/backend.h in the memory of one host process.
 *
 * The fake plays a small kernel with up to FAKE_SIDES tasks, its "sides". Each has a table of capability
 * slots, a table of mappings and the channels to the sides it spawned or was spawned by. One side is current,
 * and every backend call acts for it, so that one test program can hold both ends of a channel. Nothing is
 * random and nothing sleeps: time moves by a fixed step each time somebody looks at it or waits.
 *
 * It plays NEURON where backends differ. So what was sent by message is not destroyed before the channel is
 * closed (K-29). How Linux differs is tested on the Linux backend itself (libvmo/tests/linux, conformance).
 *
 * Under AddressSanitizer, pages that no side maps are poisoned: a pointer used after its mapping went
 * ends the test.
 */
#ifndef VMO_FAKE_H
#define VMO_FAKE_H

#include "backend.h"

#define FAKE_SIDES 4
#define FAKE_SLOTS_MAX 64
#define FAKE_REGIONS_MAX 64
#define FAKE_DEPTH_MAX 16
#define FAKE_PAGE_BYTES 4096
#define FAKE_MESSAGE_MAX_BYTES 512 /* longer than anything the core sends */

/* What this kernel can do and how much it has. Change it after fake_reset, through fake_config(). */
struct fake_config {
    bool has_alias;
    bool has_read;
    bool has_unmap;
    bool has_destroy;
    bool has_transfer;
    bool check_maps;           /* be_verify leaves a mapping behind */
    uint32_t slots;            /* capability slots a side, at most FAKE_SLOTS_MAX */
    uint32_t regions;          /* mappings a side, at most FAKE_REGIONS_MAX */
    uint32_t depth;            /* messages a queue, at most FAKE_DEPTH_MAX */
    uint32_t queued_bytes_max; /* bytes a queue: beyond it VMO_ERR_QUEUE_FULL, without waiting */
    uint64_t arena_bytes;      /* memory of all objects together */
    uint64_t object_bytes_max;
    uint64_t step_ns; /* how far one look at the clock, or one poll, moves it */
};

/* Everything that a test may have leaked, over all sides. */
struct fake_live {
    uint32_t objects;  /* memories that a capability, a mapping or a message still reaches */
    uint32_t lost;     /* memories that nothing reaches any more and nobody destroyed */
    uint32_t caps;     /* capabilities for a VMO, in tables */
    uint32_t slots;    /* used slots of any kind */
    uint32_t mappings; /* live mappings */
    uint32_t queued;   /* messages under way */
};

/* Back to one side, empty tables, every feature, no failure ordered, call count 0. Frees all memory. */
void fake_reset(void);
struct fake_config *fake_config(void);

/* The side that calls act for; 0 after fake_reset. The n-th be_spawn makes side n. */
void fake_side(uint32_t side);
uint32_t fake_side_now(void);

/* The n-th backend call from now on returns status and has no effect; n = 0 takes the order back. */
void fake_fail_call(uint32_t n, vmo_status status);
/* Backend calls since fake_reset; be_now_ns is none. */
uint32_t fake_call_count(void);

/* Ends the side that the current one spawned last: its capabilities go at once, its mappings when it is
 * waited for. */
void fake_kill_peer(int32_t exit_status);

/* Called at each poll of a call that waits, with the side that waits current; may act for other sides. NULL
 * takes it away. */
void fake_on_poll(void (*hook)(void *context), void *context);

/* Makes a file of these bytes, which are copied, and gives its descriptor, or -1 without room; it stays until
 * fake_reset. Then its length can be changed: what is cut off can no longer be read, as after a truncation.
 */
int fake_file_set(const void *bytes, size_t len);
void fake_file_truncate(int file, size_t len);

struct fake_live fake_live(void);
/* A hash (FNV-1a) of the bytes of all memories. */
uint64_t fake_contents(void);

#endif
