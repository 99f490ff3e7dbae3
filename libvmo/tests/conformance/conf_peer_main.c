/* SPDX-License-Identifier: Apache-2.0 */
#include "conformance/conf_peer_main.h"

#include <stdalign.h>

#include "conformance/conf_order.h"

#define LOOK_NS UINT64_C(1000000000)
#define IDLE_MAX 60 /* the peer ends even if the suite died without an order to end */

int conf_peer_main(vmo_status (*connect)(struct vmo_registry *registry, vmo_peer_t *out))
{
    static const struct vmo_limits limits = {
        .objects = PEER_OBJECTS, .mappings = PEER_OBJECTS, .views = PEER_OBJECTS, .peers = 1};
    static alignas(16) uint8_t storage[VMO_REGISTRY_BYTES(PEER_OBJECTS, PEER_OBJECTS, PEER_OBJECTS, 1)];
    struct vmo_registry *registry = NULL;
    vmo_peer_t parent = {0};

    if (vmo_registry_init(storage, sizeof(storage), &limits, &registry) != VMO_OK ||
        connect(registry, &parent) != VMO_OK) {
        return 2;
    }
    conf_peer_begin(registry, parent);
    for (unsigned idle = 0; idle < IDLE_MAX;) {
        const enum conf_step step = conf_peer_step(vmo_now_ns(registry) + LOOK_NS);
        if (step == STEP_END) {
            return conf_peer_status();
        }
        idle = step == STEP_IDLE ? idle + 1 : 0;
    }
    return 6;
}
