/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server waits for three cameras, which connect to its socket. Each sends a picture as three planes: three
 * VMOs in one message, which come together or not at all. The server asks the kernel which process sent them.
 */
#include <err.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vmo/channel.h>

#define CAMERAS 3
#define PLANES 3
#define PLANE_BYTES UINT64_C(65536)
#define PATIENCE_NS UINT64_C(10000000000)

static const struct vmo_range whole = {0, PLANE_BYTES};
static _Alignas(16) unsigned char storage[VMO_REGISTRY_BYTES(PLANES, PLANES, PLANES, CAMERAS)];

static void must(vmo_status status)
{
    if (status != VMO_OK) {
        errx(1, "%s: %s", vmo_status_name(status), vmo_status_str(status));
    }
}

static struct vmo_registry *start(void)
{
    const struct vmo_limits limits = {
        .objects = PLANES, .mappings = PLANES, .views = PLANES, .peers = CAMERAS};
    struct vmo_registry *registry = NULL;

    must(vmo_registry_init(storage, sizeof(storage), &limits, &registry));
    return registry;
}

/* ---- A camera ----------------------------------------------------------------------------------- */

static int camera(const struct sockaddr_un *at, socklen_t at_bytes, uint8_t number)
{
    struct vmo_registry *registry = start();
    const struct vmo_message picture = {.tag = number};
    struct vmo_item planes[PLANES];
    vmo_peer_t server;
    const int end = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    if (end < 0 || connect(end, (const struct sockaddr *)at, at_bytes) != 0) {
        err(1, "connect");
    }
    must(vmo_peer_open(registry, end, &server));
    must(vmo_peer_allow(registry, server));
    for (int i = 0; i < PLANES; i++) {
        static uint8_t bytes[PLANE_BYTES];
        memset(bytes, number * PLANES + i, sizeof(bytes));
        must(vmo_create(registry, PLANE_BYTES, &planes[i].vmo));
        must(vmo_write(registry, planes[i].vmo, whole, bytes));
        must(vmo_seal(registry, planes[i].vmo, VMO_SEAL_FOREVER));
        planes[i].rights = VMO_RIGHT_READ;
    }
    must(vmo_send_many(registry, server, &picture, planes, PLANES, vmo_now_ns(registry) + PATIENCE_NS));
    return 0; /* what was sent stays, and the end of the process gives back the rest */
}

/* ---- The server --------------------------------------------------------------------------------- */

/* Takes a picture. Returns 1 if it is whole and comes from this process. */
static int take(struct vmo_registry *registry, vmo_peer_t from, pid_t camera_pid)
{
    struct vmo_identity sender;
    struct vmo_incoming picture;
    vmo_t planes[VMO_MANY_MAX];
    uint32_t count = 0;

    must(vmo_peer_identity(registry, from, &sender));
    must(vmo_peer_require(registry, from, VMO_SEAL_FOREVER));
    must(vmo_recv_many(registry, from, &picture, planes, &count, 0)); /* it is there: vmo_poll found it */
    int good = sender.pid == camera_pid && count == PLANES;
    for (uint32_t i = 0; i < count; i++) {
        vmo_view_t view;
        must(vmo_map_ro(registry, planes[i], whole, &view));
        const uint8_t *bytes = vmo_view_data(registry, view);
        good = good && bytes[0] == picture.tag * PLANES + i && bytes[PLANE_BYTES - 1] == bytes[0];
        must(vmo_unmap(registry, view));
        must(vmo_close(registry, planes[i]));
    }
    return good;
}

int main(void)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    socklen_t at_bytes = offsetof(struct sockaddr_un, sun_path); /* Linux gives it a free name, no file */
    const int door = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    struct vmo_polled cameras[CAMERAS] = {{.wanted = 0}};
    pid_t pids[CAMERAS];
    int good = 0;

    if (door < 0 || bind(door, (struct sockaddr *)&at, at_bytes) != 0) {
        err(1, "bind");
    }
    at_bytes = sizeof(at);
    if (getsockname(door, (struct sockaddr *)&at, &at_bytes) != 0 || listen(door, 1) != 0) {
        err(1, "listen");
    }
    struct vmo_registry *registry = start();
    for (uint8_t i = 0; i < CAMERAS; i++) { /* one after the other, so that pids[i] connects i-th */
        pids[i] = fork();
        if (pids[i] == 0) {
            return camera(&at, at_bytes, i);
        }
        const int end = pids[i] < 0 ? -1 : accept(door, NULL, NULL);
        if (end < 0) {
            err(1, "camera %d", i);
        }
        must(vmo_peer_open(registry, end, &cameras[i].peer));
        cameras[i].wanted = VMO_POLL_MESSAGE;
    }
    for (uint32_t left = CAMERAS; left > 0;) {
        must(vmo_poll(registry, cameras, left, vmo_now_ns(registry) + PATIENCE_NS));
        for (uint32_t i = left; i-- > 0;) {
            if (cameras[i].found & VMO_POLL_MESSAGE) {
                good += take(registry, cameras[i].peer, pids[i]);
                must(vmo_peer_close(registry, cameras[i].peer));
                left--; /* the last one goes to its place */
                cameras[i] = cameras[left];
                pids[i] = pids[left];
            } else if (cameras[i].found & VMO_POLL_ENDED) {
                errx(1, "process %d has ended without a picture", (int)pids[i]);
            }
        }
    }
    printf("pictures: %d of %d\n", good, CAMERAS);
    for (int i = 0; i < CAMERAS; i++) {
        int ended = 0;
        if (wait(&ended) < 0 || ended != 0) {
            errx(1, "a camera failed");
        }
    }
    must(vmo_registry_fini(registry));
    return good == CAMERAS ? 0 : 1;
}
