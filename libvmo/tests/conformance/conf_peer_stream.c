/* SPDX-License-Identifier: Apache-2.0 */
/* The peer as a consumer of streams. */
#include "conformance/conf_peer_stream.h"

#include <stdalign.h>
#include <stdbool.h>

#include "vmo/stream.h"

#define JOIN_NS UINT64_C(500000000)
#define MS_NS UINT64_C(1000000)

/* A consumer keeps its last state after its end, so that calls on it are refused. */
static struct {
    alignas(16) uint8_t storage[VMO_STREAM_CONSUMER_BYTES];
    struct vmo_consumer *consumer;
    struct vmo_frame frames[PEER_HELD];
    bool joined;
} all[PEER_CONSUMERS];
static struct vmo_registry *registry;

void conf_peer_stream_begin(struct vmo_registry *mine)
{
    registry = mine;
    for (uint32_t i = 0; i < PEER_CONSUMERS; i++) {
        all[i].joined = false;
    }
}

vmo_status conf_peer_join(vmo_peer_t parent, const struct vmo_incoming *offer)
{
    for (uint32_t i = 0; i < PEER_CONSUMERS; i++) {
        if (!all[i].joined) {
            const vmo_status status =
                vmo_stream_join(registry, parent, offer, all[i].storage, sizeof(all[i].storage),
                                vmo_now_ns(registry) + JOIN_NS, &all[i].consumer);
            all[i].joined = status == VMO_OK;
            return status;
        }
    }
    return VMO_ERR_TABLE_FULL;
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
    struct vmo_consumer *consumer = all[order->consumer].consumer;
    struct vmo_frame *frame = &all[order->consumer].frames[order->held];
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
        all[order->consumer].joined = false;
        return vmo_stream_leave(consumer);
    }
}
