/* SPDX-License-Identifier: Apache-2.0 */
#include "registry.h"

vmo_status vmo_peer_identity(const struct vmo_registry *registry, vmo_peer_t peer, struct vmo_identity *out)
{
    const struct peer *found = registry_peer(registry, peer);

    if (found == NULL) {
        return VMO_ERR_BAD_HANDLE;
    }
    return out != NULL ? be_peer_identity(&found->be, out) : VMO_ERR_INVALID;
}
