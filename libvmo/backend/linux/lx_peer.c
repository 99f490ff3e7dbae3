/* SPDX-License-Identifier: Apache-2.0 */
/* Peers behind a socket: identity, waiting, end. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lx.h"

#define PARENT_SOCKET 3
#define NS_PER_SECOND UINT64_C(1000000000)
#define LOOK_AGAIN_NS UINT64_C(1000000)

/* ---- Identity ----------------------------------------------------------------------------------- */

static bool option_is(int socket, int option, int expected)
{
    int value = 0;
    socklen_t len = sizeof(value);

    return getsockopt(socket, SOL_SOCKET, option, &value, &len) == 0 && value == expected;
}

/* True for a connected AF_UNIX socket of type SOCK_SEQPACKET. */
static bool is_channel(int socket)
{
    struct sockaddr_storage other;
    socklen_t len = sizeof(other);

    return option_is(socket, SO_DOMAIN, AF_UNIX) && option_is(socket, SO_TYPE, SOCK_SEQPACKET) &&
           getpeername(socket, (struct sockaddr *)&other, &len) == 0;
}

/* Makes a peer of a channel. SO_PEERCRED is the process that made the other end; its pid is 0 if it is in
 * another namespace. */
static vmo_status take_over(int socket, struct be_peer *out)
{
    struct ucred other = {.pid = 0};
    socklen_t len = sizeof(other);

    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &other, &len) != 0 ||
        fcntl(socket, F_SETFD, FD_CLOEXEC) != 0) {
        return VMO_ERR_BACKEND;
    }
    *out = (struct be_peer){.pid = other.pid > 0 ? other.pid : BE_NONE, .socket = socket, .watch = BE_NONE};
    return VMO_OK;
}

vmo_status be_peer_open(int descriptor, struct be_peer *out)
{
    return is_channel(descriptor) ? take_over(descriptor, out) : VMO_ERR_INVALID;
}

void be_peer_allow_shared(struct be_peer *peer)
{
    peer->may_share_owner = true;
}

/* An inherited socket to the parent has FD_CLOEXEC clear. A socket that we opened or have already taken over
 * has it set. */
vmo_status be_parent(struct be_peer *out)
{
    const int flags = fcntl(PARENT_SOCKET, F_GETFD);

    if (flags < 0 || (flags & FD_CLOEXEC) || !is_channel(PARENT_SOCKET)) {
        return VMO_ERR_UNSUPPORTED;
    }
    return take_over(PARENT_SOCKET, out);
}

vmo_status be_peer_close(struct be_peer *peer)
{
    const vmo_status channel = lx_close(&peer->socket);
    int32_t watch = peer->watch >= 0 ? peer->watch : BE_NONE;
    const vmo_status watched = lx_close(&watch);

    peer->watch = BE_NONE;
    for (size_t i = 0; i < LX_PARKED_MAX; i++) {
        if (peer->parked[i].name) {
            lx_close_quiet(peer->parked[i].descriptor);
            peer->parked[i] = (struct lx_parked){0, BE_NONE};
        }
    }
    return channel != VMO_OK ? channel : watched;
}

/* ---- End ---------------------------------------------------------------------------------------- */

enum child { CHILD_LIVES, CHILD_ENDED, CHILD_REAPED /* outside the library */ };

/* The state of a child, without reaping it. */
static enum child look_at(int32_t pid)
{
    siginfo_t seen = {.si_pid = 0};

    if (waitid(P_PID, (id_t)pid, &seen, WEXITED | WNOHANG | WNOWAIT) != 0) {
        return CHILD_REAPED;
    }
    return seen.si_pid == pid ? CHILD_ENDED : CHILD_LIVES;
}

/* be_peer_wait removes the watch: a peer with a watch was not waited for. */
bool lx_peer_ended(const struct be_peer *peer)
{
    return peer->watch != BE_NONE && look_at(peer->pid) != CHILD_LIVES;
}

bool be_peer_unreaped(const struct be_peer *peer)
{
    return peer->watch != BE_NONE && look_at(peer->pid) == CHILD_ENDED;
}

/* ---- Waiting ------------------------------------------------------------------------------------ */

static struct timespec timespec_of(uint64_t ns)
{
    return (struct timespec){.tv_sec = (time_t)(ns / NS_PER_SECOND), .tv_nsec = (long)(ns % NS_PER_SECOND)};
}

/* Waits until one of these is ready. ppoll ignores descriptors below 0. */
static vmo_status wait_for(struct pollfd *looks, nfds_t count, uint64_t at_most_ns, uint64_t deadline_ns)
{
    const uint64_t now = be_now_ns();

    if (now >= deadline_ns) {
        return VMO_ERR_TIMED_OUT;
    }
    const uint64_t left = deadline_ns - now;
    const struct timespec rest = timespec_of(left < at_most_ns ? left : at_most_ns);
    return ppoll(looks, count, &rest, NULL) >= 0 || errno == EINTR ? VMO_OK : lx_status(errno);
}

vmo_status lx_wait(const struct be_peer *peer, short events, uint64_t deadline_ns)
{
    struct pollfd looks[] = {{.fd = peer->socket, .events = events}, {.fd = peer->watch, .events = POLLIN}};

    return wait_for(looks, 2, peer->watch == LX_WATCH_BY_PID ? LOOK_AGAIN_NS : UINT64_MAX, deadline_ns);
}

static vmo_status reap(struct be_peer *peer, int32_t *exit_status)
{
    siginfo_t seen = {.si_pid = 0};

    if (waitid(P_PID, (id_t)peer->pid, &seen, WEXITED | WNOHANG) != 0 || seen.si_pid != peer->pid) {
        return VMO_ERR_BACKEND;
    }
    *exit_status = seen.si_code == CLD_EXITED ? seen.si_status : -seen.si_status;
    int32_t watch = peer->watch >= 0 ? peer->watch : BE_NONE;
    peer->watch = BE_NONE;
    return lx_close(&watch);
}

vmo_status be_peer_wait(struct be_peer *peer, uint64_t deadline_ns, int32_t *exit_status)
{
    struct pollfd look = {.fd = peer->watch, .events = POLLIN};
    const uint64_t at_most = peer->watch == LX_WATCH_BY_PID ? LOOK_AGAIN_NS : UINT64_MAX;

    if (peer->watch == BE_NONE) {
        return VMO_ERR_UNSUPPORTED;
    }
    while (look_at(peer->pid) == CHILD_LIVES) {
        const vmo_status status = wait_for(&look, 1, at_most, deadline_ns);
        if (status != VMO_OK) {
            return status;
        }
    }
    return reap(peer, exit_status);
}
