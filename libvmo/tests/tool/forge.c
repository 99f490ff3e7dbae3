/* SPDX-License-Identifier: Apache-2.0 */
/* A false partner of vmo send and vmo recv: says one thing that does not hold.
 *   forge KIND SOCKET     to a receiver
 *   forge KIND SOCKET -   to a sender; listens on SOCKET */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "tool/tool_handover.h"

#define LEN_BYTES UINT64_C(5000)
#define TRIES 6000
#define PATIENCE_NS UINT64_C(60000000000)

static struct vmo_registry *registry;
static vmo_peer_t peer;

static void must(vmo_status status)
{
    if (status != VMO_OK) {
        errx(3, "%s", vmo_status_name(status));
    }
}

static void send_message(uint32_t tag, const void *body, size_t body_bytes, vmo_t vmo)
{
    const struct vmo_message message = {.tag = tag,
                                        .vmo = vmo,
                                        .rights = vmo.id != 0 ? VMO_RIGHT_READ : 0,
                                        .body = body,
                                        .body_bytes = (uint16_t)body_bytes};

    must(vmo_send(registry, peer, &message, vmo_now_ns(registry) + PATIENCE_NS));
}

/* Waits for the end of the partner, or for a message. */
static int receive(struct vmo_incoming *message)
{
    const vmo_status status = vmo_recv(registry, peer, message, vmo_now_ns(registry) + PATIENCE_NS);

    if (status != VMO_ERR_PEER_GONE) {
        must(status);
    }
    return status == VMO_OK;
}

/* Ends with 0 if the receiver refused. */
static int forge_file(const char *kind)
{
    struct handover_file about = {.len_bytes = LEN_BYTES};
    struct vmo_incoming answer;
    vmo_t vmo;

    must(vmo_create(registry, LEN_BYTES, &vmo));
    if (strcmp(kind, "unsealed") != 0) {
        must(vmo_seal(registry, vmo, strcmp(kind, "peers") == 0 ? VMO_SEAL_PEERS : VMO_SEAL_FOREVER));
    }
    about.len_bytes += strcmp(kind, "longer") == 0;
    about.len_bytes *= strcmp(kind, "none") != 0;
    about.digest_follows = strcmp(kind, "digest") == 0;
    const uint32_t tag = strcmp(kind, "tag") == 0 ? HANDOVER_DIGEST : HANDOVER_FILE;
    send_message(tag, &about, sizeof(about) - (strcmp(kind, "short") == 0),
                 strcmp(kind, "nothing") == 0 ? VMO_NONE : vmo);
    if (about.digest_follows) {
        const struct handover_digest digest = {{0}};
        send_message(HANDOVER_DIGEST, &digest, sizeof(digest), VMO_NONE);
    }
    if (!receive(&answer)) {
        return 0;
    }
    return answer.body[0] == strcmp(kind, "right") ? 1 : 0;
}

static int forge_answer(const char *kind)
{
    struct handover_answer answer = {.taken = 1, .has_digest = 1};
    struct vmo_incoming message;

    if (!receive(&message)) {
        return 1;
    }
    if (strcmp(kind, "leave") == 0) {
        must(vmo_peer_close(registry, peer));
        return 0;
    }
    send_message(HANDOVER_ANSWER, &answer, sizeof(answer), VMO_NONE);
    while (receive(&message)) {
    }
    return 0;
}

/* The receiver's socket exists before it listens. */
static void connect_to(int end, const struct sockaddr_un *address)
{
    const struct timespec pause = {0, 10000000};

    for (int tries = 0; connect(end, (const struct sockaddr *)address, sizeof(*address)) != 0; tries++) {
        if (errno != ECONNREFUSED || tries == TRIES) {
            err(3, "%s", address->sun_path);
        }
        (void)nanosleep(&pause, NULL);
    }
}

static int meet(const char *path, int listens)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int end = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
    if (listens) {
        if (bind(end, (const struct sockaddr *)&address, sizeof(address)) != 0 || listen(end, 1) != 0) {
            err(3, "%s", path);
        }
        end = accept4(end, NULL, NULL, SOCK_CLOEXEC);
        if (end < 0 || unlink(path) != 0) {
            err(3, "%s", path);
        }
    } else {
        connect_to(end, &address);
    }
    return end;
}

int main(int argc, char **argv)
{
    const struct vmo_limits limits = {.objects = 4, .mappings = 4, .views = 4, .peers = 1};

    if (argc < 3) {
        errx(3, "KIND SOCKET [-]");
    }
    must(vmo_registry_new(&limits, &registry));
    must(vmo_peer_open(registry, meet(argv[2], argc > 3), &peer));
    must(vmo_peer_allow(registry, peer));
    return argc > 3 ? forge_answer(argv[1]) : forge_file(argv[1]);
}
