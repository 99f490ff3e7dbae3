/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for many peers at once. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <time.h>

#include "lx.h"

#define NS_PER_SECOND UINT64_C(1000000000)
#define LOOKS 2 /* for each peer: its channel and its pidfd */
#define GONE (POLLHUP | POLLRDHUP | POLLERR)

vmo_status be_peer_fd(const struct be_peer *peer, int *fd)
{
    if (peer->socket == BE_NONE) {
        return VMO_ERR_PEER_GONE;
    }
    *fd = peer->socket;
    return VMO_OK;
}

/* poll ignores a descriptor below 0. */
static void prepare(const struct be_polled *polled, struct pollfd looks[LOOKS])
{
    const struct be_peer *peer = polled->peer;

    looks[0] = (struct pollfd){.fd = peer->socket, .events = POLLRDHUP};
    looks[0].events |= polled->wanted & VMO_POLL_MESSAGE ? POLLIN : 0;
    looks[0].events |= polled->wanted & VMO_POLL_ROOM ? POLLOUT : 0;
    looks[1] = (struct pollfd){.fd = peer->watch, .events = POLLIN};
}

/* A channel whose other end is closed is readable for ever: asks whether a message is left. */
static vmo_status has_message(int socket, short seen, bool *out)
{
    int bytes = 0;

    *out = (seen & POLLIN) != 0;
    if (*out && (seen & GONE)) {
        if (ioctl(socket, FIONREAD, &bytes) != 0) {
            return errno == ENOTTY ? VMO_ERR_BAD_HANDLE : lx_status(errno); /* it is no socket any more */
        }
        *out = bytes > 0;
    }
    return VMO_OK;
}

static vmo_status collect(struct be_polled *polled, const struct pollfd looks[LOOKS])
{
    const struct be_peer *peer = polled->peer;
    const short seen = looks[0].revents;
    bool message = false;

    if ((seen | looks[1].revents) & POLLNVAL) {
        return VMO_ERR_BAD_HANDLE; /* the program closed it */
    }
    const vmo_status status = has_message(peer->socket, seen, &message);
    if (status != VMO_OK) {
        return status;
    }
    const bool gone = (seen & GONE) || looks[1].revents || peer->socket == BE_NONE ||
                      (peer->watch == LX_WATCH_BY_PID && lx_ended(peer));
    polled->found = (message ? VMO_POLL_MESSAGE : 0) | (gone ? VMO_POLL_ENDED : 0) |
                    (!gone && (seen & POLLOUT) ? VMO_POLL_ROOM : 0);
    return VMO_OK;
}

/* Looks once, for at most this long. A signal ends a look that has found nothing. */
static vmo_status look(struct pollfd *looks, uint32_t count, uint64_t ns)
{
    const struct timespec rest = {.tv_sec = (time_t)(ns / NS_PER_SECOND),
                                  .tv_nsec = (long)(ns % NS_PER_SECOND)};

    if (ppoll(looks, count, &rest, NULL) >= 0 || errno == EINTR) {
        return VMO_OK;
    }
    return errno == EINVAL ? VMO_ERR_NO_SLOTS : lx_status(errno);
}

/* How long a look may last: no descriptor shows the end of a child without a pidfd. */
static uint64_t patience(const struct be_polled *peers, uint32_t count, uint64_t left)
{
    for (uint32_t i = 0; i < count; i++) {
        if (peers[i].peer->watch == LX_WATCH_BY_PID && left > LX_LOOK_AGAIN_NS) {
            return LX_LOOK_AGAIN_NS;
        }
    }
    return left;
}

vmo_status be_poll(struct be_polled *peers, uint32_t count, uint64_t deadline_ns)
{
    struct pollfd looks[LOOKS * VMO_POLL_MAX];
    bool hung_up = false;

    for (uint32_t i = 0; i < count; i++) {
        prepare(&peers[i], &looks[(size_t)LOOKS * i]);
        hung_up = hung_up || peers[i].peer->socket == BE_NONE;
    }
    for (;;) {
        const uint64_t now = be_now_ns();
        const uint64_t left = deadline_ns > now && !hung_up ? deadline_ns - now : 0;
        vmo_status status = look(looks, LOOKS * count, patience(peers, count, left));
        bool found = false;
        for (uint32_t i = 0; status == VMO_OK && i < count; i++) {
            status = collect(&peers[i], &looks[(size_t)LOOKS * i]);
            found = found || peers[i].found;
        }
        if (status != VMO_OK || found) {
            return status;
        }
        if (left == 0) {
            return VMO_ERR_TIMED_OUT;
        }
    }
}
