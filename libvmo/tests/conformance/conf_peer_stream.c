/* SPDX-License-Identifier: Apache-2.0 */
/* The peer as a stream's consumer. */
#include "conformance/conf_peer_stream.h"

#include <stdalign.h>

#include "vmo/stream.h"

#define JOIN_NS UINT64_C(500000000)
#define MS_NS UINT64_C(1000000)

static alignas(16) uint8_t storage[VMO_STREAM_CONSUMER_BYTES];
static struct vmo_consumer *consumer;
static struct vmo_registry *registry;
static struct vmo_frame frames[PEER_HELD];

vmo_status conf_peer_join(struct vmo_registry *mine, vmo_peer_t parent, const struct vmo_incoming *offer)
{
    registry = mine;
    return vmo_stream_join(registry, parent, offer, storage, sizeof(storage), vmo_now_ns(registry) + JOIN_NS,
                           &consumer);
}

static void describe_frame(const struct vmo_frame *frame, struct conf_answer *answer)
{
    answer->value = conf_hash(frame->data, frame->len_bytes);
    answer->len = frame->len_bytes;
    answer->size = frame->sequence;
    answer->rights = (uint32_t)frame->lost;
    answer->seal = (uint32_t)frame->tag;
}

vmo_status conf_peer_stream(const struct conf_order *order, struct conf_answer *answer)
{
    struct vmo_frame *frame = &frames[order->held];
    vmo_status status = VMO_OK;

    switch (order->op) {
    case OP_TAKE_FRAME:
        status = vmo_stream_take(consumer, order->arg ? vmo_now_ns(registry) + order->arg * MS_NS : 0, frame);
        if (status == VMO_OK) {
            describe_frame(frame, answer);
        }
        return status;
    case OP_READ_FRAME:
        describe_frame(frame, answer);
        return VMO_OK;
    case OP_RELEASE_FRAME:
        return vmo_stream_release(consumer, frame);
    default:
        return vmo_stream_leave(consumer);
    }
}
