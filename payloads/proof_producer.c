/* SPDX-License-Identifier: Apache-2.0 */
#include "proof_producer.h"

#include <stdio.h>

#include "connect.h"
#include "proof.h"

vmo_status producer_start(struct vmo_registry **registry, vmo_peer_t *consumer)
{
    static const struct vmo_limits limits = {.objects = 4, .mappings = 8, .views = 8, .peers = 1};
    static uint8_t storage[VMO_REGISTRY_BYTES(4, 8, 8, 1)] __attribute__((aligned(16)));
    vmo_status status = vmo_registry_init(storage, sizeof(storage), &limits, registry);
    if (status == VMO_OK) {
        status = connect_consumer(*registry, consumer);
    }
    if (status == VMO_OK) {
        status = vmo_peer_allow(*registry, *consumer);
    }
    return status;
}

uint64_t producer_deadline(const struct vmo_registry *registry, uint64_t bytes)
{
    return vmo_now_ns(registry) + PROOF_WAIT_NS + bytes * PROOF_WAIT_NS_A_BYTE;
}

int producer_end(struct vmo_registry *registry, const char *last_marker)
{
    if (vmo_registry_fini(registry) != VMO_OK) {
        puts("vmo: FAIL producer end: a handle is still open");
        return 1;
    }
    puts(last_marker);
    return 0;
}
