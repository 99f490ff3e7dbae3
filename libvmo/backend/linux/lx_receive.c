/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receives messages and transfers (lx_packet.h).
 *
 * A receive has two steps. It first looks: MSG_PEEK copies the bytes and duplicates the descriptor, and the
 * message stays queued. Only when the receiver has room for everything does it take the message off the
 * queue. So nothing is lost at the limit of descriptors, also when another thread takes the last one.
 *
 * After the sender's notice that no descriptors follow there is nothing to lose, and the first step takes the
 * message. A sender that still sends a descriptor loses it if there is no room.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "lx.h"
#include "lx_abi.h"
#include "lx_packet.h"

/* One more than allowed, so that it is seen and closed. */
#define DESCRIPTORS_MAX (VMO_MANY_MAX + 1)

/* Not CMSG_SPACE: the kernel puts another descriptor into its padding, which nobody would close. */
union control {
    struct cmsghdr header; /* for its alignment */
    char bytes[CMSG_LEN(sizeof(int) * DESCRIPTORS_MAX)];
};

/* ---- One packet --------------------------------------------------------------------------------- */

struct arrivals {
    int descriptors[DESCRIPTORS_MAX];
    size_t count;
    bool strange; /* another kind of control message came */
};

struct packet {
    size_t len;
    struct arrivals came; /* at most VMO_MANY_MAX */
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
    if ((flags & MSG_CTRUNC) && came->count < DESCRIPTORS_MAX && !came->strange) {
        return VMO_ERR_NO_SLOTS; /* more came than are free here */
    }
    if ((flags & (MSG_TRUNC | MSG_CTRUNC)) || came->strange || came->count > VMO_MANY_MAX) {
        return VMO_ERR_PROTOCOL;
    }
    if (len == 0) {
        return came->count == 0 && peer_closed(socket) ? VMO_ERR_PEER_GONE : VMO_ERR_PROTOCOL;
    }
    return VMO_OK;
}

/* True after a signal, and after ECONNRESET, which the kernel reports once before data that is queued. */
static bool try_again(int error)
{
    return error == EINTR || error == ECONNRESET;
}

/* recvmsg, repeated while try_again says so. A call that fails leaves *message as it was. The length, or -1
 * with errno set. */
static inline ssize_t recv_packet(int socket, struct msghdr *message, int flags)
{
    for (int i = 0; i < LX_TRIES; i++) {
        const ssize_t len = recvmsg(socket, message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC | flags);
        if (len >= 0 || !try_again(errno)) {
            return len;
        }
    }
    errno = EAGAIN;
    return -1;
}

static vmo_status recv_status(int error)
{
    return error == EAGAIN ? VMO_ERR_TIMED_OUT : lx_channel_status(error);
}

/* Takes the packet that look showed off the queue, with its descriptors: recv of no byte drops the rest.
 * TIMED_OUT: another holder of the socket has taken it. */
static vmo_status take(const struct be_peer *peer)
{
    char none;

    if (peer->taken) {
        return VMO_OK;
    }
    for (int i = 0; i < LX_TRIES; i++) {
        if (recv(peer->socket, &none, 0, MSG_DONTWAIT) >= 0) {
            return VMO_OK;
        }
        if (!try_again(errno)) {
            return recv_status(errno);
        }
    }
    return VMO_ERR_TIMED_OUT;
}

static void close_all(const struct arrivals *came)
{
    for (size_t i = 0; i < came->count; i++) {
        lx_close_quiet(came->descriptors[i]);
    }
}

/* Moves each descriptor above the standard streams. False with errno set, and all closed: one could not be
 * moved. */
static bool lift(struct arrivals *came)
{
    for (size_t i = 0; i < came->count; i++) {
        came->descriptors[i] = lx_above_stdio(came->descriptors[i]);
        if (came->descriptors[i] < 0) {
            const int error = errno;
            came->descriptors[i] = came->descriptors[--came->count]; /* it is closed already */
            close_all(came);
            errno = error;
            return false;
        }
    }
    return true;
}

/* Ends a look at a packet that is refused. PROTOCOL: it is dropped. It stays queued otherwise, unless it was
 * taken: then it carried a descriptor against the sender's notice. */
static vmo_status refuse(const struct be_peer *peer, vmo_status status)
{
    if (status == VMO_ERR_PEER_GONE) {
        return status;
    }
    if (peer->taken) {
        return VMO_ERR_PROTOCOL;
    }
    const vmo_status taken = status == VMO_ERR_PROTOCOL ? take(peer) : VMO_OK;
    return taken == VMO_OK ? status : taken;
}

/* Looks once, without waiting, and takes the packet if no descriptors are expected. TIMED_OUT: the queue is
 * empty. PROTOCOL: the packet was dropped. NO_SLOTS: it stays queued. */
static vmo_status look(struct be_peer *peer, void *bytes, size_t max, struct packet *out)
{
    union control control;
    struct arrivals *came = &out->came;
    struct iovec part = {.iov_base = bytes, .iov_len = max};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};

    peer->taken = peer->none_follow;
    const ssize_t len = recv_packet(peer->socket, &message, peer->none_follow ? 0 : MSG_PEEK);
    if (len < 0) {
        return recv_status(errno);
    }
    out->len = (size_t)len;
    came->count = 0;
    if (len > 0 && message.msg_controllen == 0 && !(message.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
        return VMO_OK; /* it has bytes alone */
    }
    came->strange = false;
    collect(&message, came);
    const vmo_status status = check_packet(peer->socket, len, message.msg_flags, came);
    if (status != VMO_OK) {
        close_all(came);
        return refuse(peer, status);
    }
    if (!lift(came)) {
        return refuse(peer, lx_status(errno));
    }
    return VMO_OK;
}

/* Takes a notice off the queue and obeys it. Descriptors that came with it are closed. */
static vmo_status obey(struct be_peer *peer, const void *bytes, const struct arrivals *came)
{
    const vmo_status taken = take(peer);

    close_all(came);
    if (taken == VMO_OK) {
        peer->none_follow = came->count == 0 && lx_packet_value(bytes) == LX_NONE_FOLLOW;
    }
    return taken;
}

/* ---- Transfers that arrive ---------------------------------------------------------------------- */

/* The place where a name is parked, if it is. The newest LX_PARKED_MAX names have a place each. */
static struct lx_parked *place_of(struct be_peer *peer, uint32_t name)
{
    return &peer->parked[name % LX_PARKED_MAX];
}

/* A name is newer than the last one. It need not be the next: a transfer that another holder of the socket
 * has taken must not make later ones fail. */
static bool is_newer(uint32_t name, uint32_t last)
{
    return name != 0 && name != last && name - last <= UINT32_MAX / 2;
}

/* Takes a transfer off the queue and parks its descriptor until it is accepted. The eighth newer transfer
 * evicts it, so that transfers nobody accepts cannot block the queue. */
static vmo_status park(struct be_peer *peer, const void *bytes, const struct arrivals *came)
{
    const uint32_t name = lx_packet_value(bytes);

    const vmo_status taken = take(peer);
    if (taken != VMO_OK || came->count != 1 || !is_newer(name, peer->transfers_seen)) {
        close_all(came);
        return taken != VMO_OK ? taken : VMO_ERR_PROTOCOL;
    }
    peer->transfers_seen = name;
    struct lx_parked *place = place_of(peer, name);
    if (place->name) {
        lx_close_quiet(place->descriptor);
    }
    *place = (struct lx_parked){name, came->descriptors[0]};
    return VMO_OK;
}

/* Takes a packet of the backend's own off the queue. False if it is a message of the core, which stays. */
static inline bool take_own(struct be_peer *peer, const void *bytes, const struct packet *packet,
                            vmo_status *status)
{
    if (packet->len != sizeof(struct lx_packet)) {
        return false;
    }
    if (lx_packet_is(LX_GRANT, bytes, packet->len)) {
        *status = park(peer, bytes, &packet->came);
        return true;
    }
    if (lx_packet_is(LX_NOTICE, bytes, packet->len)) {
        *status = obey(peer, bytes, &packet->came);
        return true;
    }
    return false;
}

/* True if a packet of the backend's own is at the head of the queue. */
static bool own_is_next(const struct be_peer *peer, vmo_status *status)
{
    struct lx_packet head;
    struct iovec part = {.iov_base = &head, .iov_len = sizeof(head)};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    const ssize_t seen = recv_packet(peer->socket, &message, MSG_PEEK | MSG_TRUNC);

    *status = seen < 0 && errno != EAGAIN ? recv_status(errno) : VMO_OK;
    return seen >= 0 &&
           (lx_packet_is(LX_GRANT, &head, (size_t)seen) || lx_packet_is(LX_NOTICE, &head, (size_t)seen));
}

/* Parks transfers from the head of the queue, at most one more than have a place, and obeys notices between
 * them. Leaves any other packet to vmo_recv. */
static vmo_status park_arrived(struct be_peer *peer)
{
    for (size_t i = 0; i <= 2 * (size_t)LX_PARKED_MAX; i++) {
        struct lx_packet bytes;
        struct packet packet = {.len = 0};
        vmo_status status = VMO_OK;
        if (!own_is_next(peer, &status)) {
            return status;
        }
        status = look(peer, &bytes, sizeof(bytes), &packet);
        if (status == VMO_OK && !take_own(peer, &bytes, &packet, &status)) {
            close_all(&packet.came);
            return VMO_ERR_PROTOCOL; /* another holder of the socket has taken the own packet meanwhile */
        }
        if (status != VMO_OK) { /* TIMED_OUT: likewise */
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
static vmo_status look_until(struct be_peer *peer, void *bytes, size_t max, struct packet *out,
                             uint64_t deadline_ns)
{
    bool late = false; /* poll may report what another holder of the socket takes */
    uint32_t more = peer->more_looks;

    for (bool ended = false;;) {
        const vmo_status status = look(peer, bytes, max, out);
        if (status != VMO_ERR_TIMED_OUT) {
            return status;
        }
        if (ended) {
            return VMO_ERR_PEER_GONE;
        }
        if (late) {
            return VMO_ERR_TIMED_OUT;
        }
        if (more > 0 && be_now_ns() < deadline_ns) {
            more--;
            continue;
        }
        more = peer->more_looks;
        const vmo_status waited = lx_wait(peer, POLLIN, UINT64_MAX, deadline_ns);
        ended = waited == VMO_ERR_PEER_GONE;
        if (waited != VMO_OK && !ended) {
            return waited;
        }
        late = be_now_ns() >= deadline_ns;
    }
}

/* Looks at the next message of the core. After the deadline, parks at most one transfer more than have a
 * place: a peer that sends only transfers cannot block the call. */
static vmo_status next_message(struct be_peer *peer, void *bytes, size_t max, struct packet *out,
                               uint64_t deadline_ns)
{
    if (peer->socket == BE_NONE) {
        return VMO_ERR_PEER_GONE;
    }
    for (size_t late = 0; late <= LX_PARKED_MAX;) {
        vmo_status status = look_until(peer, bytes, max, out, deadline_ns);
        if (status != VMO_OK || !take_own(peer, bytes, out, &status) || status != VMO_OK) {
            return status;
        }
        late += be_now_ns() >= deadline_ns;
    }
    return VMO_ERR_TIMED_OUT;
}

vmo_status be_recv(struct be_peer *peer, void *bytes, size_t max, size_t *len, struct be_object *object,
                   uint64_t deadline_ns)
{
    struct packet packet;
    const vmo_status status = next_message(peer, bytes, max, &packet, deadline_ns);

    if (status != VMO_OK) {
        return status;
    }
    *len = packet.len;
    *object = BE_NO_OBJECT;
    peer->several = 0;
    if (packet.came.count == 1) {
        object->alias = packet.came.descriptors[0];
    } else if (packet.came.count > 1) {
        peer->several = (uint8_t)packet.came.count;
        close_all(&packet.came);
    }
    return VMO_OK;
}

uint32_t be_recv_several(const struct be_peer *peer)
{
    return peer->several;
}

vmo_status be_recv_many(struct be_peer *peer, void *bytes, size_t max, size_t *len,
                        struct be_object objects[VMO_MANY_MAX], uint32_t *count, uint64_t deadline_ns)
{
    struct packet packet = {.len = 0};
    const vmo_status status = next_message(peer, bytes, max, &packet, deadline_ns);

    if (status != VMO_OK) {
        return status;
    }
    *len = packet.len;
    *count = (uint32_t)packet.came.count;
    for (uint32_t i = 0; i < *count; i++) {
        objects[i] = lx_received(packet.came.descriptors[i]);
    }
    return VMO_OK;
}

vmo_status be_recv_take(const struct be_peer *peer)
{
    return take(peer);
}

/* The object is a duplicate: the message is queued with its own. A message that was taken against the
 * sender's notice is dropped. */
vmo_status be_recv_keep(const struct be_peer *peer, const void *bytes, size_t len, struct be_object *object)
{
    (void)bytes, (void)len;
    const vmo_status closed = be_close(object);
    return closed == VMO_OK && peer->taken ? VMO_ERR_PROTOCOL : closed;
}
