/* SPDX-License-Identifier: Apache-2.0 */
/* Sends messages, transfers and notices (lx_packet.h). */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "lx.h"
#include "lx_packet.h"

/* After this many messages without a descriptor comes the notice that none follow. */
#define QUIET_AFTER 8

union control {
    struct cmsghdr header; /* for its alignment */
    char bytes[CMSG_SPACE(sizeof(int) * VMO_MANY_MAX)];
};

/* ---- Errors ------------------------------------------------------------------------------------- */

vmo_status lx_channel_status(int error)
{
    switch (error) {
    case EPIPE:
    case ECONNRESET:
    case ECONNREFUSED:
    case ENOTCONN:
        return VMO_ERR_PEER_GONE;
    case EACCES:
    case EPERM:
        return VMO_ERR_UNSUPPORTED;
    case EINVAL: /* from here on: the program has put another descriptor into the socket's place */
    case ENOTSOCK:
    case EISCONN:
    case EDESTADDRREQ:
    case EOPNOTSUPP:
        return lx_status(EBADF);
    default:
        return lx_status(error);
    }
}

/* ---- Sending ------------------------------------------------------------------------------------ */

/* What a packet carries. */
struct descriptors {
    const int32_t *all;
    uint32_t count;
};
#define NO_DESCRIPTORS ((struct descriptors){NULL, 0})

/* sendmsg of a packet with descriptors, without waiting. send costs the kernel less, but carries none. */
static ssize_t send_with(int socket, struct descriptors carried, const void *bytes, size_t len)
{
    union control control = {.bytes = {0}};
    struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = len};
    const size_t carried_bytes = carried.count * sizeof(carried.all[0]);
    const struct msghdr packet = {.msg_iov = &part,
                                  .msg_iovlen = 1,
                                  .msg_control = control.bytes,
                                  .msg_controllen = (socklen_t)CMSG_SPACE(carried_bytes)};

    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = (socklen_t)CMSG_LEN(carried_bytes);
    memcpy(CMSG_DATA(&control.header), carried.all, carried_bytes);
    return sendmsg(socket, &packet, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* The status for an errno of a packet that was not sent. */
static vmo_status refusal_of_send(int error)
{
    switch (error) {
    case EAGAIN:
        return VMO_ERR_TIMED_OUT;
    case ETOOMANYREFS:
        return VMO_ERR_QUEUE_FULL;
    case ENOBUFS:
    case ENOMEM:
        return VMO_ERR_NO_MEMORY;
    case EMSGSIZE: /* the program made the socket's buffer too small for any message */
        return VMO_ERR_TOO_LARGE;
    default:
        return lx_channel_status(error);
    }
}

/* Tries once, and again when a signal interrupts it. TIMED_OUT: the queue is full. QUEUE_FULL: the user has
 * too many descriptors in flight. NO_MEMORY: the kernel has no memory for the packet. */
static inline vmo_status try_send(int socket, struct descriptors carried, const void *bytes, size_t len)
{
    for (int i = 0; i < LX_TRIES; i++) {
        const ssize_t sent = carried.count > 0 ? send_with(socket, carried, bytes, len)
                                               : send(socket, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent >= 0) {
            return VMO_OK;
        }
        if (errno != EINTR) {
            return refusal_of_send(errno);
        }
    }
    return VMO_ERR_TIMED_OUT;
}

/* A full queue is waited for by poll. No descriptor shows when the kernel's other two limits allow a packet
 * again: they are tried every millisecond, and the status at the deadline says which one it was. */
static vmo_status send_until(const struct be_peer *peer, struct descriptors carried, const void *bytes,
                             size_t len, uint64_t deadline_ns)
{
    for (bool late = false;; late = be_now_ns() >= deadline_ns) {
        const vmo_status status = try_send(peer->socket, carried, bytes, len);
        const bool full = status == VMO_ERR_TIMED_OUT;
        if (late || (!full && status != VMO_ERR_QUEUE_FULL && status != VMO_ERR_NO_MEMORY)) {
            return status;
        }
        const vmo_status waited =
            lx_wait(peer, full ? POLLOUT : 0, full ? UINT64_MAX : LX_LOOK_AGAIN_NS, deadline_ns);
        if (waited != VMO_OK) {
            return waited == VMO_ERR_TIMED_OUT ? status : waited;
        }
    }
}

/* After a message without a descriptor. If the queue has no room for the notice, the next message tries
 * again. */
static void note_plain(struct be_peer *peer)
{
    static const struct lx_packet none = {LX_NOTICE, LX_NONE_FOLLOW};

    if (!peer->quiet && ++peer->plain_sent >= QUIET_AFTER) {
        peer->quiet = try_send(peer->socket, NO_DESCRIPTORS, &none, sizeof(none)) == VMO_OK;
    }
}

/* Before a packet with a descriptor. The notice is harmless if that packet does not follow. */
static vmo_status announce(struct be_peer *peer, uint64_t deadline_ns)
{
    static const struct lx_packet some = {LX_NOTICE, LX_SOME_FOLLOW};
    const vmo_status status =
        peer->quiet ? send_until(peer, NO_DESCRIPTORS, &some, sizeof(some), deadline_ns) : VMO_OK;

    if (status == VMO_OK) {
        peer->quiet = false;
        peer->plain_sent = 0;
    }
    return status;
}

vmo_status be_send(struct be_peer *peer, struct be_object *object, bool writable, const void *bytes,
                   size_t len, uint64_t deadline_ns)
{
    struct lx_grant grant;

    if (peer->socket == BE_NONE) {
        return VMO_ERR_PEER_GONE;
    }
    if (object == NULL) {
        const vmo_status sent = send_until(peer, NO_DESCRIPTORS, bytes, len, deadline_ns);
        if (sent == VMO_OK) {
            note_plain(peer);
        }
        return sent;
    }
    vmo_status status = lx_grant(object, writable, peer->may_share_owner, &grant);
    if (status != VMO_OK) {
        return status;
    }
    status = announce(peer, deadline_ns);
    if (status == VMO_OK) {
        status = send_until(peer, (struct descriptors){&grant.descriptor, 1}, bytes, len, deadline_ns);
    }
    lx_grant_end(object, &grant, status == VMO_OK);
    return status;
}

vmo_status be_send_many(struct be_peer *peer, const struct be_carried *carried, uint32_t count,
                        const void *bytes, size_t len, uint64_t deadline_ns)
{
    struct lx_grant grants[VMO_MANY_MAX];
    int32_t descriptors[VMO_MANY_MAX];
    vmo_status status = VMO_OK;
    uint32_t made = 0;

    if (peer->socket == BE_NONE) {
        return VMO_ERR_PEER_GONE;
    }
    while (made < count && status == VMO_OK) {
        status = lx_grant(carried[made].object, carried[made].writable, peer->may_share_owner, &grants[made]);
        if (status == VMO_OK) {
            descriptors[made] = grants[made].descriptor;
            made++;
        }
    }
    if (status == VMO_OK) {
        status = announce(peer, deadline_ns);
    }
    if (status == VMO_OK) {
        status = send_until(peer, (struct descriptors){descriptors, count}, bytes, len, deadline_ns);
    }
    for (uint32_t i = 0; i < made; i++) {
        lx_grant_end(carried[i].object, &grants[i], status == VMO_OK);
    }
    return status;
}

/* The next name; skips 0, which is no name. */
static uint32_t next_name(uint32_t name)
{
    return name == UINT32_MAX ? 1 : name + 1;
}

vmo_status lx_send_descriptor(struct be_peer *peer, int descriptor, uint64_t deadline_ns, uint32_t *name)
{
    const struct lx_packet packet = {LX_GRANT, next_name(peer->transfers_sent)};

    if (peer->socket == BE_NONE) {
        return VMO_ERR_PEER_GONE;
    }
    vmo_status status = announce(peer, deadline_ns);
    if (status == VMO_OK) {
        status = send_until(peer, (struct descriptors){&descriptor, 1}, &packet, sizeof(packet), deadline_ns);
    }
    if (status == VMO_OK) {
        peer->transfers_sent = packet.value;
        *name = packet.value;
    }
    return status;
}

vmo_status be_transfer(struct be_object *object, bool writable, struct be_peer *peer, uint32_t *name)
{
    const struct lx_packet packet = {LX_GRANT, next_name(peer->transfers_sent)};
    struct lx_grant grant;

    if (peer->socket == BE_NONE) {
        return VMO_ERR_PEER_GONE;
    }
    vmo_status status = lx_grant(object, writable, peer->may_share_owner, &grant);
    if (status != VMO_OK) {
        return status;
    }
    status = announce(peer, 0);
    if (status == VMO_OK) {
        status = try_send(peer->socket, (struct descriptors){&grant.descriptor, 1}, &packet, sizeof(packet));
    }
    lx_grant_end(object, &grant, status == VMO_OK);
    if (status == VMO_OK) {
        peer->transfers_sent = packet.value;
        *name = packet.value;
    }
    return status == VMO_ERR_TIMED_OUT ? VMO_ERR_QUEUE_FULL : status;
}
