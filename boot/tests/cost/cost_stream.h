/* SPDX-License-Identifier: Apache-2.0 */
/* A stream between two tasks, and the instructions of the library's calls without what other tasks run. */
#ifndef COST_STREAM_H
#define COST_STREAM_H

#include <stdint.h>

#include "vmo/stream.h"

/* A batch is 16 frames through 4 buffers; the cheapest of 8 counts, since a timer tick may interrupt one. */
#define STREAM_BUFFERS 4
#define STREAM_BATCHES 8
#define STREAM_BATCH_FRAMES 16
#define STREAM_FRAMES (STREAM_BATCHES * STREAM_BATCH_FRAMES)
#define STREAM_TAG 3

/* One side's batches; the body of the consumer's report. */
struct stream_cost {
    uint64_t instructions[STREAM_BATCHES];
    uint64_t yields[STREAM_BATCHES];
};

/* Around each call of the library; frames count from 0. */
void stream_cost_begin(void);
void stream_cost_end(struct stream_cost *cost, uint32_t frame);

#endif
