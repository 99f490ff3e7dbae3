/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client lends memory to a provider in another process, which fills it: the payload first, the header last,
 * then the answer. The client checks the header and reads in place, where Linux promises that nobody can
 * write the memory any more. Of a provider that keeps a writable mapping it checks and uses a copy.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vmo/descriptor.h>
#include <vmo/sha256.h>

#define LENT_BYTES (UINT64_C(1) << 20)
#define PATIENCE_NS UINT64_C(10000000000) /* what a provider that never answers costs */

struct header {
    uint64_t request;
    uint64_t payload_bytes; /* behind the header */
    uint8_t digest[VMO_SHA256_BYTES];
};

static const struct vmo_range whole = {0, LENT_BYTES};
static _Alignas(16) unsigned char storage[VMO_REGISTRY_BYTES(4, 4, 4, 1)];

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

    must(vmo_registry_init(storage, sizeof(storage), &limits, &registry));
    must(vmo_peer_open(registry, end, peer));
    return registry;
}

static void hash(const uint8_t *bytes, uint64_t len, uint8_t digest[VMO_SHA256_BYTES])
{
    struct vmo_sha256 state;

    vmo_sha256_init(&state);
    vmo_sha256_update(&state, bytes, len);
    vmo_sha256_final(&state, digest);
}

/* ---- The provider ------------------------------------------------------------------------------- */

static void fill(struct vmo_registry *registry, vmo_view_t view, uint64_t request)
{
    struct header header = {.request = request, .payload_bytes = LENT_BYTES - sizeof(header)};
    uint8_t *data = vmo_view_data_rw(registry, view);

    memset(data + sizeof(header), (int)request, header.payload_bytes);
    hash(data + sizeof(header), header.payload_bytes, header.digest);
    memcpy(data, &header, sizeof(header));
}

/* Fills what it is lent. After the first request it gives the memory back. The second it keeps until the
 * client is gone. */
static int provide(int end)
{
    struct vmo_incoming last;
    vmo_peer_t client;
    struct vmo_registry *registry = start(end, &client);

    for (uint32_t request = 1; request <= 2; request++) {
        struct vmo_incoming lent;
        vmo_view_t view;
        must(vmo_recv(registry, client, &lent, vmo_now_ns(registry) + PATIENCE_NS));
        must(vmo_map_rw(registry, lent.vmo, whole, &view));
        fill(registry, view, request);
        if (request == 1) {
            must(vmo_unmap(registry, view));
            must(vmo_close(registry, lent.vmo));
        }
        const struct vmo_message answer = {.tag = lent.tag};
        must(vmo_send(registry, client, &answer, vmo_now_ns(registry) + PATIENCE_NS));
    }
    return vmo_recv(registry, client, &last, vmo_now_ns(registry) + PATIENCE_NS) != VMO_ERR_PEER_GONE;
}

/* ---- The client --------------------------------------------------------------------------------- */

/* Makes a handle of bytes that nobody can change: the memory itself if Linux can still seal it, which it
 * refuses while any process can write, else a copy. */
static vmo_t settle(struct vmo_registry *registry, vmo_t lent)
{
    const struct vmo_import_options sealed = {.seal = VMO_SEAL_FOREVER};
    vmo_t settled;
    int file = -1;

    must(vmo_export_fd(registry, lent, VMO_RIGHTS_ALL, &file));
    if (fcntl(file, F_ADD_SEALS, F_SEAL_WRITE) == 0) {
        must(vmo_import_fd(registry, file, &sealed, &settled));
    } else if (errno == EBUSY) {
        must(vmo_copy(registry, lent, &settled));
        must(vmo_seal(registry, settled, VMO_SEAL_FOREVER));
    } else {
        err(1, "F_SEAL_WRITE");
    }
    if (close(file) != 0) {
        err(1, "close");
    }
    return settled;
}

/* The answer alone says nothing: the header must be that of this request, and true. */
static int is_good(const uint8_t *data, uint64_t request)
{
    uint8_t digest[VMO_SHA256_BYTES];
    struct header header;

    memcpy(&header, data, sizeof(header));
    if (header.request != request || header.payload_bytes > LENT_BYTES - sizeof(header)) {
        return 0;
    }
    hash(data + sizeof(header), header.payload_bytes, digest);
    return memcmp(digest, header.digest, sizeof(digest)) == 0;
}

static int ask(struct vmo_registry *registry, vmo_peer_t provider, uint32_t request)
{
    struct vmo_counters counters;
    struct vmo_message message = {.tag = request, .rights = VMO_RIGHTS_ALL};
    struct vmo_incoming answer;
    vmo_view_t view;

    must(vmo_create(registry, LENT_BYTES, &message.vmo));
    must(vmo_send(registry, provider, &message, vmo_now_ns(registry) + PATIENCE_NS));
    must(vmo_recv(registry, provider, &answer, vmo_now_ns(registry) + PATIENCE_NS));
    const vmo_t settled = settle(registry, message.vmo);
    must(vmo_map_ro(registry, settled, whole, &view));
    const int good = answer.tag == request && is_good(vmo_view_data(registry, view), request);
    must(vmo_unmap(registry, view));
    must(vmo_close(registry, settled));
    must(vmo_close(registry, message.vmo));
    vmo_counters_read(registry, &counters);
    printf("request %u: %s, copies: %u\n", (unsigned)request, good ? "good" : "bad",
           (unsigned)counters.copies);
    return good;
}

int main(void)
{
    int ends[2], ended = 0;
    vmo_peer_t provider;

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
        return provide(ends[0]);
    }
    struct vmo_registry *registry = start(ends[1], &provider);
    must(vmo_peer_allow(registry, provider));
    const int good = ask(registry, provider, 1) && ask(registry, provider, 2);
    must(vmo_peer_close(registry, provider));
    must(vmo_registry_fini(registry));
    return waitpid(child, &ended, 0) == child && ended == 0 && good ? 0 : 1;
}
