/* SPDX-License-Identifier: Apache-2.0 */
/* The port of streams: what a backend supplies in addition to backend.h. */
#ifndef VMO_BACKEND_STREAM_H
#define VMO_BACKEND_STREAM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "backend.h"

/* A word in shared memory, and the value at which to sleep. */
struct be_stream_word {
    const void *at; /* 32 bits, aligned */
    uint32_t seen;
};

#define BE_STREAM_WORDS_MAX 32

/* Sleeps while every word has the value that was seen, for at most 10 ms and not past the deadline. Returns
 * at once if one has changed, and may return early. A cooperative kernel only lets another task run. True
 * if the time passed; false if the sleep ended early, which says nothing. */
bool be_stream_sleep(const struct be_stream_word *words, uint32_t count, uint64_t deadline_ns);
/* Wakes all who sleep on the word. */
void be_stream_wake(const void *word);
/* Between two looks: lets the other processor, or the other task, go on. `looks` counts up from 0. */
void be_stream_relax(uint32_t looks);

/* A wait looks at the clock and at the peer after a sleep, and after at most as many that a peer ended in
 * vain. Counts sleeps: the wait looks at multiples. */
#define STREAM_SLEEPS_PER_CHECK 16
static inline uint32_t stream_sleeps_after(uint32_t sleeps, bool slept)
{
    return slept ? (sleeps | (STREAM_SLEEPS_PER_CHECK - 1)) + 1 : sleeps + 1;
}

/* True if the peer has ended or closed its side. Takes no message off the queue. */
bool be_peer_ended(const struct be_peer *peer);

/* Makes a word that is 1 in this process and 0 in a forked child; NULL if the kernel has no memory for it, or
 * cannot tell. */
const _Atomic uint64_t *be_stream_token_make(void);
void be_stream_token_drop(const _Atomic uint64_t *token);

#endif
