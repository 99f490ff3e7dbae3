/* SPDX-License-Identifier: Apache-2.0 */
/* Who a peer is, as far as the kernel shows it. */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lx.h"

/* A child that was not reaped keeps its pid. */
static vmo_status of_child(const struct be_peer *peer, struct vmo_identity *out)
{
    if (lx_ended(peer) && !be_peer_unreaped(peer)) {
        return VMO_ERR_PEER_GONE;
    }
    *out = (struct vmo_identity){VMO_IDENTITY_SPAWNED, peer->pid, VMO_IDENTITY_UNKNOWN, VMO_IDENTITY_UNKNOWN};
    return VMO_OK;
}

/* A pair names its maker at both ends: our own name says nothing about who has the other end now. */
static vmo_status of_socket(int socket, struct vmo_identity *out)
{
    struct ucred other = {.pid = 0};
    socklen_t len = sizeof(other);

    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &other, &len) != 0) {
        return lx_status(errno);
    }
    if (other.pid <= 0 || other.pid == getpid()) {
        return VMO_ERR_UNSUPPORTED;
    }
    *out = (struct vmo_identity){VMO_IDENTITY_SOCKET, other.pid, other.uid, other.gid};
    return VMO_OK;
}

vmo_status be_peer_identity(const struct be_peer *peer, struct vmo_identity *out)
{
    if (peer->watch != BE_NONE) {
        return of_child(peer, out);
    }
    return peer->socket != BE_NONE ? of_socket(peer->socket, out) : VMO_ERR_PEER_GONE;
}
