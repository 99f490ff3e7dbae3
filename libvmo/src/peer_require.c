/* SPDX-License-Identifier: Apache-2.0 */
#include "registry.h"

vmo_status vmo_peer_require(struct vmo_registry *registry, vmo_peer_t peer, vmo_seal_strength strength)
{
    struct peer *found = registry_peer(registry, peer);

    if (found == NULL) {
        return VMO_ERR_BAD_HANDLE;
    }
    if ((unsigned)strength > VMO_SEAL_FOREVER) {
        return VMO_ERR_INVALID;
    }
    found->required_seal = (uint8_t)strength;
    return VMO_OK;
}
