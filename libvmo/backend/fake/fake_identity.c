/* SPDX-License-Identifier: Apache-2.0 */
#include "backend.h"

/* A pid is a child's until it is waited for. A child does not know its parent's for sure. */
vmo_status be_peer_identity(const struct be_peer *peer, struct vmo_identity *out)
{
    if (peer->pid == BE_NONE || peer->watch == BE_NONE) {
        return VMO_ERR_UNSUPPORTED;
    }
    *out = (struct vmo_identity){VMO_IDENTITY_SPAWNED, peer->pid, VMO_IDENTITY_UNKNOWN, VMO_IDENTITY_UNKNOWN};
    return VMO_OK;
}
