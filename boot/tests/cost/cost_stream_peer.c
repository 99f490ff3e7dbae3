/* SPDX-License-Identifier: Apache-2.0 */
/* The consumer: joins each stream that it is offered, takes all frames and reports its cost. */
#include "cost/cost_stream.h"

#include <stdalign.h>

#define OBJECTS 4

static alignas(16) uint8_t registry_storage[VMO_REGISTRY_BYTES(OBJECTS, OBJECTS, OBJECTS, 1)];
static alignas(16) uint8_t storage[VMO_STREAM_CONSUMER_BYTES];
static struct vmo_registry *registry;
static vmo_peer_t parent;

static vmo_status take_all(struct vmo_consumer *consumer, struct stream_cost *cost)
{
    struct vmo_frame frame;

    for (uint32_t i = 0; i < STREAM_FRAMES; i++) {
        stream_cost_begin();
        vmo_status status = vmo_stream_take(consumer, UINT64_MAX, &frame);
        stream_cost_end(cost, i);
        if (status != VMO_OK || frame.sequence != i + 1) {
            return status != VMO_OK ? status : VMO_ERR_PROTOCOL;
        }
        stream_cost_begin();
        status = vmo_stream_release(consumer, &frame);
        stream_cost_end(cost, i);
        if (status != VMO_OK) {
            return status;
        }
    }
    return vmo_stream_leave(consumer);
}

static vmo_status serve(const struct vmo_incoming *offer)
{
    struct stream_cost cost = {{0}, {0}};
    struct vmo_consumer *consumer = NULL;
    vmo_status status =
        vmo_stream_join(registry, parent, offer, storage, sizeof(storage), UINT64_MAX, &consumer);

    if (status == VMO_OK) {
        status = take_all(consumer, &cost);
    }
    if (status != VMO_OK) {
        return status;
    }
    const struct vmo_message report = {.tag = STREAM_TAG, .body = &cost, .body_bytes = sizeof(cost)};
    return vmo_send(registry, parent, &report, UINT64_MAX);
}

int main(void)
{
    static const struct vmo_limits limits = {
        .objects = OBJECTS, .mappings = OBJECTS, .views = OBJECTS, .peers = 1};
    struct vmo_incoming message;

    if (vmo_registry_init(registry_storage, sizeof(registry_storage), &limits, &registry) != VMO_OK ||
        vmo_peer_parent(registry, &parent) != VMO_OK || vmo_peer_allow(registry, parent) != VMO_OK) {
        return 1;
    }
    for (;;) {
        if (vmo_recv(registry, parent, &message, UINT64_MAX) != VMO_OK) {
            return 2;
        }
        if (!vmo_stream_is_offer(&message)) {
            return 0;
        }
        if (serve(&message) != VMO_OK) {
            return 3;
        }
    }
}
