/* SPDX-License-Identifier: Apache-2.0 */
#include "registry.h"

vmo_status vmo_peer_allow_shared(struct vmo_registry *registry, vmo_peer_t peer)
{
    struct peer *found = registry_peer(registry, peer);

    if (found == NULL) {
        return VMO_ERR_BAD_HANDLE;
    }
    be_peer_allow_shared(&found->be);
    return VMO_OK;
}
