/* SPDX-License-Identifier: Apache-2.0 */
/* The suite on Linux with the peer as a thread, so that ThreadSanitizer sees both ends. Entries of kernel
 * tables are not counted: other threads use the same tables at the same time. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conformance/conf.h"
#include "conformance/conf_peer_main.h"

static pthread_t peer;
static bool has_thread;
static int peers_end = -1; /* the library closes this */
static int peers_own = -1; /* a duplicate of peers_end that stays open */

const struct conf_port *conf_port(void)
{
    static const struct conf_port port = {
        .name = "linux-threads",
        .features = HAS_MAP | HAS_UNMAP | HAS_DESTROY | HAS_PEER | HAS_TRANSFER | HAS_FILES |
                    HAS_KERNEL_SEALS | HAS_PEER_CREATE | HAS_TRANSFER_UP | HAS_NAMES | HAS_DESCRIPTORS |
                    HAS_MANY,
        .patience_ns = UINT64_C(30000000000), /* the machine may be busy */
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

/* ---- The peer ----------------------------------------------------------------------------------- */

static vmo_status open_peers_end(struct vmo_registry *registry, vmo_peer_t *out)
{
    return vmo_peer_open(registry, peers_end, out);
}

/* Unlike a process, a thread must close its channel itself when it ends. */
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

/* A closed channel ends the thread. After a failure the channel is still open. */
void conf_port_drop_peer(bool after_failure)
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

void conf_port_crash(void) {}
