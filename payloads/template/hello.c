/* SPDX-License-Identifier: Apache-2.0 */
/* A program for NEURON, to start from: init fills a VMO, seals it, reads it in place and hashes it. */
#include <stdio.h>
#include <vmo/channel.h>
#include <vmo/sha256.h>

static _Alignas(16) unsigned char storage[VMO_REGISTRY_BYTES(1, 1, 1, 0)];
static const char text[] = "hello from a VMO";

/* Says which call was refused, and why. */
static int refused(const char *call, vmo_status status)
{
    printf("hello: %s: %s: %s\n", call, vmo_status_name(status), vmo_status_str(status));
    return 1;
}

int main(void)
{
    const struct vmo_limits limits = {.objects = 1, .mappings = 1, .views = 1};
    const struct vmo_range all = {0, sizeof(text)};
    struct vmo_registry *registry = NULL;
    uint8_t digest[VMO_SHA256_BYTES];
    vmo_view_t view;
    vmo_t vmo;

    vmo_status status = vmo_registry_init(storage, sizeof(storage), &limits, &registry);
    if (status != VMO_OK) {
        return refused("vmo_registry_init", status);
    }
    status = vmo_create(registry, all.len_bytes, &vmo);
    if (status != VMO_OK) {
        return refused("vmo_create", status);
    }
    status = vmo_write(registry, vmo, all, text);
    if (status != VMO_OK) {
        return refused("vmo_write", status);
    }
    status = vmo_seal(registry, vmo, VMO_SEAL_PEERS);
    if (status != VMO_OK) {
        return refused("vmo_seal", status);
    }
    status = vmo_map_ro(registry, vmo, all, &view);
    if (status != VMO_OK) {
        return refused("vmo_map_ro", status);
    }
    status = vmo_view_sha256(registry, view, digest);
    if (status != VMO_OK) {
        return refused("vmo_view_sha256", status);
    }
    printf("hello: %s, on %s, sha256 ", (const char *)vmo_view_data(registry, view), vmo_platform(registry));
    for (size_t i = 0; i < sizeof(digest); i++) {
        printf("%02x", digest[i]);
    }
    printf("\nhello: done\n");
    return 0; /* init never exits: the start code yields for ever */
}
