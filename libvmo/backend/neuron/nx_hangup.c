/* SPDX-License-Identifier: Apache-2.0 */
/* Ending a channel without closing the peer. In its own file, so that most programs do not link it. */
#include "nx_call.h"
#include "nx_in_flight.h"
#include "nx_kept.h"

/* Closes an endpoint of this task and puts a clone of its capability in its place: a send or receive through
 * the clone then gets ESRCH (K-57). */
static vmo_status close_behind_clone(int32_t *end)
{
    const int64_t clone = nx_call1(NX_SYS_CAP_CLONE, (uint64_t)*end);

    if (clone < 0) {
        return clone == -NX_ENOSPC ? VMO_ERR_NO_SLOTS : VMO_ERR_BACKEND;
    }
    const int64_t answer = nx_call1(NX_SYS_EP_CLOSE, (uint64_t)*end); /* empties the slot in any case */
    *end = (int32_t)clone;
    return answer == 0 || answer == -NX_EPERM || answer == -NX_ESRCH ? VMO_OK : VMO_ERR_BACKEND;
}

/* The second clone needs no free slot: the first endpoint has left one. A kept message is dropped, since its
 * capability could keep the owner from destroying the memory. */
vmo_status be_peer_hangup(struct be_peer *peer)
{
    const int32_t send = peer->send;

    if (peer->channel == NX_TO_PARENT) {
        return VMO_ERR_UNSUPPORTED; /* the parent owns the endpoints: they would stay open */
    }
    if (nx_is_closed(peer->channel)) {
        return VMO_OK;
    }
    const vmo_status sending = close_behind_clone(&peer->send);
    if (peer->send == send) {
        return sending;
    }
    const vmo_status receiving = close_behind_clone(&peer->receive);
    struct be_object kept = nx_kept_take(peer->channel);
    const vmo_status dropped = be_close(&kept);
    nx_note_closed(peer->channel);
    return sending != VMO_OK ? sending : receiving != VMO_OK ? receiving : dropped;
}
