/* SPDX-License-Identifier: Apache-2.0 */
/* A consumer's private state; shared by its two files. */
#ifndef VMO_STREAM_TAKE_H
#define VMO_STREAM_TAKE_H

#include "backend_stream.h"
#include "protocol.h"
#include "registry.h"
#include "stream_part.h"

struct vmo_consumer {
    uint32_t magic;
    uint32_t holds;
    stream_token token;
    struct vmo_registry *registry;
    vmo_peer_t peer;
    const uint8_t *pool;
    const struct stream_control *control;
    const _Atomic uint32_t *expelled; /* of its seat */
    struct stream_page *page;
    struct stream_offer terms;
    uint64_t mask;                         /* of the ring */
    uint64_t cursor;                       /* sequence of the next frame */
    uint64_t held[VMO_STREAM_BUFFERS_MAX]; /* by buffer: the frame that this consumer holds, or 0 */
    struct stream_part parts[2];           /* pool, page */
    int32_t notifier;                      /* of a pollable stream; else BE_NONE */
    uint32_t rung;                         /* the last number in `sleeping` that was answered by a signal */
};

#define STREAM_CONSUMER_MAGIC UINT32_C(0x534E4F43)

static inline vmo_status stream_check_consumer(const struct vmo_consumer *consumer)
{
    if (consumer == NULL) {
        return VMO_ERR_INVALID;
    }
    return consumer->magic == STREAM_CONSUMER_MAGIC && stream_token_holds(consumer->token)
               ? VMO_OK
               : VMO_ERR_BAD_HANDLE;
}

/* Says that a frame is released, and signals a producer that sleeps for it. */
void stream_release_buffer(struct vmo_consumer *consumer, uint32_t buffer, uint64_t sequence);

#endif
