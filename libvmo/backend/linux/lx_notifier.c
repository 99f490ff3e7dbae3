/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Notifiers of pollable streams: a pair of sockets. One byte makes the other end readable; the end of a
 * process does, too. A socket and no eventfd, since a write to that of a lying peer may block.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backend_stream.h"
#include "lx.h"

#define CLEAR_BYTES 4096

vmo_status be_stream_notifier_make(struct be_peer *peer, uint64_t deadline_ns, uint32_t *name, int32_t *end)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        return lx_status(errno);
    }
    const int near = lx_above_stdio(ends[0]);
    vmo_status status = near < 0 ? lx_status(errno) : lx_send_descriptor(peer, ends[1], deadline_ns, name);
    lx_close_quiet(ends[1]);
    if (near >= 0 && status != VMO_OK) {
        lx_close_quiet(near);
    }
    if (status == VMO_OK) {
        *end = near;
    }
    return status;
}

/* True for an end of a pair as above: no call on another kind of file of the peer's may block or act. */
static bool is_end(int descriptor)
{
    int domain = 0;
    int type = 0;
    socklen_t len = sizeof(domain);

    return getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_UNIX &&
           getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_STREAM;
}

vmo_status be_stream_notifier_take(struct be_peer *peer, uint32_t name, int32_t *end)
{
    struct be_object object;
    const vmo_status status = be_transfer_peek(peer, name, &object);

    if (status != VMO_OK) {
        return status;
    }
    if (!is_end(object.alias)) {
        return VMO_ERR_PROTOCOL; /* the descriptor stays parked, as any that nobody accepts */
    }
    *end = object.alias;
    be_transfer_consume(peer, name);
    return VMO_OK;
}

void be_stream_notify(int32_t end)
{
    /* Fails if the other side has ended, or has not looked at thousands of bytes: either way it is readable.
     */
    (void)send(end, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void be_stream_notifier_clear(int32_t end)
{
    char bytes[CLEAR_BYTES];

    /* An honest peer sends fewer bytes. The rest of a lying peer's leave the end readable without cause. */
    (void)recv(end, bytes, sizeof(bytes), MSG_DONTWAIT);
}

bool be_stream_notifier_hung_up(int32_t end)
{
    struct pollfd look = {.fd = end, .events = POLLRDHUP};

    return poll(&look, 1, 0) == 1;
}

vmo_status be_stream_group_make(int32_t *group)
{
    const int made = lx_above_stdio(epoll_create1(EPOLL_CLOEXEC));

    if (made < 0) {
        return lx_status(errno);
    }
    *group = made;
    return VMO_OK;
}

vmo_status be_stream_group_add(int32_t group, int32_t end)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP};

    if (epoll_ctl(group, EPOLL_CTL_ADD, end, &event) == 0) {
        return VMO_OK;
    }
    switch (errno) {
    case EEXIST: /* the program has put another descriptor into the place of one of these */
    case ELOOP:
    case ENOENT:
        return lx_status(EBADF);
    default:
        return lx_status(errno);
    }
}

void be_stream_notifier_close(int32_t group, int32_t *end)
{
    if (*end == BE_NONE) {
        return;
    }
    if (group != BE_NONE) {
        /* A forked child keeps the end open, and the group would go on to report it. */
        (void)epoll_ctl(group, EPOLL_CTL_DEL, *end, NULL);
    }
    /* The child keeps this end open, too: the other side would not see that it ended. Fails for a group. */
    (void)shutdown(*end, SHUT_RDWR);
    lx_close_quiet(*end);
    *end = BE_NONE;
}
