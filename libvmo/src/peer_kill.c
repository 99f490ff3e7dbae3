/* SPDX-License-Identifier: Apache-2.0 */
#include "registry.h"

vmo_status vmo_peer_kill(struct vmo_registry *registry, vmo_peer_t peer)
{
    const struct peer *found = registry_peer(registry, peer);

    return found != NULL ? be_peer_kill(&found->be) : VMO_ERR_BAD_HANDLE;
}
