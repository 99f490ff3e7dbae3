/* SPDX-License-Identifier: Apache-2.0 */
/* The socket file exists while a receiver listens, and belongs to one receiver. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "tool_socket.h"

#define PAUSE_NS 10000000 /* between two tries */
#define LOCK_TRIES 200
#define WAITING 16 /* senders that may wait for their turn */

static void pause_briefly(void)
{
    const struct timespec pause = {0, PAUSE_NS};

    (void)nanosleep(&pause, NULL); /* a shorter pause does no harm */
}

static struct sockaddr_un address_of(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    memcpy(address.sun_path, path, strlen(path) + 1);
    return address;
}

bool tool_is_socket_path(const char *path)
{
    const size_t room = sizeof(((struct sockaddr_un *)NULL)->sun_path);

    if (path[0] == '\0' || strlen(path) >= room) {
        tool_say(path[0] == '\0' ? "SOCKET" : path, "a socket's path has 1 to %zu bytes", room - 1);
        return false;
    }
    return true;
}

static int new_socket(const char *path)
{
    const int made = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    if (made < 0) {
        (void)tool_say_errno(path);
    }
    return made;
}

/* ---- Listening ------------------------------------------------------------------------------------ */

/* Locks the socket's folder: of two receivers that start at once, one must not take the other's new socket
 * for a stale one. */
static int lock_folder(const char *path)
{
    char folder[sizeof(((struct sockaddr_un *)NULL)->sun_path)] = ".";
    const char *const slash = strrchr(path, '/');

    if (slash != NULL) {
        const size_t len = slash == path ? 1 : (size_t)(slash - path);
        memcpy(folder, path, len);
        folder[len] = '\0';
    }
    const int locked = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (locked < 0) {
        (void)tool_say_errno(folder);
        return -1;
    }
    for (int tries = 0; flock(locked, LOCK_EX | LOCK_NB) != 0; tries++) {
        if ((errno != EWOULDBLOCK && errno != EINTR) || tries == LOCK_TRIES) {
            tool_say(folder, "cannot lock this folder: %s", strerror(errno));
            (void)close(locked);
            return -1;
        }
        pause_briefly();
    }
    return locked;
}

static bool bind_private(int listener, const char *path)
{
    const struct sockaddr_un address = address_of(path);
    const mode_t before = umask(0177);
    const int failed = bind(listener, (const struct sockaddr *)&address, sizeof(address));
    const int why = errno;

    (void)umask(before);
    errno = why;
    return failed == 0;
}

/* Removes a socket that nobody listens on. Refuses any other file, with a message. */
static bool remove_stale(const char *path)
{
    const struct sockaddr_un address = address_of(path);
    struct stat seen;

    if (lstat(path, &seen) != 0 || !S_ISSOCK(seen.st_mode)) {
        tool_say(path, "exists and is no socket: name another path");
        return false;
    }
    const int probe = new_socket(path);
    if (probe < 0) {
        return false;
    }
    const int failed = connect(probe, (const struct sockaddr *)&address, sizeof(address));
    const bool stale = failed != 0 && errno == ECONNREFUSED;
    (void)close(probe);
    if (!stale) {
        tool_say(path, "another program listens there: name another path");
        return false;
    }
    if (unlink(path) != 0) {
        (void)tool_say_errno(path);
        return false;
    }
    return true;
}

/* Makes the socket's file, and names it for the handler of signals. */
static bool bind_and_keep(int listener, const char *path)
{
    tool_hold_signals(true);
    const bool bound = bind_private(listener, path);
    const int why = errno;
    if (bound) {
        tool_keep_socket(path);
    }
    tool_hold_signals(false);
    errno = why;
    return bound;
}

static bool listen_locked(int listener, const char *path)
{
    bool good = bind_and_keep(listener, path);

    if (!good && errno == EADDRINUSE) {
        if (!remove_stale(path)) {
            return false;
        }
        good = bind_and_keep(listener, path);
    }
    good = good && listen(listener, WAITING) == 0;
    if (!good) {
        (void)tool_say_errno(path);
    }
    return good;
}

int tool_listen(const char *path)
{
    const int lock = lock_folder(path);
    int listener = lock < 0 ? -1 : new_socket(path);

    if (listener >= 0 && !listen_locked(listener, path)) {
        (void)close(listener);
        listener = -1;
    }
    if (lock >= 0) {
        (void)close(lock);
    }
    return listener;
}

int tool_accept(const char *path, int listener)
{
    int end = -1;

    do {
        end = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    } while (end < 0 && (errno == EINTR || errno == ECONNABORTED));
    if (end < 0) {
        (void)tool_say_errno(path);
    }
    return end;
}

/* ---- Connecting ----------------------------------------------------------------------------------- */

/* True for what changes when a receiver comes, or has room for one more sender. */
static bool may_change(int why)
{
    return why == ENOENT || why == ECONNREFUSED || why == EAGAIN || why == EINTR;
}

int tool_connect(const char *path, bool wait)
{
    const struct sockaddr_un address = address_of(path);
    const int end = new_socket(path);

    while (end >= 0 && connect(end, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        if (!wait || !may_change(errno)) {
            const bool nobody = errno == ENOENT || errno == ECONNREFUSED;
            tool_say(path, "%s%s", nobody ? "no receiver listens there: " : "", strerror(errno));
            (void)close(end);
            return -1;
        }
        pause_briefly();
    }
    return end;
}
