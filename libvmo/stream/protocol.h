/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shared memory of a stream (docs/storage/streams.md). The pool holds the buffers and, behind them,
 * struct stream_control, which only the producer writes. Each consumer writes one struct stream_page. A group
 * of words that one side writes often has a cache line of its own.
 *
 * Pairs of accesses that need one order for both sides are seq_cst, and say with which they pair:
 *   claim    consumer: word = 2s, then entry.seq           producer: entry.seq = 0, then word
 *   wait     consumer: awaits, then published              producer: published, then awaits
 *   room     producer: sleeping, then word                 consumer: word, then sleeping
 */
#ifndef VMO_STREAM_PROTOCOL_H
#define VMO_STREAM_PROTOCOL_H

#include <stdatomic.h>
#include <stdint.h>

#include "vmo/stream.h"

#define STREAM_LINE_BYTES 64

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "both sides of a stream need lock-free 64-bit atomics");

/* A published frame, at its sequence modulo the ring. */
struct stream_entry {
    _Alignas(STREAM_LINE_BYTES) _Atomic uint64_t sequence; /* 0: nobody can take it any more */
    _Atomic uint64_t where;                                /* buffer and length */
    _Atomic uint64_t tag;
};

struct stream_control {
    _Alignas(STREAM_LINE_BYTES) _Atomic uint64_t published; /* sequence of the newest frame */
    /* 1: the producer sleeps; even, not 0: it polls, and wants one signal for each such number. */
    _Alignas(STREAM_LINE_BYTES) _Atomic uint32_t sleeping;
    _Alignas(STREAM_LINE_BYTES) _Atomic uint32_t closed; /* 1: no frame will follow */
    /* By seat: the highest generation that was expelled. */
    _Alignas(STREAM_LINE_BYTES) _Atomic uint32_t expelled[VMO_STREAM_CONSUMERS_MAX];
    struct stream_entry ring[];
};

/* What a consumer says. word: 0, or 2s while it holds frame s in that buffer, or 2s+1 once it has released
 * frame s; it only grows. Under BACKPRESSURE 2s is not written, since there only the release counts. */
struct stream_page {
    _Alignas(STREAM_LINE_BYTES) _Atomic uint64_t word[VMO_STREAM_BUFFERS_MAX];
    /* The sequence that it sleeps for, or polls for with STREAM_POLLS; 0: awake. */
    _Alignas(STREAM_LINE_BYTES) _Atomic uint64_t awaits;
    _Alignas(STREAM_LINE_BYTES) _Atomic uint32_t bell; /* counts its signals; the producer sleeps on it */
    _Atomic uint32_t left;                             /* 1: it will not write again */
};

#define STREAM_POLLS (UINT64_C(1) << 63)

/* Where a frame lies: buffer and length travel in one word, so that a reader never sees half of each. */
#define STREAM_LENGTH_BITS 56

static inline uint64_t stream_where(uint32_t buffer, uint64_t len_bytes)
{
    return (uint64_t)buffer << STREAM_LENGTH_BITS | len_bytes;
}

static inline uint32_t stream_buffer_of(uint64_t where)
{
    return (uint32_t)(where >> STREAM_LENGTH_BITS);
}

static inline uint64_t stream_length_of(uint64_t where)
{
    return where & ((UINT64_C(1) << STREAM_LENGTH_BITS) - 1);
}

/* The half of `published` that changes with each frame, to sleep on. Every target is little-endian. */
static inline const void *stream_published_low(const struct stream_control *control)
{
    return &control->published;
}

/* Entries of the ring: a power of two, at least as many as buffers. */
static inline uint32_t stream_ring_entries(uint32_t buffers)
{
    uint32_t entries = 1;

    while (entries < buffers) {
        entries *= 2;
    }
    return entries;
}

static inline uint64_t stream_control_bytes(uint64_t entries)
{
    return sizeof(struct stream_control) + entries * sizeof(struct stream_entry);
}

/* The body of both messages of an offer. The first carries the pool, the second the consumer's page. */
#define STREAM_MAGIC UINT32_C(0x31534D56) /* "VMS1" */
#define STREAM_OFFER_POOL 1
#define STREAM_OFFER_PAGE 2

struct stream_offer {
    uint32_t magic;
    uint16_t part;
    uint8_t policy;
    uint8_t seat;
    uint32_t generation; /* of the seat */
    uint32_t buffers;
    uint32_t hold;
    uint32_t looks;
    uint64_t capacity_bytes;
    uint64_t start;    /* sequence of the first frame for this consumer */
    uint32_t notifier; /* its name; 0: the stream is not pollable */
    uint32_t zero;
};
_Static_assert(sizeof(struct stream_offer) == 48, "the offer has no padding");

#endif
