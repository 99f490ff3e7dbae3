/* SPDX-License-Identifier: Apache-2.0 */
/* Peers behind a socket: identity, waiting, end. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lx.h"
#include "lx_abi.h"

#define PARENT_SOCKET 3
#define NS_PER_SECOND UINT64_C(1000000000)

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

/* Makes a peer of a channel. False: the descriptor is no such socket any more. SO_PEERCRED is the process
 * that made the other end; its pid is 0 if it is in another namespace. A receive looks at a message before it
 * takes the message: a peek must see the head of the queue. */
static bool take_over(int socket, struct be_peer *out)
{
    struct ucred other = {.pid = 0};
    socklen_t len = sizeof(other);
    const int head = -1;

    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &other, &len) != 0 ||
        setsockopt(socket, SOL_SOCKET, SO_PEEK_OFF, &head, sizeof(head)) != 0 ||
        fcntl(socket, F_SETFD, FD_CLOEXEC) != 0) {
        return false;
    }
    *out = (struct be_peer){.pid = other.pid > 0 ? other.pid : BE_NONE, .socket = socket, .watch = BE_NONE};
    return true;
}

/* A socket that is a standard stream is moved, and the stream is closed. */
vmo_status be_peer_open(int descriptor, struct be_peer *out)
{
    int own = descriptor;

    if (!is_channel(descriptor)) {
        return VMO_ERR_INVALID;
    }
    if (descriptor <= STDERR_FILENO) {
        own = lx_duplicate(descriptor);
        if (own < 0) {
            return lx_status(errno);
        }
    }
    const bool taken = take_over(own, out);
    if (own != descriptor) {
        lx_close_quiet(taken ? descriptor : own);
    }
    return taken ? VMO_OK : VMO_ERR_INVALID;
}

void be_peer_allow_shared(struct be_peer *peer)
{
    peer->may_share_owner = true;
}

void be_peer_looks(struct be_peer *peer, uint32_t looks)
{
    peer->more_looks = looks - 1;
}

/* An inherited socket to the parent has FD_CLOEXEC clear. A socket that we opened or have already taken over
 * has it set. */
vmo_status be_parent(struct be_peer *out)
{
    const int flags = fcntl(PARENT_SOCKET, F_GETFD);

    return flags >= 0 && !(flags & FD_CLOEXEC) && is_channel(PARENT_SOCKET) && take_over(PARENT_SOCKET, out)
               ? VMO_OK
               : VMO_ERR_UNSUPPORTED;
}

vmo_status be_peer_hangup(struct be_peer *peer)
{
    for (size_t i = 0; i < LX_PARKED_MAX; i++) {
        if (peer->parked[i].name) {
            lx_close_quiet(peer->parked[i].descriptor);
            peer->parked[i] = (struct lx_parked){0, BE_NONE};
        }
    }
    return lx_close(&peer->socket);
}

vmo_status be_peer_close(struct be_peer *peer)
{
    const vmo_status channel = be_peer_hangup(peer);
    int32_t watch = peer->watch >= 0 ? peer->watch : BE_NONE;
    const vmo_status watched = lx_close(&watch);

    peer->watch = BE_NONE;
    return channel != VMO_OK ? channel : watched;
}

/* ---- End ---------------------------------------------------------------------------------------- */

/* Looks at a child that has a watch; *seen is its end. TIMED_OUT: it lives. PEER_GONE: the program reaped it
 * outside the library, or ignores SIGCHLD. A pidfd cannot name another process that got the same pid. */
static vmo_status look_at(const struct be_peer *peer, int how, siginfo_t *seen)
{
    const bool by_pid = peer->watch == LX_WATCH_BY_PID;
    const idtype_t kind = by_pid ? P_PID : P_PIDFD;
    const id_t name = (id_t)(by_pid ? peer->pid : peer->watch);
    int failed = 0;

    seen->si_pid = 0;
    do {
        failed = waitid(kind, name, seen, WEXITED | WNOHANG | how);
    } while (failed != 0 && errno == EINTR);
    if (failed != 0) {
        return errno == ECHILD ? VMO_ERR_PEER_GONE : lx_status(errno);
    }
    return seen->si_pid ? VMO_OK : VMO_ERR_TIMED_OUT;
}

bool be_peer_unreaped(const struct be_peer *peer)
{
    siginfo_t seen;

    return peer->watch != BE_NONE && look_at(peer, WNOWAIT, &seen) == VMO_OK;
}

vmo_status be_peer_kill(const struct be_peer *peer)
{
    siginfo_t seen;

    if (peer->watch == BE_NONE) {
        return VMO_ERR_UNSUPPORTED;
    }
    const vmo_status status = look_at(peer, WNOWAIT, &seen);
    if (status != VMO_ERR_TIMED_OUT) {
        return status;
    }
    const long sent = peer->watch == LX_WATCH_BY_PID
                          ? kill(peer->pid, SIGKILL)
                          : syscall(SYS_pidfd_send_signal, peer->watch, SIGKILL, NULL, 0);
    if (sent == 0) {
        return VMO_OK;
    }
    /* EPERM: the child has changed its user. */
    return errno == ESRCH ? VMO_ERR_PEER_GONE : errno == EPERM ? VMO_ERR_UNSUPPORTED : lx_status(errno);
}

/* ---- Waiting ------------------------------------------------------------------------------------ */

static struct timespec timespec_of(uint64_t ns)
{
    return (struct timespec){.tv_sec = (time_t)(ns / NS_PER_SECOND), .tv_nsec = (long)(ns % NS_PER_SECOND)};
}

/* Waits until one of these is ready, until the deadline, or at most at_most_ns. ppoll ignores descriptors
 * below 0. It refuses to look if RLIMIT_NOFILE is below count, or without memory: then a millisecond passes.
 */
static vmo_status wait_for(struct pollfd *looks, nfds_t count, uint64_t at_most_ns, uint64_t deadline_ns)
{
    const uint64_t now = be_now_ns();
    const uint64_t left = deadline_ns > now ? deadline_ns - now : 0;
    const struct timespec rest = timespec_of(left < at_most_ns ? left : at_most_ns);

    if (left == 0 && count == 1) { /* the caller has just tried it */
        return VMO_ERR_TIMED_OUT;
    }
    const int ready = ppoll(looks, count, &rest, NULL);
    if (ready < 0 && errno != EINTR) {
        const struct timespec pause = timespec_of(left < LX_LOOK_AGAIN_NS ? left : LX_LOOK_AGAIN_NS);
        if (nanosleep(&pause, NULL) != 0 && errno != EINTR) {
            return lx_status(errno);
        }
    }
    return ready <= 0 && left == 0 ? VMO_ERR_TIMED_OUT : VMO_OK;
}

bool lx_ended(const struct be_peer *peer)
{
    siginfo_t seen;
    const vmo_status status = look_at(peer, WNOWAIT, &seen);

    return status == VMO_OK || status == VMO_ERR_PEER_GONE;
}

/* Only the descriptors of this peer are polled: the number of peers costs nothing. */
vmo_status lx_wait(const struct be_peer *peer, short events, uint64_t at_most_ns, uint64_t deadline_ns)
{
    struct pollfd looks[] = {{.fd = peer->socket, .events = events}, {.fd = peer->watch, .events = POLLIN}};
    const bool by_pid = peer->watch == LX_WATCH_BY_PID;

    if (by_pid && lx_ended(peer)) {
        return VMO_ERR_PEER_GONE;
    }
    const uint64_t at_most = by_pid && at_most_ns > LX_LOOK_AGAIN_NS ? LX_LOOK_AGAIN_NS : at_most_ns;
    const vmo_status status = wait_for(looks, peer->watch >= 0 ? 2 : 1, at_most, deadline_ns);
    if (status != VMO_OK || looks[0].revents != 0 || peer->watch < 0) {
        return status;
    }
    return looks[1].revents != 0 || lx_ended(peer) ? VMO_ERR_PEER_GONE : VMO_OK;
}

/* A debugger that traces the child may hide its end from waitid although the pidfd shows it: look again. */
vmo_status be_peer_wait(struct be_peer *peer, uint64_t deadline_ns, int32_t *exit_status)
{
    siginfo_t seen;
    struct pollfd look = {.fd = peer->watch, .events = POLLIN};

    if (peer->watch == BE_NONE) {
        return VMO_ERR_UNSUPPORTED;
    }
    vmo_status status = look_at(peer, 0, &seen);
    while (status == VMO_ERR_TIMED_OUT) {
        const bool silent = look.fd < 0 || look.revents != 0;
        look = (struct pollfd){.fd = silent ? BE_NONE : peer->watch, .events = POLLIN};
        const vmo_status waited = wait_for(&look, 1, silent ? LX_LOOK_AGAIN_NS : UINT64_MAX, deadline_ns);
        if (waited != VMO_OK) {
            return waited;
        }
        status = look_at(peer, 0, &seen);
    }
    if (status != VMO_OK) {
        return status;
    }
    *exit_status = seen.si_code == CLD_EXITED ? seen.si_status : -seen.si_status;
    if (peer->watch >= 0) {
        lx_close_quiet(peer->watch);
    }
    peer->watch = BE_NONE;
    return VMO_OK;
}
