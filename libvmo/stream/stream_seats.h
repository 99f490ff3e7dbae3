/* SPDX-License-Identifier: Apache-2.0 */
/* The producer's private state; shared by its two files. */
#ifndef VMO_STREAM_SEATS_H
#define VMO_STREAM_SEATS_H

#include "backend_stream.h"
#include "protocol.h"
#include "registry.h"
#include "stream_part.h"

#define STREAM_NO_BUFFER UINT8_MAX
#define STREAM_BUFFER_BITS 6
_Static_assert(VMO_STREAM_BUFFERS_MAX == 1 << STREAM_BUFFER_BITS, "a loan's number has room for its buffer");
_Static_assert(VMO_STREAM_CONSUMERS_MAX <= BE_STREAM_WORDS_MAX, "the producer sleeps on every bell");

/* A buffer is free (in producer->free), on loan, or published (in the list from oldest to newest). */
struct stream_buffer {
    uint64_t sequence; /* of the last frame that was published in it; 0: none */
    uint64_t loan;     /* its number while it is on loan; else 0 */
    uint8_t older;
    uint8_t newer;
    bool dead; /* published, but its entry is gone: nobody can take it any more */
};

/* A consumer. Its page is mapped read-only here. */
struct stream_seat {
    const struct stream_page *page;
    uint64_t *seen; /* by buffer: the last word that was read */
    uint64_t start; /* sequence of its first frame */
    uint64_t rung;  /* the last `awaits` that was answered */
    vmo_peer_t peer;
    struct stream_part part; /* without a VMO the seat is free */
    uint32_t number;
    uint32_t generation; /* of the consumers that had this seat */
    int32_t notifier;    /* of a pollable stream; else BE_NONE */
    bool live;
};

struct vmo_producer {
    uint32_t magic;
    bool yielded; /* during this loan */
    uint8_t oldest;
    uint8_t newest;
    uint8_t free_count;
    stream_token token;
    struct vmo_registry *registry;
    struct vmo_stream_options options; /* capacity_bytes in whole pages */
    uint8_t *pool;
    struct stream_control *control;
    uint64_t mask; /* of the ring */
    uint64_t next; /* sequence of the next frame */
    uint64_t loans;
    struct vmo_stream_counters counters;
    struct stream_part part;
    struct stream_buffer *buffers;
    struct stream_seat *seats;
    struct stream_seat *seats_end;        /* seats from here on were never used */
    struct stream_seat *about;            /* the seat that the last verdict is about */
    uint8_t free[VMO_STREAM_BUFFERS_MAX]; /* the last one came free last */
    int32_t group;                        /* of the seats' notifiers; BE_NONE: not pollable */
    uint32_t polls;                       /* even; the last number in `sleeping` */
};

/* True for a live consumer that has left: it writes no more. */
static inline bool stream_has_left(const struct stream_seat *seat)
{
    return seat->live && atomic_load_explicit(&seat->page->left, memory_order_acquire);
}

/* INVALID, or BAD_HANDLE: closed, or after a fork. */
VMO_CHECK vmo_status stream_check(const struct vmo_producer *producer);
vmo_consumer_t stream_name(const struct stream_seat *seat);
/* Finds the buffer of a loan that is still on loan. */
VMO_CHECK vmo_status stream_find_loan(const struct vmo_producer *producer, const struct vmo_loan *loan,
                                      uint8_t *b);
/* Ends a consumer that takes no frame any more, and frees its page. After a refusal the seat is not used
 * again until a second call has freed the rest. */
VMO_CHECK vmo_status stream_unseat(struct vmo_producer *producer, struct stream_seat *seat);
/* The same for one that may go on: tells it first. */
VMO_CHECK vmo_status stream_expel_seat(struct vmo_producer *producer, struct stream_seat *seat);

#endif
