/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages over an AF_UNIX socket of type SOCK_SEQPACKET. A message carries at most one descriptor. A
 * transfer is a separate packet, distinguished by its length and first word. Both ends count transfers; the
 * count is the name.
 *
 * A receive has two steps. It first looks: MSG_PEEK copies the bytes and duplicates the descriptor, and the
 * message stays queued. Only when the receiver has room for everything does it take the message off the
 * queue. So nothing is lost at the limit of descriptors, also when another thread takes the last one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
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

/* ---- Errors ------------------------------------------------------------------------------------- */

/* The status for an errno of a call on the channel that is not a matter of its queue. */
static vmo_status channel_status(int error)
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

/* sendmsg, repeated when a signal interrupts it. 0 or the errno. */
static int send_packet(int socket, const struct msghdr *packet)
{
    for (int i = 0; i < LX_TRIES; i++) {
        if (sendmsg(socket, packet, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
            return 0;
        }
        if (errno != EINTR) {
            return errno;
        }
    }
    return EAGAIN;
}

/* Tries once, without waiting. TIMED_OUT: the queue is full. QUEUE_FULL: the user has too many descriptors
 * in flight. NO_MEMORY: the kernel has no memory for the packet. */
static vmo_status try_send(int socket, int descriptor, const void *bytes, size_t len)
{
    union control control = {.bytes = {0}};
    struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = len};
    struct msghdr packet = {.msg_iov = &part, .msg_iovlen = 1};

    if (descriptor != BE_NONE) {
        packet.msg_control = control.bytes;
        packet.msg_controllen = CMSG_SPACE(sizeof(descriptor));
        struct cmsghdr *header = CMSG_FIRSTHDR(&packet);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(descriptor));
        memcpy(CMSG_DATA(header), &descriptor, sizeof(descriptor));
    }
    const int error = send_packet(socket, &packet);
    switch (error) {
    case 0:
        return VMO_OK;
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
        return channel_status(error);
    }
}

/* A full queue is waited for by poll. No descriptor shows when the kernel's other two limits allow a packet
 * again: they are tried every millisecond, and the status at the deadline says which one it was. */
static vmo_status send_until(const struct be_peer *peer, int32_t descriptor, const void *bytes, size_t len,
                             uint64_t deadline_ns)
{
    for (bool late = false;; late = be_now_ns() >= deadline_ns) {
        const vmo_status status = try_send(peer->socket, descriptor, bytes, len);
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

vmo_status be_send(const struct be_peer *peer, struct be_object *object, bool writable, const void *bytes,
                   size_t len, uint64_t deadline_ns)
{
    struct lx_grant grant;

    if (peer->socket == BE_NONE) {
        return VMO_ERR_PEER_GONE;
    }
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

    if (peer->socket == BE_NONE) {
        return VMO_ERR_PEER_GONE;
    }
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

/* ---- Receiving: look at one packet, then take it ------------------------------------------------- */

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

/* After recvmsg returned 0: true if the peer closed and no byte is queued, false if it sent an empty packet.
 * FIONREAD counts the bytes of the whole queue. */
static bool peer_closed(int socket)
{
    struct pollfd end = {.fd = socket, .events = POLLRDHUP};
    int queued = 0;

    if (poll(&end, 1, 0) >= 0 && !(end.revents & (POLLRDHUP | POLLHUP))) {
        return false;
    }
    return ioctl(socket, FIONREAD, &queued) != 0 || queued == 0;
}

/* Validates a packet. PROTOCOL: the caller drops it. After any other refusal it stays queued. */
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

/* recvmsg, repeated when a signal interrupts it, and after ECONNRESET: the kernel reports it once, before
 * data that was queued earlier. The length, or -1 with errno set. */
static ssize_t recv_packet(int socket, struct msghdr *message, int flags)
{
    const struct msghdr fresh = *message;

    for (int i = 0; i < LX_TRIES; i++) {
        *message = fresh;
        const ssize_t len = recvmsg(socket, message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC | flags);
        if (len >= 0 || (errno != EINTR && errno != ECONNRESET)) {
            return len;
        }
    }
    errno = EAGAIN;
    return -1;
}

static vmo_status recv_status(int error)
{
    return error == EAGAIN ? VMO_ERR_TIMED_OUT : channel_status(error);
}

/* Takes the packet at the head of the queue, with its descriptors. TIMED_OUT: another holder of the socket
 * has taken it. */
static vmo_status take(int socket)
{
    struct msghdr nothing = {.msg_iovlen = 0};

    return recv_packet(socket, &nothing, 0) >= 0 ? VMO_OK : recv_status(errno);
}

/* Looks once, without waiting. TIMED_OUT: the queue is empty. PROTOCOL: the packet was dropped. NO_SLOTS: it
 * stays queued. */
static vmo_status look(int socket, void *bytes, size_t max, struct packet *out)
{
    union control control;
    struct arrivals came = {.count = 0};
    struct iovec part = {.iov_base = bytes, .iov_len = max};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};

    const ssize_t len = recv_packet(socket, &message, MSG_PEEK);
    if (len < 0) {
        return recv_status(errno);
    }
    collect(&message, &came);
    vmo_status status = check_packet(socket, len, message.msg_flags, &came);
    if (status == VMO_OK) {
        const int32_t descriptor = came.count ? lx_above_stdio(came.descriptors[0]) : BE_NONE;
        if (came.count == 0 || descriptor >= 0) {
            *out = (struct packet){(size_t)len, descriptor};
            return VMO_OK;
        }
        return lx_status(errno); /* and the descriptor is closed */
    }
    for (size_t i = 0; i < came.count; i++) {
        lx_close_quiet(came.descriptors[i]);
    }
    if (status == VMO_ERR_PROTOCOL) {
        const vmo_status taken = take(socket);
        status = taken == VMO_OK ? status : taken;
    }
    return status;
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

/* A name is newer than the last one. It need not be the next: a transfer that another holder of the socket
 * has taken must not make later ones fail. */
static bool is_newer(uint32_t name, uint32_t last)
{
    return name != 0 && name != last && name - last <= UINT32_MAX / 2;
}

/* Takes a transfer off the queue and parks its descriptor until it is accepted. The eighth newer transfer
 * evicts it, so that transfers nobody accepts cannot block the queue. */
static vmo_status park(struct be_peer *peer, const void *bytes, int descriptor)
{
    struct grant grant;

    memcpy(&grant, bytes, sizeof(grant));
    const vmo_status taken = take(peer->socket);
    if (taken != VMO_OK || descriptor == BE_NONE || !is_newer(grant.name, peer->transfers_seen)) {
        if (descriptor != BE_NONE) {
            lx_close_quiet(descriptor);
        }
        return taken != VMO_OK ? taken : VMO_ERR_PROTOCOL;
    }
    peer->transfers_seen = grant.name;
    struct lx_parked *place = place_of(peer, grant.name);
    if (place->name) {
        lx_close_quiet(place->descriptor);
    }
    *place = (struct lx_parked){grant.name, descriptor};
    return VMO_OK;
}

/* Parks transfers from the head of the queue, at most one more than have a place. Leaves any other packet to
 * vmo_recv. */
static vmo_status park_arrived(struct be_peer *peer)
{
    for (size_t i = 0; i <= LX_PARKED_MAX; i++) {
        struct grant grant;
        struct packet packet = {0, BE_NONE};
        struct iovec part = {.iov_base = &grant, .iov_len = sizeof(grant)};
        struct msghdr head = {.msg_iov = &part, .msg_iovlen = 1};
        const ssize_t seen = recv_packet(peer->socket, &head, MSG_PEEK | MSG_TRUNC);
        if (seen < 0 && errno != EAGAIN) {
            return recv_status(errno);
        }
        if (seen < 0 || !is_grant(&grant, (size_t)seen)) {
            return VMO_OK;
        }
        vmo_status status = look(peer->socket, &grant, sizeof(grant), &packet);
        if (status == VMO_OK) {
            status = park(peer, &grant, packet.descriptor);
        }
        if (status != VMO_OK) { /* TIMED_OUT: another holder of the socket has taken it meanwhile */
            return status == VMO_ERR_TIMED_OUT ? VMO_OK : status;
        }
    }
    return VMO_OK;
}

vmo_status be_transfer_peek(struct be_peer *peer, uint32_t name, struct be_object *out)
{
    if (peer->socket == BE_NONE) {
        return VMO_ERR_PEER_GONE;
    }
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

/* Waits for the next packet. A peer may send and end between two tries: look once more before reporting it
 * gone. */
static vmo_status look_until(const struct be_peer *peer, void *bytes, size_t max, struct packet *out,
                             uint64_t deadline_ns)
{
    bool late = false; /* poll may report what another holder of the socket takes */

    for (bool ended = false;;) {
        const vmo_status status = look(peer->socket, bytes, max, out);
        if (status != VMO_ERR_TIMED_OUT) {
            return status;
        }
        if (ended) {
            return VMO_ERR_PEER_GONE;
        }
        if (late) {
            return VMO_ERR_TIMED_OUT;
        }
        const vmo_status waited = lx_wait(peer, POLLIN, UINT64_MAX, deadline_ns);
        ended = waited == VMO_ERR_PEER_GONE;
        if (waited != VMO_OK && !ended) {
            return waited;
        }
        late = be_now_ns() >= deadline_ns;
    }
}

/* After the deadline, parks at most one transfer more than have a place: a peer that sends only transfers
 * cannot block the call. */
vmo_status be_recv(struct be_peer *peer, void *bytes, size_t max, size_t *len, struct be_object *object,
                   uint64_t deadline_ns)
{
    if (peer->socket == BE_NONE) {
        return VMO_ERR_PEER_GONE;
    }
    for (size_t late = 0; late <= LX_PARKED_MAX;) {
        struct packet packet = {0, BE_NONE};
        vmo_status status = look_until(peer, bytes, max, &packet, deadline_ns);
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

vmo_status be_recv_take(const struct be_peer *peer)
{
    return take(peer->socket);
}

vmo_status be_recv_keep(const struct be_peer *peer, const void *bytes, size_t len, struct be_object *object)
{
    (void)peer, (void)bytes, (void)len;
    return be_close(object); /* a duplicate: the message is queued with its own */
}
