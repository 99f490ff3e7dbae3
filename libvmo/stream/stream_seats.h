/* SPDX-License-Identifier: Apache-2.0 */
/* The producer's private state; shared by its files. */
#ifndef VMO_STREAM_SEATS_H
#define VMO_STREAM_SEATS_H

#include "backend_stream.h"
#include "protocol.h"
#include "registry.h"
#include "stream_part.h"

#define STREAM_BUFFER_BITS 6
_Static_assert(VMO_STREAM_BUFFERS_MAX == 1 << STREAM_BUFFER_BITS, "a loan's number has room for its buffer");
_Static_assert(VMO_STREAM_CONSUMERS_MAX <= BE_STREAM_WORDS_MAX, "the producer sleeps on every bell");

/* A buffer is on loan, or in the list: first those that hold no frame, then the published ones from the
 * oldest to the newest. */
struct stream_buffer {
    uint64_t sequence; /* of the last frame that was published in it; 0: it holds none */
    uint64_t loan;     /* its number while it is on loan; else 0 or STREAM_DEAD */
};
#define STREAM_DEAD 1 /* there is no entry of its frame: nobody can take it any more */

/* The list's head: older than the oldest, newer than the newest. */
#define STREAM_LIST VMO_STREAM_BUFFERS_MAX

/* A consumer. Its page is mapped read-only here. */
struct stream_seat {
    uint64_t first; /* 2s of its first frame s: its words are 0, or at least this; STREAM_NEVER: not live */
    const struct stream_page *page;
    uint64_t *seen; /* by buffer: the last word that was read */
    uint64_t rung;  /* the last `awaits` that was answered */
    vmo_peer_t peer;
    struct stream_part part; /* without a VMO the seat is free */
    uint32_t number;
    uint32_t generation; /* of the consumers that had this seat */
    int32_t notifier;    /* of a pollable stream; else BE_NONE */
};
#define STREAM_NEVER UINT64_MAX

struct vmo_producer {
    uint32_t magic;
    bool yielded; /* during this loan */
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
    struct stream_seat *seats_end;             /* seats from here on were never used */
    struct stream_seat *about;                 /* the seat that the last verdict is about */
    uint8_t older[VMO_STREAM_BUFFERS_MAX + 1]; /* neighbours in the list */
    uint8_t newer[VMO_STREAM_BUFFERS_MAX + 1];
    int32_t group;  /* of the seats' notifiers; BE_NONE: not pollable */
    uint32_t polls; /* even; the last number in `sleeping` */
};

#define STREAM_PRODUCER_MAGIC UINT32_C(0x444F5250)

/* INVALID, or BAD_HANDLE: closed, or after a fork. */
static inline vmo_status stream_check(const struct vmo_producer *producer)
{
    if (producer == NULL) {
        return VMO_ERR_INVALID;
    }
    return producer->magic == STREAM_PRODUCER_MAGIC && stream_token_holds(producer->token)
               ? VMO_OK
               : VMO_ERR_BAD_HANDLE;
}

/* Puts a buffer into the list, before the next newer one. */
static inline void stream_insert(struct vmo_producer *producer, uint8_t b, uint8_t newer)
{
    const uint8_t older = producer->older[newer];

    producer->older[b] = older;
    producer->newer[b] = newer;
    producer->newer[older] = b;
    producer->older[newer] = b;
}

static inline bool stream_is_live(const struct stream_seat *seat)
{
    return seat->first != STREAM_NEVER;
}

/* True for a live consumer that has left: it writes no more. */
static inline bool stream_has_left(const struct stream_seat *seat)
{
    return stream_is_live(seat) && atomic_load_explicit(&seat->page->left, memory_order_acquire);
}

vmo_consumer_t stream_name(const struct stream_seat *seat);
/* Finds the buffer of a loan that is still on loan. */
VMO_CHECK vmo_status stream_find_loan(const struct vmo_producer *producer, const struct vmo_loan *loan,
                                      uint8_t *b);

enum stream_verdict {
    STREAM_FREE,    /* no live consumer needs the buffer */
    STREAM_UNTAKEN, /* LATEST: nobody holds it, but some live consumer has not taken it */
    STREAM_BLOCKED, /* producer->about needs it */
    STREAM_FALSE    /* producer->about lies */
};

struct stream_found {
    enum stream_verdict verdict;
    uint32_t b; /* FREE: off the list; UNTAKEN: to be taken from the consumers first */
};

/* Looks once for a buffer. BACKPRESSURE tries the newest one first, since its bytes are most likely still in
 * a cache; LATEST never takes the newest frame. */
struct stream_found stream_find(struct vmo_producer *producer);
/* Ends the entry of a published frame: nobody can take it any more. */
void stream_kill_entry(struct vmo_producer *producer, uint32_t b);
/* Goes on after a fruitless look, until there is a buffer. */
VMO_CHECK vmo_status stream_obtain(struct vmo_producer *producer, struct stream_found *found,
                                   uint64_t deadline_ns, vmo_consumer_t *about);
/* Ends a consumer that takes no frame any more, and frees its page. After a refusal the seat is not used
 * again until a second call has freed the rest. */
VMO_CHECK vmo_status stream_unseat(struct vmo_producer *producer, struct stream_seat *seat);
/* The same for one that may go on: tells it first. */
VMO_CHECK vmo_status stream_expel_seat(struct vmo_producer *producer, struct stream_seat *seat);

#endif
