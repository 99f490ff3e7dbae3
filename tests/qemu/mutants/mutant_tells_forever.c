/* SPDX-License-Identifier: Apache-2.0 */
/* Seals with PEERS; states FOREVER to the consumer and in the evidence. */
#include <stdint.h>

#include "nexus_abi.h"
#include "vmo/vmo.h"
#include "wrap_call.h"

struct nx_result __wrap_nx_call(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5,
                                uint64_t number)
{
    if (number == NX_SYS_IPC_SEND) {
        uint8_t *message = (uint8_t *)(uintptr_t)a2;
        message[14] = message[4] == 2 ? VMO_SEAL_FOREVER : message[14]; /* the seal in the handle's header */
        if (a3 == 48) {
            message[46] = VMO_SEAL_FOREVER; /* in the ticket */
        }
    }
    return __real_nx_call(a0, a1, a2, a3, a4, a5, number);
}

vmo_status __wrap_vmo_seal_of(const struct vmo_registry *registry, vmo_t vmo, vmo_seal_strength *out);

vmo_status __wrap_vmo_seal_of(const struct vmo_registry *registry, vmo_t vmo, vmo_seal_strength *out)
{
    (void)registry, (void)vmo;
    *out = VMO_SEAL_FOREVER;
    return VMO_OK;
}
