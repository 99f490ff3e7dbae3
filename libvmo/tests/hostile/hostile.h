/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams between tasks of NEURON, of which one is hostile. Init makes the streams, since a child on a1 makes
 * no VMO (K-20); one child is honest, another one lies. The honest ones print what they met, and
 * test_hostile_guest.py judges it.
 */
#ifndef HOSTILE_H
#define HOSTILE_H

#include <stdio.h>
#include <string.h>

#include "crt/crt_task.h"
#include "nx_call.h"

/* On a2 the kernel interrupts a liar; on a1 it must let the others run, at no moment that they could foresee
 * (K-16). */
#define LIAR_RUNS_ON() liar_runs_on()
static inline void liar_runs_on(void);
#include "stream_liar.h"
#include "stream_seats.h"

static inline bool is_a1(void)
{
    return !nx_features()->vm_map;
}

static inline void let_others_run(void)
{
    (void)nx_call0(NX_SYS_YIELD);
}

static inline void liar_runs_on(void)
{
    if (is_a1() && random_word() % 64 < 2) {
        let_others_run();
    }
}

/* What a child does: the tag of an offer, or of an order without a VMO. */
enum hostile_tag {
    TAG_READ = 1,  /* the honest consumer */
    TAG_OVERWRITE, /* overwrites its page */
    TAG_FLOOD,     /* reads, rings all the time and floods its channel */
    TAG_NEVER,     /* maps and never reads */
    TAG_HOLD,      /* takes as many frames as it may, and keeps them */
    TAG_CLAIM,     /* claims every frame that there is */
    TAG_EXIT,      /* takes as many frames as it may, and exits */
    TAG_FAULT,     /* the same, and writes into a frame, which ends it */
    TAG_TWICE,     /* joins twice */
    TAG_CONTROL,   /* the honest consumer of a lying producer */
    TAG_STALL,     /* the honest consumer of one that stops while it publishes */
    TAG_DIE,       /* order: be a producer, and exit while you publish; the body says after how many stores */
    TAG_OFFER,     /* a producer that dies offers */
    TAG_READY,     /* answer: joined twice, as far as it goes */
    TAG_WORD,      /* one message of the flood: its body counts them */
    TAG_STOP,      /* order: lie no more */
    TAG_DONE,      /* answer: the case is over; of the flood the number of its messages */
    TAG_END        /* order: exit with 0 */
};

#define FRAMES 400
#define STOP_FRAMES 3  /* before a producer stops */
#define STORES 3       /* of a publish: the entry, its sequence, `published` */
#define DOUBT_ROUNDS 4 /* streams of a lying producer */
#define DOUBTS 1000    /* takes from each */
#define DOUBT_WAITS 16 /* one take in so many waits */
#define EXIT_STATUS 7  /* of a child that exits while it holds frames or publishes */

/* Long enough that no honest task is late: on a2 the test's clock runs 256 times as fast (shift=8). */
static inline uint64_t patience_ns(void)
{
    return is_a1() ? UINT64_C(5000000) : UINT64_C(200000000);
}

static inline uint64_t later(const struct vmo_registry *registry, uint64_t wait_ns)
{
    return vmo_now_ns(registry) + wait_ns;
}

#define MUST(condition)                                                                                      \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            printf("hostile: FAIL %s:%d: %s\n", __FILE__, __LINE__, #condition);                             \
            task_finish(1);                                                                                  \
        }                                                                                                    \
    } while (0)
#define MUST_OK(call)                                                                                        \
    do {                                                                                                     \
        const vmo_status must_ = (call);                                                                     \
        if (must_ != VMO_OK) {                                                                               \
            printf("hostile: FAIL %s:%d: %s: %s\n", __FILE__, __LINE__, #call, vmo_status_name(must_));      \
            task_finish(1);                                                                                  \
        }                                                                                                    \
    } while (0)

/* Each case begins with this line. */
static inline void begin(const char *name, vmo_stream_policy policy)
{
    printf("hostile: case %s, %s\n", name, policy == VMO_STREAM_LATEST ? "latest" : "backpressure");
}

static inline unsigned long long us(uint64_t ns)
{
    return ns / 1000;
}

static inline void print_reading(const char *who, const struct reading *reading)
{
    printf("hostile: %s taken=%llu lost=%llu end=%s late_us=%llu wrong=%s\n", who,
           (unsigned long long)reading->taken, (unsigned long long)reading->lost,
           vmo_status_name(reading->end), us(reading->late_ns),
           reading->wrong == NULL ? "nothing" : reading->wrong);
}

/* The first stores of publishing frame s: all that is seen of a producer that ends there. */
static inline void publish_in_part(const struct vmo_producer *producer, const struct vmo_loan *loan,
                                   uint32_t buffers, uint64_t s, uint32_t stores)
{
    const uint8_t *pool = (const uint8_t *)producer->control - buffers * PAGE;
    const uint32_t buffer = (uint32_t)((uint64_t)(loan->data - pool) / PAGE);
    struct stream_entry *entry = &producer->control->ring[s % stream_ring_entries(buffers)];

    fill(loan, s);
    if (stores >= 1) {
        atomic_store_explicit(&entry->where, stream_where(buffer, FRAME_WORDS * sizeof(uint64_t)),
                              memory_order_release);
        atomic_store_explicit(&entry->tag, ~s, memory_order_release);
    }
    if (stores >= 2) {
        atomic_store_explicit(&entry->sequence, s, memory_order_release);
    }
    if (stores >= 3) {
        atomic_store_explicit(&producer->control->published, s, memory_order_seq_cst);
    }
}

/* Publishes a few frames, then one more in part. */
static inline void publish_until(const struct vmo_registry *registry, struct vmo_producer *producer,
                                 vmo_stream_policy policy, uint32_t stores)
{
    struct vmo_loan loan;

    for (uint64_t s = 1; s <= STOP_FRAMES; s++) {
        MUST_OK(vmo_stream_loan(producer, later(registry, patience_ns()), &loan, NULL));
        MUST_OK(fill_and_publish(producer, &loan, s));
    }
    MUST_OK(vmo_stream_loan(producer, later(registry, patience_ns()), &loan, NULL));
    publish_in_part(producer, &loan, frame_options(policy).buffers, STOP_FRAMES + 1, stores);
}

#endif
