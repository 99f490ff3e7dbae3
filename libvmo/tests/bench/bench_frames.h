/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames from one process to another, each way on a processor of its own: by a stream, by hand, and by other
 * libraries. A program has a table of ways; bench_frames.py runs one measurement at a time, in turn, and
 * prints medians.
 *
 *   bench_frames                          names the ways
 *   bench_frames WAY BYTES COUNT FILL     a line: ns a frame, ns to hand a cache line over before and after,
 *                                         faults and sleeps of both sides
 * FILL: `all` writes and reads each byte; `hint` likewise, with stores past the cache; `none` 8 bytes alone.
 */
#ifndef BENCH_FRAMES_H
#define BENCH_FRAMES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bench/bench.h"

#define FRAMES_POOL 4 /* buffers of each way that has a pool */

enum frame_fill { FILL_ALL, FILL_HINT, FILL_NONE };

struct frame_way {
    const char *name;
    void (*prepare)(void); /* before the fork; may be NULL */
    void (*produce)(void);
    void (*consume)(void); /* in the child */
};
extern const struct frame_way frame_ways[]; /* ends with a NULL name */

struct frame_run {
    size_t bytes;
    uint64_t count; /* of frames, those of the warm-up included; they are numbered from 0 */
    enum frame_fill fill;
    pid_t producer;
};
extern struct frame_run frame_run;

/* The producer's work. Frame 0 after the warm-up starts the clock. */
void frame_fill(uint8_t *at, uint64_t number);
/* The same in two parts, for a way with stores of its own. */
void frame_begin(uint64_t number);
void frame_number(uint8_t *at, uint64_t number);
/* The consumer's work. The last frame stops the clock. */
void frame_read(const uint8_t *at, uint64_t number);
/* Stops the clock, for a way whose consumer does not get each frame. */
void frame_stop(void);

/* Shared memory, present, of as many bytes; both processes have it. */
void *frame_memory(size_t bytes);
void frame_pause(void); /* between two looks of a loop */

#endif
