/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams: buffers that one producer fills and 1 to 32 consumers read, again and again, without a copy,
 * without a mapping and, while both sides are busy, without a system call.
 *
 * The producer owns a pool of buffers, which each consumer maps read-only once. It borrows a buffer
 * (vmo_stream_loan), fills it and publishes it as a frame. A consumer takes frames in order, reads them in
 * place and releases them in any order. Nobody is trusted: a consumer can change only the page in which it
 * says what it holds, and the producer checks each word of that page.
 *
 *   producer: create, offer a consumer, { loan, fill, publish } ..., close
 *   consumer: vmo_recv the offer, join, { take, read, release } ..., leave
 *
 * Deadlines are absolute, in nanoseconds of vmo_now_ns. Only vmo_stream_offer, vmo_stream_join,
 * vmo_stream_loan and vmo_stream_take wait; they read the clock only once they have to wait. The rules for
 * errors and threads are those of vmo.h: one thread at a time uses a registry and its streams.
 *
 * A program that has forked must not use a stream in the child: each call is BAD_HANDLE there.
 */
#ifndef VMO_STREAM_H
#define VMO_STREAM_H

#include "channel.h"

#ifdef __cplusplus
extern "C" {
#endif

#define VMO_STREAM_BUFFERS_MAX 64
#define VMO_STREAM_CONSUMERS_MAX 32
#define VMO_STREAM_LOOKS_MAX 4096
#define VMO_STREAM_FRAMES_MAX (UINT64_C(1) << 62) /* of one stream */

/* What happens when a consumer is slow. */
typedef enum vmo_stream_policy {
    VMO_STREAM_BACKPRESSURE = 0, /* the producer waits: no frame is lost */
    VMO_STREAM_LATEST = 1 /* the oldest frame that nobody holds is overwritten: consumers count losses */
} vmo_stream_policy;

struct vmo_stream_options {
    vmo_stream_policy policy;
    uint32_t buffers;        /* 1..64; LATEST: at least consumers * hold + 2 */
    uint32_t consumers;      /* most at one time, 1..32 */
    uint32_t hold;           /* frames that a consumer may hold at one time, 1..buffers */
    uint32_t looks;          /* at the shared memory before a wait sleeps, at most 4096; 0: a default */
    uint32_t pollable;       /* 1: vmo_stream_fd and vmo_stream_producer_fd work; Linux only */
    uint64_t capacity_bytes; /* of a buffer; rounded up to whole pages */
};

/* ---- Producer ----------------------------------------------------------------------------------- */

struct vmo_producer;

/* A consumer, as its producer names it. One that was expelled, or has left, is refused for ever. */
typedef struct {
    uint64_t id; /* 0 names nobody */
} vmo_consumer_t;

/* Bytes of storage for a producer with these options, or 0 if an option is out of bounds. */
size_t vmo_stream_producer_bytes(const struct vmo_stream_options *options);

/* An upper bound of vmo_stream_producer_bytes as a constant expression, for static storage. */
#define VMO_STREAM_PRODUCER_BYTES(buffers, consumers)                                                        \
    (512 + (size_t)(buffers)*32 + (size_t)(consumers) * (128 + (size_t)(buffers)*8))

/* Makes a stream: creates the pool, maps it and seals it PEERS. The stream owns the storage (aligned to 16
 * bytes) until vmo_stream_close. It takes one object, one mapping and one view of the registry, and as many
 * more for each consumer.
 * Errors: INVALID      a pointer is NULL, the storage is misaligned, or an option is out of bounds
 *         STORAGE      storage_bytes is less than vmo_stream_producer_bytes(options)
 *         UNSUPPORTED  pollable: NEURON has no descriptors
 *         NO_SLOTS     pollable: no free descriptor
 *         those of vmo_create, vmo_map_rw and vmo_seal */
VMO_CHECK vmo_status vmo_stream_create(struct vmo_registry *registry,
                                       const struct vmo_stream_options *options, void *storage,
                                       size_t storage_bytes, struct vmo_producer **out);

/* Offers the stream to a peer, which vmo_peer_allow must allow to get VMOs: sends two messages with this tag,
 * the pool and the consumer's page. The consumer gets every frame that is published from here on. On NEURON
 * only a task that can create VMOs can offer.
 * Errors: INVALID      a pointer is NULL
 *         TABLE_FULL   as many consumers as the options allow have joined
 *         TOO_LARGE    2^62 frames were published: make a new stream
 *         PEER_GONE, TIMED_OUT and the others of vmo_create, vmo_map_ro and vmo_send: nobody joined. The peer
 *                      may have got the pool; it cannot join with it */
VMO_CHECK vmo_status vmo_stream_offer(struct vmo_producer *producer, vmo_peer_t peer, uint32_t tag,
                                      uint64_t deadline_ns, vmo_consumer_t *out);

/* A buffer on loan. */
struct vmo_loan {
    uint8_t *data;           /* keeps the bytes of an earlier frame */
    uint64_t capacity_bytes; /* of the buffer */
    uint64_t id;             /* names the loan: refused once it was published or dropped */
};

/* Borrows a buffer to fill. Several may be on loan. BACKPRESSURE waits until each consumer has released a
 * buffer. LATEST overwrites the oldest frame that nobody holds, never the newest, and waits only while there
 * is none. *about names the consumer that the status is about; about may be NULL.
 * Errors: INVALID      a pointer is NULL
 *         BAD_HANDLE   after a fork
 *         BUSY         every buffer is on loan already, but for LATEST's newest frame: publish or drop one
 *         TOO_LARGE    2^62 frames were published: make a new stream
 *         TIMED_OUT    no buffer came free until the deadline; *about holds one up: expel it, or wait on
 *         PEER_GONE    *about has ended, and was expelled: loan again
 *         PROTOCOL     *about wrote an impossible word into its page, and was expelled: loan again */
VMO_CHECK vmo_status vmo_stream_loan(struct vmo_producer *producer, uint64_t deadline_ns,
                                     struct vmo_loan *out, vmo_consumer_t *about);

/* Publishes a loan as the next frame. tag is the caller's. The bytes past len_bytes stay what they were, and
 * consumers can read them. Never waits. The loan ends with success.
 * Errors: INVALID      a pointer is NULL
 *         BAD_HANDLE   the loan was published or dropped; or after a fork
 *         BOUNDS       len_bytes exceeds the capacity
 *         TOO_LARGE    as vmo_stream_loan */
VMO_CHECK vmo_status vmo_stream_publish(struct vmo_producer *producer, const struct vmo_loan *loan,
                                        uint64_t len_bytes, uint64_t tag);

/* Copies bytes into a loan, with the hints of vmo_copy_in: FAR is faster for a reader that shares no cache
 * with the caller, and slower for one that does. Counts as a copy.
 * Errors: INVALID      a pointer is NULL, or the hint is unknown
 *         BAD_HANDLE   as vmo_stream_publish
 *         BOUNDS       the range exceeds the capacity */
VMO_CHECK vmo_status vmo_stream_copy_in(const struct vmo_producer *producer, const struct vmo_loan *loan,
                                        struct vmo_range range, const void *from, vmo_reader reader);

/* Gives a loan back unpublished. Errors: INVALID, BAD_HANDLE as vmo_stream_publish. */
VMO_CHECK vmo_status vmo_stream_drop(struct vmo_producer *producer, const struct vmo_loan *loan);

/* Ends a consumer. The frames that it holds may be overwritten from here on; its vmo_stream_take and
 * vmo_stream_release are EXPELLED. It keeps its read-only mapping of the pool, which nobody can take away.
 * Errors: INVALID      the pointer is NULL
 *         BAD_HANDLE   the consumer was expelled, or a loan or an offer found that it had left; or after a
 *                      fork
 *         those of vmo_unmap and vmo_destroy: it was expelled nevertheless; call again to free its page */
VMO_CHECK vmo_status vmo_stream_expel(struct vmo_producer *producer, vmo_consumer_t consumer);

/* What a producer has counted. */
struct vmo_stream_counters {
    uint64_t published; /* frames */
    uint64_t recycled;  /* frames that LATEST overwrote before every consumer had taken them */
    uint64_t sleeps;    /* of vmo_stream_loan */
    uint64_t wakes;     /* system calls to wake consumers */
    uint32_t consumers; /* now */
    uint32_t expelled;  /* by the caller, or for a false word, or ended */
};
/* Errors: INVALID, BAD_HANDLE as vmo_stream_publish. */
VMO_CHECK vmo_status vmo_stream_counters_read(const struct vmo_producer *producer,
                                              struct vmo_stream_counters *out);

/* The descriptor of a pollable stream's producer, for poll and epoll. After vmo_stream_loan was TIMED_OUT it
 * is readable (POLLIN) once a consumer releases a buffer, leaves or ends: loan again, with deadline 0. It may
 * be readable without cause. While nobody waits it costs no system call. It stays the stream's until
 * vmo_stream_close: do not read, write or close it.
 * Errors: INVALID      a pointer is NULL
 *         BAD_HANDLE   as vmo_stream_publish
 *         UNSUPPORTED  the stream is not pollable */
VMO_CHECK vmo_status vmo_stream_producer_fd(const struct vmo_producer *producer, int *fd);

/* Ends the stream: consumers can still take what was published, then get PEER_GONE. Loans end. After success
 * the storage is the caller's again. On NEURON close the peers first: what was sent to an open one stays.
 * Errors: INVALID      the pointer is NULL
 *         BAD_HANDLE   the stream was closed; or after a fork
 *         those of vmo_unmap and vmo_destroy: the stream has ended; call again to free the rest */
VMO_CHECK vmo_status vmo_stream_close(struct vmo_producer *producer);

/* ---- Consumer ----------------------------------------------------------------------------------- */

struct vmo_consumer;

/* Storage for a consumer, aligned to 16 bytes. */
#define VMO_STREAM_CONSUMER_BYTES 1024

/* True for a message that vmo_stream_offer sent first: give it to vmo_stream_join. */
int vmo_stream_is_offer(const struct vmo_incoming *message);

/* Joins a stream. offer is a message of this peer that vmo_stream_is_offer names; the call receives the
 * second message of the offer. Maps the pool read-only and the consumer's page, of which vmo_peer_require
 * demands no seal. After success the consumer owns the offer's VMO and the storage until vmo_stream_leave.
 * After failure the caller still owns the VMO; the second message may be gone: close the VMO and ask for
 * another offer.
 * Errors: INVALID      a pointer is NULL, the storage is misaligned, or the message is no offer
 *         STORAGE      storage_bytes is less than VMO_STREAM_CONSUMER_BYTES
 *         PROTOCOL     the offer contradicts itself, or the second message does not belong to it
 *         NOT_SEALED   the pool is not sealed
 *         those of vmo_recv, vmo_map_ro and vmo_map_rw */
VMO_CHECK vmo_status vmo_stream_join(struct vmo_registry *registry, vmo_peer_t peer,
                                     const struct vmo_incoming *offer, void *storage, size_t storage_bytes,
                                     uint64_t deadline_ns, struct vmo_consumer **out);

/* A frame that this consumer holds. */
struct vmo_frame {
    const uint8_t *data; /* in the pool, read-only */
    uint64_t len_bytes;
    uint64_t tag;      /* the producer's */
    uint64_t sequence; /* 1 for the first frame of the stream, then one more each */
    uint64_t lost;     /* frames since the last one that this consumer took, which LATEST overwrote */
    uint32_t buffer;   /* where it lies */
};

/* Takes the next frame. Waits until there is one. The caller owns the frame: vmo_stream_release.
 * Errors: INVALID      a pointer is NULL
 *         BAD_HANDLE   after a fork
 *         BUSY         the consumer holds as many frames as it may: release one
 *         TIMED_OUT    no frame came until the deadline
 *         EXPELLED     the producer expelled this consumer: leave
 *         PEER_GONE    the producer closed the stream or has ended, and no frame is left. Frames that are
 *                      held stay readable
 *         PROTOCOL     the producer wrote an impossible entry: leave */
VMO_CHECK vmo_status vmo_stream_take(struct vmo_consumer *consumer, uint64_t deadline_ns,
                                     struct vmo_frame *out);

/* Gives a frame back. Frames may be released in any order. The frame ends with success, and with EXPELLED.
 * Errors: INVALID      a pointer is NULL
 *         BAD_HANDLE   this consumer does not hold the frame; or after a fork
 *         EXPELLED     the producer expelled this consumer: the frame may have changed while it was read */
VMO_CHECK vmo_status vmo_stream_release(struct vmo_consumer *consumer, const struct vmo_frame *frame);

/* The descriptor of a pollable stream's consumer, for poll and epoll. After vmo_stream_take was TIMED_OUT it
 * is readable (POLLIN, or POLLHUP at the end) once a frame is published, the consumer is expelled, or the
 * producer closes the stream or ends: take again, with deadline 0. It may be readable without cause. While
 * nobody waits it costs no system call. It stays the stream's until vmo_stream_leave: do not read, write or
 * close it.
 * Errors: INVALID      a pointer is NULL
 *         BAD_HANDLE   the consumer has left; or after a fork
 *         UNSUPPORTED  the stream is not pollable */
VMO_CHECK vmo_status vmo_stream_fd(const struct vmo_consumer *consumer, int *fd);

/* Ends the consumer; frames that it holds are released. After success the storage is the caller's again. The
 * peer stays.
 * Errors: INVALID      the pointer is NULL
 *         BAD_HANDLE   the consumer has left; or after a fork
 *         those of vmo_unmap and vmo_close: it has left the stream; call again to free the rest */
VMO_CHECK vmo_status vmo_stream_leave(struct vmo_consumer *consumer);

#ifdef __cplusplus
}
#endif

#endif
