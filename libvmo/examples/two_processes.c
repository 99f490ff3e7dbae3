/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A producer fills 1 MiB in place, seals it and sends it. A consumer in another process requires that seal,
 * maps the same pages read-only, hashes them and replies with the digest. The program checks every call and
 * gives everything back.
 */
#include <err.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vmo/channel.h>
#include <vmo/sha256.h>

#define LEN_BYTES (UINT64_C(1) << 20)
#define PATIENCE_NS UINT64_C(10000000000)

static const struct vmo_range whole = {0, LEN_BYTES};
static _Alignas(16) unsigned char storage[VMO_REGISTRY_BYTES(4, 4, 4, 1)];

static void must(vmo_status status)
{
    if (status != VMO_OK) {
        errx(1, "%s: %s", vmo_status_name(status), vmo_status_str(status));
    }
}

/* Makes a registry with one peer, behind a socket. */
static struct vmo_registry *start(int end, vmo_peer_t *peer)
{
    const struct vmo_limits limits = {.objects = 4, .mappings = 4, .views = 4, .peers = 1};
    struct vmo_registry *registry = NULL;

    must(vmo_registry_init(storage, sizeof(storage), &limits, &registry));
    must(vmo_peer_open(registry, end, peer));
    return registry;
}

static int consume(int end)
{
    vmo_peer_t peer;
    struct vmo_registry *registry = start(end, &peer);
    struct vmo_incoming incoming;
    uint8_t digest[VMO_SHA256_BYTES];
    vmo_view_t view;

    must(vmo_peer_require(registry, peer, VMO_SEAL_FOREVER));
    must(vmo_recv(registry, peer, &incoming, vmo_now_ns(registry) + PATIENCE_NS));
    must(vmo_map_ro(registry, incoming.vmo, whole, &view));
    must(vmo_view_sha256(registry, view, digest));
    const struct vmo_message reply = {.tag = incoming.tag, .body = digest, .body_bytes = sizeof(digest)};
    must(vmo_send(registry, peer, &reply, vmo_now_ns(registry) + PATIENCE_NS));
    must(vmo_unmap(registry, view));
    must(vmo_close(registry, incoming.vmo));
    must(vmo_peer_close(registry, peer));
    must(vmo_registry_fini(registry));
    return 0;
}

/* Makes a sealed VMO with some bytes, and their digest. */
static vmo_t make(struct vmo_registry *registry, uint8_t digest[VMO_SHA256_BYTES])
{
    vmo_t vmo;
    vmo_view_t view;

    must(vmo_create(registry, LEN_BYTES, &vmo));
    must(vmo_map_rw(registry, vmo, whole, &view));
    uint8_t *bytes = vmo_view_data_rw(registry, view);
    for (uint64_t i = 0; i < LEN_BYTES; i++) {
        bytes[i] = (uint8_t)(i * 31 >> 3);
    }
    must(vmo_view_sha256(registry, view, digest));
    must(vmo_unmap(registry, view));
    must(vmo_seal(registry, vmo, VMO_SEAL_FOREVER));
    return vmo;
}

static int produce(int end)
{
    vmo_peer_t peer;
    struct vmo_registry *registry = start(end, &peer);
    struct vmo_incoming reply;
    struct vmo_counters counters;
    uint8_t expected[VMO_SHA256_BYTES];
    const vmo_t vmo = make(registry, expected);
    const struct vmo_message message = {.tag = 1, .vmo = vmo, .rights = VMO_RIGHT_READ};

    must(vmo_peer_allow(registry, peer));
    must(vmo_send(registry, peer, &message, vmo_now_ns(registry) + PATIENCE_NS));
    must(vmo_recv(registry, peer, &reply, vmo_now_ns(registry) + PATIENCE_NS));
    const int same = reply.tag == 1 && reply.body_bytes == sizeof(expected) &&
                     memcmp(reply.body, expected, sizeof(expected)) == 0;
    vmo_counters_read(registry, &counters);
    printf("digests: %s\n", same ? "the same" : "different");
    printf("handed over: %llu bytes, copied: %llu times\n", (unsigned long long)counters.bulk_bytes,
           (unsigned long long)counters.copies);
    must(vmo_peer_close(registry, peer));
    must(vmo_close(registry, vmo));
    must(vmo_registry_fini(registry));
    return same ? 0 : 1;
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
        return consume(ends[0]);
    }
    const int status = produce(ends[1]);
    if (waitpid(child, &ended, 0) != child || ended != 0) {
        errx(1, "the consumer failed");
    }
    return status;
}
