/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages over an AF_UNIX socket of type SOCK_SEQPACKET. A message carries at most one descriptor. A
 * transfer is a separate packet, distinguished by its length and first word. Both ends count transfers; the
 * count is the name.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "lx.h"
#include "lx_abi.h"

#define GRANT_MAGIC 0x474F4D56u /* "VMOG" */

struct grant {
    uint32_t magic;
    uint32_t name;
};

/* One more than allowed, so that a second descriptor is seen and closed. */
#define DESCRIPTORS_MAX 2

union control {
    struct cmsghdr header; /* for its alignment */
    char bytes[CMSG_SPACE(sizeof(int) * DESCRIPTORS_MAX)];
};

/* ---- Sending ------------------------------------------------------------------------------------ */

/* Tries once, without waiting. TIMED_OUT: the queue is full. */
static vmo_status try_send(int socket, int descriptor, const void *bytes, size_t len)
{
    union control control = {.bytes = {0}};
    struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = len};
    struct msghdr packet = {.msg_iov = &part, .msg_iovlen = 1};
    ssize_t sent = 0;

    if (descriptor != BE_NONE) {
        packet.msg_control = control.bytes;
        packet.msg_controllen = CMSG_SPACE(sizeof(descriptor));
        struct cmsghdr *header = CMSG_FIRSTHDR(&packet);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(descriptor));
        memcpy(CMSG_DATA(header), &descriptor, sizeof(descriptor));
    }
    do {
        sent = sendmsg(socket, &packet, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent >= 0) {
        return VMO_OK;
    }
    switch (errno) {
    case EAGAIN:
        return VMO_ERR_TIMED_OUT;
    case EPIPE:
    case ECONNRESET:
    case ENOTCONN:
        return VMO_ERR_PEER_GONE;
    case ETOOMANYREFS:
    case ENOBUFS:
        return VMO_ERR_QUEUE_FULL;
    case EMSGSIZE:
        return VMO_ERR_TOO_LARGE;
    default:
        return lx_status(errno);
    }
}

static vmo_status send_until(const struct be_peer *peer, int32_t descriptor, const void *bytes, size_t len,
                             uint64_t deadline_ns)
{
    for (;;) {
        vmo_status status = try_send(peer->socket, descriptor, bytes, len);
        if (status != VMO_ERR_TIMED_OUT) {
            return status;
        }
        if (lx_peer_ended(peer)) {
            return VMO_ERR_PEER_GONE;
        }
        status = lx_wait(peer, POLLOUT, deadline_ns);
        if (status != VMO_OK) {
            return status;
        }
    }
}

vmo_status be_send(const struct be_peer *peer, struct be_object *object, bool writable, const void *bytes,
                   size_t len, uint64_t deadline_ns)
{
    struct lx_grant grant;

    if (object == NULL) {
        return send_until(peer, BE_NONE, bytes, len, deadline_ns);
    }
    vmo_status status = lx_grant(object, writable, peer->may_share_owner, &grant);
    if (status == VMO_OK) {
        status = send_until(peer, grant.descriptor, bytes, len, deadline_ns);
        lx_grant_end(object, &grant, status == VMO_OK);
    }
    return status;
}

/* The next name; skips 0, which is no name. */
static uint32_t next_name(uint32_t name)
{
    return name == UINT32_MAX ? 1 : name + 1;
}

vmo_status be_transfer(struct be_object *object, bool writable, struct be_peer *peer, uint32_t *name)
{
    const struct grant packet = {GRANT_MAGIC, next_name(peer->transfers_sent)};
    struct lx_grant grant;

    vmo_status status = lx_grant(object, writable, peer->may_share_owner, &grant);
    if (status != VMO_OK) {
        return status;
    }
    status = try_send(peer->socket, grant.descriptor, &packet, sizeof(packet));
    lx_grant_end(object, &grant, status == VMO_OK);
    if (status == VMO_OK) {
        peer->transfers_sent = packet.name;
        *name = packet.name;
    }
    return status == VMO_ERR_TIMED_OUT ? VMO_ERR_QUEUE_FULL : status;
}

/* ---- Receiving: one packet ---------------------------------------------------------------------- */

struct packet {
    size_t len;
    int32_t descriptor; /* or BE_NONE */
};

struct arrivals {
    int descriptors[DESCRIPTORS_MAX];
    size_t count;
    bool strange; /* another kind of control message came */
};

/* The next control message, or NULL. Replaces CMSG_NXTHDR, which mixes signs in musl. */
static struct cmsghdr *next_control(const struct msghdr *message, struct cmsghdr *at)
{
    unsigned char *const here = (unsigned char *)at;
    const size_t used = (size_t)(here - (unsigned char *)message->msg_control);
    const size_t step = CMSG_SPACE(at->cmsg_len - CMSG_LEN(0));

    if (used + step + sizeof(struct cmsghdr) > message->msg_controllen) {
        return NULL;
    }
    return (struct cmsghdr *)(void *)(here + step);
}

/* Collects the received descriptors. Other control messages come only if a socket option asks for them;
 * SCM_PIDFD carries a descriptor, too. */
static void collect(struct msghdr *message, struct arrivals *out)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = next_control(message, c)) {
        const bool rights = c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS;
        out->strange = out->strange || !rights;
        if (!rights && (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_PIDFD)) {
            continue;
        }
        const size_t came = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < came && out->count < DESCRIPTORS_MAX; i++) {
            memcpy(&out->descriptors[out->count++], CMSG_DATA(c) + i * sizeof(int), sizeof(int));
        }
    }
}

/* After recvmsg returned 0: true if the peer closed, false if it sent an empty packet. */
static bool peer_closed(int socket)
{
    struct pollfd look = {.fd = socket, .events = POLLRDHUP};

    return poll(&look, 1, 0) == 1 && (look.revents & (POLLRDHUP | POLLHUP));
}

/* Validates a received packet. */
static vmo_status check_packet(int socket, ssize_t len, int flags, const struct arrivals *came)
{
    if ((flags & MSG_CTRUNC) && came->count == 0 && !came->strange) {
        return VMO_ERR_NO_SLOTS; /* a descriptor came, and none is free here */
    }
    if ((flags & (MSG_TRUNC | MSG_CTRUNC)) || came->strange || came->count > 1) {
        return VMO_ERR_PROTOCOL;
    }
    if (len == 0) {
        return came->count == 0 && peer_closed(socket) ? VMO_ERR_PEER_GONE : VMO_ERR_PROTOCOL;
    }
    return VMO_OK;
}

/* Tries once, without waiting. TIMED_OUT: the queue is empty. ECONNRESET is reported once, before data
 * already queued: retry. */
static vmo_status receive(int socket, void *bytes, size_t max, struct packet *out)
{
    union control control;
    struct arrivals came = {.count = 0};
    struct iovec part = {.iov_base = bytes, .iov_len = max};
    struct msghdr message;
    ssize_t len = 0;

    do {
        message = (struct msghdr){.msg_iov = &part,
                                  .msg_iovlen = 1,
                                  .msg_control = control.bytes,
                                  .msg_controllen = sizeof(control.bytes)};
        len = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    } while (len < 0 && (errno == EINTR || errno == ECONNRESET));
    if (len < 0) {
        return errno == EAGAIN ? VMO_ERR_TIMED_OUT : lx_status(errno);
    }
    collect(&message, &came);
    const vmo_status status = check_packet(socket, len, message.msg_flags, &came);
    if (status != VMO_OK) {
        for (size_t i = 0; i < came.count; i++) {
            lx_close_quiet(came.descriptors[i]);
        }
        return status;
    }
    *out = (struct packet){(size_t)len, came.count ? came.descriptors[0] : BE_NONE};
    return VMO_OK;
}

/* ---- Transfers that arrive ---------------------------------------------------------------------- */

/* The place where a name is parked, if it is. The newest LX_PARKED_MAX names have a place each. */
static struct lx_parked *place_of(struct be_peer *peer, uint32_t name)
{
    return &peer->parked[name % LX_PARKED_MAX];
}

static bool is_grant(const void *bytes, size_t len)
{
    uint32_t magic = 0;

    if (len != sizeof(struct grant)) {
        return false;
    }
    memcpy(&magic, bytes, sizeof(magic));
    return magic == GRANT_MAGIC;
}

/* Parks a transferred descriptor until it is accepted. The eighth newer transfer evicts it, so that
 * transfers nobody accepts cannot block the queue. */
static vmo_status park(struct be_peer *peer, const void *bytes, int descriptor)
{
    struct grant grant;

    memcpy(&grant, bytes, sizeof(grant));
    if (descriptor == BE_NONE) {
        return VMO_ERR_PROTOCOL;
    }
    if (grant.name != next_name(peer->transfers_seen)) {
        lx_close_quiet(descriptor);
        return VMO_ERR_PROTOCOL;
    }
    peer->transfers_seen = grant.name;
    struct lx_parked *place = place_of(peer, grant.name);
    if (place->name) {
        lx_close_quiet(place->descriptor);
    }
    *place = (struct lx_parked){grant.name, descriptor};
    return VMO_OK;
}

/* Receives transfers from the head of the queue, at most one more than can be parked. Leaves any other
 * packet to vmo_recv. */
static vmo_status park_arrived(struct be_peer *peer)
{
    for (size_t i = 0; i <= LX_PARKED_MAX; i++) {
        struct grant grant;
        struct packet packet = {0, BE_NONE};
        ssize_t seen = 0;
        do {
            seen = recv(peer->socket, &grant, sizeof(grant), MSG_DONTWAIT | MSG_PEEK | MSG_TRUNC);
        } while (seen < 0 && errno == EINTR);
        if (seen < 0 || !is_grant(&grant, (size_t)seen)) {
            return VMO_OK;
        }
        vmo_status status = receive(peer->socket, &grant, sizeof(grant), &packet);
        if (status == VMO_OK) {
            status = park(peer, &grant, packet.descriptor);
        }
        if (status != VMO_OK) {
            return status;
        }
    }
    return VMO_OK;
}

vmo_status be_transfer_peek(struct be_peer *peer, uint32_t name, struct be_object *out)
{
    if (name == 0) {
        return VMO_ERR_PROTOCOL;
    }
    const struct lx_parked *place = place_of(peer, name);
    const vmo_status status = place->name == name ? VMO_OK : park_arrived(peer);
    if (status != VMO_OK) {
        return status;
    }
    if (place->name != name) {
        return VMO_ERR_PROTOCOL;
    }
    *out = lx_received(place->descriptor);
    return VMO_OK;
}

void be_transfer_consume(struct be_peer *peer, uint32_t name)
{
    struct lx_parked *place = place_of(peer, name);

    if (place->name == name) {
        *place = (struct lx_parked){0, BE_NONE};
    }
}

/* ---- Receiving until the deadline --------------------------------------------------------------- */

/* Waits for the next packet. A peer may send and end between two tries: try once more before reporting it
 * gone. */
static vmo_status receive_until(const struct be_peer *peer, void *bytes, size_t max, struct packet *out,
                                uint64_t deadline_ns)
{
    for (bool ended = false;;) {
        vmo_status status = receive(peer->socket, bytes, max, out);
        if (status != VMO_ERR_TIMED_OUT) {
            return status;
        }
        if (ended) {
            return VMO_ERR_PEER_GONE;
        }
        ended = lx_peer_ended(peer);
        if (!ended) {
            status = lx_wait(peer, POLLIN, deadline_ns);
            if (status != VMO_OK) {
                return status;
            }
        }
    }
}

/* After the deadline, receives at most one transfer more than can be parked: a peer that sends only
 * transfers cannot block the call. */
vmo_status be_recv(struct be_peer *peer, void *bytes, size_t max, size_t *len, struct be_object *object,
                   uint64_t deadline_ns)
{
    for (size_t late = 0; late <= LX_PARKED_MAX;) {
        struct packet packet = {0, BE_NONE};
        vmo_status status = receive_until(peer, bytes, max, &packet, deadline_ns);
        if (status != VMO_OK) {
            return status;
        }
        if (!is_grant(bytes, packet.len)) {
            *len = packet.len;
            *object = packet.descriptor == BE_NONE ? BE_NO_OBJECT : lx_received(packet.descriptor);
            return VMO_OK;
        }
        status = park(peer, bytes, packet.descriptor);
        if (status != VMO_OK) {
            return status;
        }
        late += be_now_ns() >= deadline_ns;
    }
    return VMO_ERR_TIMED_OUT;
}
