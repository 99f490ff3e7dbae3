/* SPDX-License-Identifier: Apache-2.0 */
#include "registry.h"

vmo_status vmo_peer_fd(const struct vmo_registry *registry, vmo_peer_t peer, int *fd)
{
    const struct peer *found = registry_peer(registry, peer);

    if (found == NULL) {
        return VMO_ERR_BAD_HANDLE;
    }
    return fd != NULL ? be_peer_fd(&found->be, fd) : VMO_ERR_INVALID;
}
