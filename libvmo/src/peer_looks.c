/* SPDX-License-Identifier: Apache-2.0 */
#include "registry.h"

vmo_status vmo_peer_looks(struct vmo_registry *registry, vmo_peer_t peer, uint32_t looks)
{
    struct peer *found = registry_peer(registry, peer);

    if (found == NULL) {
        return VMO_ERR_BAD_HANDLE;
    }
    if (looks == 0 || looks > VMO_LOOKS_MAX) {
        return VMO_ERR_INVALID;
    }
    be_peer_looks(&found->be, looks);
    return VMO_OK;
}
