/* SPDX-License-Identifier: Apache-2.0 */
#include "registry.h"

vmo_status vmo_peer_wait(struct vmo_registry *registry, vmo_peer_t peer, uint64_t deadline_ns,
                         int32_t *exit_status)
{
    struct peer *found = registry_peer(registry, peer);

    if (found == NULL) {
        return VMO_ERR_BAD_HANDLE;
    }
    return exit_status != NULL ? be_peer_wait(&found->be, deadline_ns, exit_status) : VMO_ERR_INVALID;
}
