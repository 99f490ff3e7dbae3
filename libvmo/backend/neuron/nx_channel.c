/* SPDX-License-Identifier: Apache-2.0 */
/* Messages on NEURON: always NONBLOCK, since a task must not wait inside the kernel (K-55, K-61). */
#include "backend.h"
#include "nx_call.h"
#include "nx_in_flight.h"
#include "nx_kept.h"
#include "nx_peer.h"
#include "nx_slots.h"

/* ---- Sending ------------------------------------------------------------------------------------ */

static int64_t try_send(const struct be_peer *peer, int32_t moved, const void *bytes, size_t len)
{
    struct nx_ipc_hdr hdr = {.len = (uint32_t)len};

    if (moved != BE_NONE) {
        hdr.src = (uint32_t)moved;
        hdr.flags = NX_IPC_HDR_CAP_MOVE;
    }
    return nx_call((uint64_t)peer->send, nx_address(&hdr), nx_address(bytes), len, NX_IPC_NONBLOCK, 0,
                   NX_SYS_IPC_SEND)
        .a0;
}

static vmo_status send_until(const struct be_peer *peer, int32_t moved, const void *bytes, size_t len,
                             uint64_t deadline_ns)
{
    for (;;) {
        const int64_t answer = try_send(peer, moved, bytes, len);
        if (answer >= 0) {
            return VMO_OK;
        }
        if (answer != -NX_EAGAIN && answer != -NX_ENOSPC) {
            return answer == -NX_ESRCH ? VMO_ERR_PEER_GONE : VMO_ERR_BACKEND;
        }
        if (nx_peer_ended(peer)) {
            return VMO_ERR_PEER_GONE;
        }
        const vmo_status status = nx_pause(deadline_ns);
        if (status != VMO_OK) { /* K-52: ENOSPC is the budget of queued bytes */
            return status == VMO_ERR_TIMED_OUT && answer == -NX_ENOSPC ? VMO_ERR_QUEUE_FULL : status;
        }
    }
}

vmo_status be_send(struct be_peer *peer, struct be_object *object, bool writable, const void *bytes,
                   size_t len, uint64_t deadline_ns)
{
    int64_t moved = BE_NONE;

    if (nx_peer_ended(peer)) { /* the kernel would still queue the message */
        return VMO_ERR_PEER_GONE;
    }
    if (object != NULL) { /* CAP_MOVE takes the slot away: move a clone (K-54) */
        moved = nx_call1(NX_SYS_CAP_CLONE, (uint64_t)be_granted(object, writable));
        if (moved < 0) {
            return moved == -NX_ENOSPC ? VMO_ERR_NO_SLOTS : VMO_ERR_BACKEND;
        }
    }
    const vmo_status status = send_until(peer, (int32_t)moved, bytes, len, deadline_ns);
    if (object == NULL) {
        return status;
    }
    if (status == VMO_OK) {
        nx_note_sent(object, peer->channel);
        return VMO_OK;
    }
    return nx_call1(NX_SYS_CAP_CLOSE, (uint64_t)moved) == 0 ? status : VMO_ERR_BACKEND;
}

/* ---- Receiving ---------------------------------------------------------------------------------- */

static int64_t try_recv(const struct be_peer *peer, struct nx_ipc_hdr *hdr, void *bytes, size_t max)
{
    *hdr = (struct nx_ipc_hdr){0};
    return nx_call((uint64_t)peer->receive, nx_address(hdr), nx_address(bytes), max, NX_IPC_NONBLOCK, 0,
                   NX_SYS_IPC_RECV)
        .a0;
}

/* A child may send and end between two tries: try once more before reporting it gone. */
static vmo_status recv_until(const struct be_peer *peer, struct nx_ipc_hdr *hdr, void *bytes, size_t max,
                             uint64_t deadline_ns, int64_t *answer)
{
    *answer = try_recv(peer, hdr, bytes, max);
    while (*answer == -NX_EAGAIN) {
        const bool ended = nx_peer_ended(peer);
        if (!ended) {
            const vmo_status status = nx_pause(deadline_ns);
            if (status != VMO_OK) {
                return status;
            }
        }
        *answer = try_recv(peer, hdr, bytes, max);
        if (ended && *answer == -NX_EAGAIN) {
            return VMO_ERR_PEER_GONE;
        }
    }
    return VMO_OK;
}

/* K-53: the kernel drops a message that is too long but delivers its capability: close it. */
static vmo_status refuse_long(const struct nx_ipc_hdr *hdr)
{
    if (hdr->src && nx_call1(NX_SYS_CAP_CLOSE, hdr->src) != 0) {
        return VMO_ERR_BACKEND;
    }
    return VMO_ERR_PROTOCOL;
}

static struct be_object received(int32_t slot)
{
    return nx_slot_writable(slot, 0) ? (struct be_object){.owner = slot, .alias = BE_NONE}
                                     : (struct be_object){.owner = BE_NONE, .alias = slot};
}

static vmo_status receive(struct be_peer *peer, void *bytes, size_t max, size_t *len,
                          struct be_object *object, uint64_t deadline_ns)
{
    struct nx_ipc_hdr hdr;
    int64_t answer = 0;

    const vmo_status status = recv_until(peer, &hdr, bytes, max, deadline_ns, &answer);
    if (status != VMO_OK) {
        return status;
    }
    switch (answer) {
    case -NX_EINVAL:
        return refuse_long(&hdr);
    case -NX_ESRCH:
        return VMO_ERR_PEER_GONE;
    case -NX_ENOSPC:
        return VMO_ERR_NO_SLOTS;
    default:
        break;
    }
    if (answer < 0 || (uint64_t)answer > max) {
        return VMO_ERR_BACKEND;
    }
    *len = (size_t)answer;
    *object = hdr.src ? received((int32_t)hdr.src) : BE_NO_OBJECT;
    nx_slot_own((int32_t)hdr.src, hdr.src != 0);
    return VMO_OK;
}

/* ---- A message that stays ----------------------------------------------------------------------- */

vmo_status be_recv(struct be_peer *peer, void *bytes, size_t max, size_t *len, struct be_object *object,
                   uint64_t deadline_ns)
{
    return nx_kept_show(peer->channel, bytes, max, len, object)
               ? VMO_OK
               : receive(peer, bytes, max, len, object, deadline_ns);
}

vmo_status be_recv_take(const struct be_peer *peer)
{
    (void)nx_kept_take(peer->channel); /* the core has the object */
    return VMO_OK;
}

vmo_status be_recv_keep(const struct be_peer *peer, const void *bytes, size_t len, struct be_object *object)
{
    return nx_kept_put(peer->channel, bytes, len, object) ? VMO_OK : be_close(object);
}

/* ---- Transfer ----------------------------------------------------------------------------------- */

vmo_status be_transfer(struct be_object *object, bool writable, struct be_peer *peer, uint32_t *name)
{
    if (nx_is_closed(peer->channel)) {
        return VMO_ERR_PEER_GONE;
    }
    if (peer->pid == BE_NONE) {
        return VMO_ERR_UNSUPPORTED; /* this task cannot know its parent's pid */
    }
    const int64_t slot = nx_call3(NX_SYS_CAP_TRANSFER, (uint64_t)peer->pid,
                                  (uint64_t)be_granted(object, writable), NX_RIGHT_MAP);
    if (slot == -NX_EPERM) { /* dead, or its table is full: the kernel does not say which (K-40) */
        return nx_peer_ended(peer) ? VMO_ERR_PEER_GONE : VMO_ERR_NO_SLOTS;
    }
    if (slot < 0) {
        return VMO_ERR_BACKEND;
    }
    *name = (uint32_t)slot;
    return VMO_OK;
}

vmo_status be_transfer_peek(struct be_peer *peer, uint32_t name, struct be_object *out)
{
    (void)peer; /* a name is a slot of this task, for every peer */
    if (name == 0 || name >= NX_SLOTS_A2 || nx_slot_owned((int32_t)name)) {
        return VMO_ERR_PROTOCOL;
    }
    *out = received((int32_t)name);
    return VMO_OK;
}

void be_transfer_consume(struct be_peer *peer, uint32_t name)
{
    (void)peer;
    nx_slot_own((int32_t)name, true);
}
