/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One producer, eight consumers in processes of their own that hash what it publishes: each frame is written
 * once, read in place by all, and none is lost. The producer compares the digests.
 */
#include <err.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vmo/sha256.h>
#include <vmo/stream.h>

#define CONSUMERS 8
#define FRAME_BYTES UINT64_C(65536)
#define FRAMES 200
#define PATIENCE_NS UINT64_C(10000000000)

static const struct vmo_stream_options options = {.policy = VMO_STREAM_BACKPRESSURE,
                                                  .buffers = 4,
                                                  .consumers = CONSUMERS,
                                                  .hold = 1,
                                                  .capacity_bytes = FRAME_BYTES};
static const struct vmo_limits limits = {.objects = 16, .mappings = 16, .views = 16, .peers = CONSUMERS};
static _Alignas(16) unsigned char registry_storage[VMO_REGISTRY_BYTES(16, 16, 16, CONSUMERS)];
static _Alignas(16) unsigned char producer_storage[VMO_STREAM_PRODUCER_BYTES(4, CONSUMERS)];
static _Alignas(16) unsigned char consumer_storage[VMO_STREAM_CONSUMER_BYTES];

static void must(vmo_status status)
{
    if (status != VMO_OK) {
        errx(1, "%s: %s", vmo_status_name(status), vmo_status_str(status));
    }
}

/* Hashes every frame, and replies with the digest. */
static void consume(int end)
{
    struct vmo_registry *registry = NULL;
    struct vmo_consumer *consumer = NULL;
    struct vmo_incoming offer;
    struct vmo_sha256 hash;
    uint8_t digest[VMO_SHA256_BYTES];
    vmo_peer_t producer;

    must(vmo_registry_init(registry_storage, sizeof(registry_storage), &limits, &registry));
    must(vmo_peer_open(registry, end, &producer));
    must(vmo_recv(registry, producer, &offer, vmo_now_ns(registry) + PATIENCE_NS));
    must(vmo_stream_join(registry, producer, &offer, consumer_storage, sizeof(consumer_storage),
                         vmo_now_ns(registry) + PATIENCE_NS, &consumer));
    vmo_sha256_init(&hash);
    for (int i = 0; i < FRAMES; i++) {
        struct vmo_frame frame;
        must(vmo_stream_take(consumer, vmo_now_ns(registry) + PATIENCE_NS, &frame));
        vmo_sha256_update(&hash, frame.data, frame.len_bytes);
        must(vmo_stream_release(consumer, &frame));
    }
    vmo_sha256_final(&hash, digest);
    const struct vmo_message reply = {.body = digest, .body_bytes = sizeof(digest)};
    must(vmo_send(registry, producer, &reply, vmo_now_ns(registry) + PATIENCE_NS));
    must(vmo_stream_leave(consumer));
    must(vmo_peer_close(registry, producer));
    must(vmo_registry_fini(registry));
}

/* Starts a consumer; returns this end of the socket to it. */
static int start_consumer(void)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        err(1, "socketpair");
    }
    const pid_t child = fork();
    if (child < 0) {
        err(1, "fork");
    }
    if (close(ends[child != 0]) != 0) {
        err(1, "close");
    }
    if (child == 0) {
        consume(ends[1]);
        _exit(0);
    }
    return ends[0];
}

static void publish_all(struct vmo_registry *registry, struct vmo_producer *producer,
                        uint8_t digest[VMO_SHA256_BYTES])
{
    const uint64_t began = vmo_now_ns(registry);
    struct vmo_sha256 hash;

    vmo_sha256_init(&hash);
    for (int i = 0; i < FRAMES; i++) {
        struct vmo_loan loan;
        must(vmo_stream_loan(producer, vmo_now_ns(registry) + PATIENCE_NS, &loan, NULL));
        memset(loan.data, i, FRAME_BYTES);
        vmo_sha256_update(&hash, loan.data, FRAME_BYTES);
        must(vmo_stream_publish(producer, &loan, FRAME_BYTES, 0));
    }
    vmo_sha256_final(&hash, digest);
    fprintf(stderr, "%.1f us a frame\n", (double)(vmo_now_ns(registry) - began) / 1000 / FRAMES);
}

int main(void)
{
    struct vmo_registry *registry = NULL;
    struct vmo_producer *producer = NULL;
    vmo_peer_t peers[CONSUMERS];
    uint8_t digest[VMO_SHA256_BYTES];
    int ends[CONSUMERS], same = 0;

    for (int i = 0; i < CONSUMERS; i++) {
        ends[i] = start_consumer();
    }
    must(vmo_registry_init(registry_storage, sizeof(registry_storage), &limits, &registry));
    must(vmo_stream_create(registry, &options, producer_storage, sizeof(producer_storage), &producer));
    for (int i = 0; i < CONSUMERS; i++) {
        vmo_consumer_t name;
        must(vmo_peer_open(registry, ends[i], &peers[i]));
        must(vmo_peer_allow(registry, peers[i]));
        must(vmo_stream_offer(producer, peers[i], 1, vmo_now_ns(registry) + PATIENCE_NS, &name));
    }
    publish_all(registry, producer, digest);
    for (int i = 0; i < CONSUMERS; i++) {
        struct vmo_incoming reply;
        must(vmo_recv(registry, peers[i], &reply, vmo_now_ns(registry) + PATIENCE_NS));
        same += reply.body_bytes == sizeof(digest) && memcmp(reply.body, digest, sizeof(digest)) == 0;
        must(vmo_peer_close(registry, peers[i]));
    }
    must(vmo_stream_close(producer));
    must(vmo_registry_fini(registry));
    while (wait(NULL) > 0) {
    }
    printf("the same digest: %d of %d\n", same, CONSUMERS);
    return same == CONSUMERS ? 0 : 1;
}
