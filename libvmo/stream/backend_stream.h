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
/* Between two looks: lets the other processor, or the other task, go on. `looks` counts up from 0. True if
 * other tasks may have run for long, so that the wait must look at the clock. */
bool be_stream_relax(uint32_t looks);

/* A wait looks at the clock and at the peer after a sleep, and after at most as many that a peer ended in
 * vain. Counts sleeps: the wait looks at multiples. */
#define STREAM_SLEEPS_PER_CHECK 16
static inline uint32_t stream_sleeps_after(uint32_t sleeps, bool slept)
{
    return slept ? (sleeps | (STREAM_SLEEPS_PER_CHECK - 1)) + 1 : sleeps + 1;
}

/* True if the peer has ended or closed its side. Takes no message off the queue. */
bool be_peer_ended(const struct be_peer *peer);

/* Makes a word that is 1 in this process and 0 in a forked child. UNSUPPORTED: the kernel cannot tell. Both
 * only with BE_FORKS. */
VMO_CHECK vmo_status be_stream_token_make(const _Atomic uint64_t **token);
void be_stream_token_drop(const _Atomic uint64_t *token);

/* Notifiers: the two ends of a pair, one on each side of a pollable stream. A side polls its end, which is
 * readable once the other side has notified it or has closed the other end. Only a backend with
 * BE_STREAM_NOTIFIES defines these functions; the core calls them of no other. */

/* Makes a pair, keeps one end and hands the other one to the peer under a name. */
VMO_CHECK vmo_status be_stream_notifier_make(struct be_peer *peer, uint64_t deadline_ns, uint32_t *name,
                                             int32_t *end);
/* Takes the end that the peer handed over. PROTOCOL: there is no such end. */
VMO_CHECK vmo_status be_stream_notifier_take(struct be_peer *peer, uint32_t name, int32_t *end);
void be_stream_notify(int32_t end);
/* Makes the end unreadable again, unless the other end was closed. */
void be_stream_notifier_clear(int32_t end);
bool be_stream_notifier_hung_up(int32_t end);

/* A group is readable while one of its ends is. */
VMO_CHECK vmo_status be_stream_group_make(int32_t *group);
VMO_CHECK vmo_status be_stream_group_add(int32_t group, int32_t end);
/* Closes an end; of a group, or BE_NONE. Does nothing for BE_NONE. */
void be_stream_notifier_close(int32_t group, int32_t *end);

#endif
