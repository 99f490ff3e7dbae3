/* SPDX-License-Identifier: Apache-2.0 */
/* The suite on Linux with the peer as a thread, so that ThreadSanitizer sees both ends. Other threads use the
 * tables of the process at the same time: they are not counted. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "conformance/conf.h"
#include "conformance/conf_peer_main.h"

#define NS_PER_S UINT64_C(1000000000)

static pthread_t peer;
static bool has_thread;
static int peers_end = -1; /* the library's */
static int peers_own = -1; /* a duplicate, which stays open when the library closes its own */

const struct conf_port *conf_port(void)
{
    static const struct conf_port port = {
        .name = "linux-threads",
        .features = HAS_MAP | HAS_UNMAP | HAS_DESTROY | HAS_PEER | HAS_TRANSFER | HAS_FILES |
                    HAS_KERNEL_SEALS | HAS_PEER_CREATE | HAS_TRANSFER_UP | HAS_NAMES,
    };

    return &port;
}

struct conf_held conf_port_held(void)
{
    return (struct conf_held){0, 0};
}

uint64_t conf_port_mark(void)
{
    return 0;
}

void conf_port_between(void) {}

/* ---- The peer ----------------------------------------------------------------------------------- */

static vmo_status open_peers_end(struct vmo_registry *registry, vmo_peer_t *out)
{
    return vmo_peer_open(registry, peers_end, out);
}

bool conf_port_bad_program(uint32_t i, struct vmo_program *out)
{
    (void)i, (void)out;
    return false; /* no kernel here loads it */
}

/* The end of a process closes its channel; a thread must do it. */
static void *peer_main(void *unused)
{
    (void)unused;
    (void)conf_peer_main(open_peers_end);
    (void)shutdown(peers_own, SHUT_RDWR);
    return NULL;
}

vmo_status conf_port_start_peer(struct vmo_registry *registry, vmo_peer_t *out)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        return VMO_ERR_NO_SLOTS;
    }
    peers_end = ends[1];
    peers_own = fcntl(ends[1], F_DUPFD_CLOEXEC, 0);
    const vmo_status status = vmo_peer_open(registry, ends[0], out);
    if (status != VMO_OK || pthread_create(&peer, NULL, peer_main, NULL) != 0) {
        return status != VMO_OK ? status : VMO_ERR_BACKEND;
    }
    has_thread = true;
    return VMO_OK;
}

/* The thread sees that the channel is closed, and ends. After a failure the channel is still open. */
void conf_port_forget_peer(bool after_failure)
{
    if (after_failure) {
        (void)shutdown(peers_own, SHUT_RDWR);
    }
    if (has_thread) {
        (void)pthread_join(peer, NULL);
        (void)close(peers_own);
    }
    has_thread = false;
}

void conf_port_pause(uint64_t until_ns)
{
    const struct timespec until = {.tv_sec = (time_t)(until_ns / NS_PER_S),
                                   .tv_nsec = (long)(until_ns % NS_PER_S)};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR) {
    }
}

void conf_port_crash(void) {}

/* ---- Files -------------------------------------------------------------------------------------- */

int conf_port_file(const void *bytes, size_t len)
{
    FILE *stream = tmpfile();

    if (!stream) {
        return -1;
    }
    const bool written = fwrite(bytes, 1, len, stream) == len && fflush(stream) == 0;
    const int file = written ? fcntl(fileno(stream), F_DUPFD_CLOEXEC, 0) : -1;
    (void)fclose(stream);
    return file;
}

void conf_port_truncate(int file, size_t len)
{
    CHECK(ftruncate(file, (off_t)len) == 0);
}

void conf_port_close_file(int file)
{
    (void)close(file);
}
