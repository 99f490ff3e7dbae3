/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A camera publishes pictures at full speed, and a display in another process shows the latest one that it
 * can: no picture is copied, the camera never waits for the display, and the display knows how many it
 * missed.
 */
#include <err.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vmo/stream.h>

#define PICTURE_BYTES (UINT64_C(640) * 480 * 3)
#define PICTURES 500
#define PATIENCE_NS UINT64_C(10000000000)

static const struct vmo_stream_options options = {
    .policy = VMO_STREAM_LATEST, .buffers = 4, .consumers = 1, .hold = 1, .capacity_bytes = PICTURE_BYTES};
static _Alignas(16) unsigned char registry_storage[VMO_REGISTRY_BYTES(4, 4, 4, 1)];
static _Alignas(16) unsigned char camera_storage[VMO_STREAM_PRODUCER_BYTES(4, 1)];
static _Alignas(16) unsigned char display_storage[VMO_STREAM_CONSUMER_BYTES];

static void must(vmo_status status)
{
    if (status != VMO_OK) {
        errx(1, "%s: %s", vmo_status_name(status), vmo_status_str(status));
    }
}

static struct vmo_registry *start(int end, vmo_peer_t *peer)
{
    const struct vmo_limits limits = {.objects = 4, .mappings = 4, .views = 4, .peers = 1};
    struct vmo_registry *registry = NULL;

    must(vmo_registry_init(registry_storage, sizeof(registry_storage), &limits, &registry));
    must(vmo_peer_open(registry, end, peer));
    return registry;
}

/* Shows pictures until the camera ends. True if each was whole, and was shown or counted as lost. */
static int show(struct vmo_consumer *display, const struct vmo_registry *registry)
{
    const uint64_t began = vmo_now_ns(registry);
    unsigned long long shown = 0, lost = 0;
    struct vmo_frame picture;
    int whole = 1;

    for (;;) {
        const vmo_status status = vmo_stream_take(display, vmo_now_ns(registry) + PATIENCE_NS, &picture);
        if (status == VMO_ERR_PEER_GONE) {
            break;
        }
        must(status);
        whole &= memchr(picture.data, (int)(picture.tag ^ 255), picture.len_bytes) == NULL;
        must(vmo_stream_release(display, &picture));
        shown++;
        lost += picture.lost;
    }
    fprintf(stderr, "%llu pictures shown, %llu lost, %.1f us for each\n", shown, lost,
            (double)(vmo_now_ns(registry) - began) / 1000 / (double)(shown + lost));
    return whole && shown + lost == PICTURES;
}

static int display(int end)
{
    vmo_peer_t camera;
    struct vmo_registry *registry = start(end, &camera);
    struct vmo_incoming offer;
    struct vmo_consumer *consumer = NULL;

    must(vmo_recv(registry, camera, &offer, vmo_now_ns(registry) + PATIENCE_NS));
    must(vmo_stream_join(registry, camera, &offer, display_storage, sizeof(display_storage),
                         vmo_now_ns(registry) + PATIENCE_NS, &consumer));
    const int good = show(consumer, registry);
    must(vmo_stream_leave(consumer));
    must(vmo_peer_close(registry, camera));
    must(vmo_registry_fini(registry));
    return good ? 0 : 1;
}

static void film(int end)
{
    vmo_peer_t screen;
    struct vmo_registry *registry = start(end, &screen);
    struct vmo_producer *camera = NULL;
    struct vmo_loan picture;
    vmo_consumer_t name;

    must(vmo_peer_allow(registry, screen));
    must(vmo_stream_create(registry, &options, camera_storage, sizeof(camera_storage), &camera));
    must(vmo_stream_offer(camera, screen, 1, vmo_now_ns(registry) + PATIENCE_NS, &name));
    for (int i = 1; i <= PICTURES; i++) {
        must(vmo_stream_loan(camera, vmo_now_ns(registry) + PATIENCE_NS, &picture, NULL));
        memset(picture.data, i % 100, PICTURE_BYTES);
        must(vmo_stream_publish(camera, &picture, PICTURE_BYTES, (uint64_t)(i % 100)));
    }
    must(vmo_peer_close(registry, screen));
    must(vmo_stream_close(camera));
    must(vmo_registry_fini(registry));
}

int main(void)
{
    int ends[2], ended = 0;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        err(1, "socketpair");
    }
    const pid_t child = fork();
    if (child < 0) {
        err(1, "fork");
    }
    if (close(ends[child == 0]) != 0) {
        err(1, "close");
    }
    if (child == 0) {
        return display(ends[0]);
    }
    film(ends[1]);
    if (waitpid(child, &ended, 0) != child || ended != 0) {
        errx(1, "the display failed");
    }
    puts("each picture was shown, or counted as lost");
    return 0;
}
