/* SPDX-License-Identifier: Apache-2.0 */
/* The ways to hand bytes to another process that vmo bench compares. */
#ifndef TOOL_BENCH_H
#define TOOL_BENCH_H

#include <vmo/channel.h>

#include "tool.h"

/* One turn of one way: `items` pieces of `bytes` each. Producer and consumer are two processes; each has its
 * own end, registry, peer and buffer. */
struct bench_turn {
    uint64_t bytes;
    uint32_t items;    /* the first BENCH_WARM are not measured */
    uint64_t began_ns; /* when the producer began with the next one */
    int end;           /* of the socket or pipe */
    uint8_t *buffer;   /* of this many bytes */
    struct vmo_registry *registry;
    vmo_peer_t peer;
    uint64_t sum; /* of all 64-bit words that the consumer read */
};

#define BENCH_WARM 8

struct bench_way {
    const char *name;
    bool by_library;                      /* the ends are a channel of the library */
    bool by_pipe;                         /* the ends are a pipe */
    bool (*produce)(struct bench_turn *); /* false after a message */
    bool (*consume)(struct bench_turn *);
};

#define BENCH_WAYS 5
extern const struct bench_way bench_ways[BENCH_WAYS];

/* The byte that fills an item. */
uint8_t bench_fill(uint32_t item);

#endif
