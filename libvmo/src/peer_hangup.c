/* SPDX-License-Identifier: Apache-2.0 */
#include "registry.h"

vmo_status vmo_peer_hangup(struct vmo_registry *registry, vmo_peer_t peer)
{
    struct peer *found = registry_peer(registry, peer);

    return found != NULL ? be_peer_hangup(&found->be) : VMO_ERR_BAD_HANDLE;
}
