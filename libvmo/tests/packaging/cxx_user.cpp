// SPDX-License-Identifier: Apache-2.0
// A C++17 program that uses what differs between C and C++: linkage, compound literals in macros, enums.
#include <cstdio>
#include <vmo/channel.h>
#include <vmo/sha256.h>

alignas(16) static unsigned char storage[VMO_REGISTRY_BYTES(1, 1, 1, 0)];

int main()
{
    vmo_limits limits{};
    limits.objects = limits.mappings = limits.views = 1;
    vmo_registry *registry = nullptr;
    vmo_t vmo = VMO_NONE;
    vmo_message message{};
    message.vmo = VMO_NONE;

    if (vmo_registry_init(storage, sizeof(storage), &limits, &registry) != VMO_OK ||
        vmo_create(registry, 5000, &vmo) != VMO_OK || message.vmo.id != 0 || vmo.id == VMO_NONE.id) {
        return 1;
    }
    const vmo_status closed = vmo_close(registry, vmo);
    const vmo_status again = vmo_close(registry, vmo);
    std::printf("%s %s\n", vmo_status_name(closed), vmo_status_name(again));
    if (vmo_registry_fini(registry) != VMO_OK || vmo_registry_new(&limits, &registry) != VMO_OK) {
        return 1;
    }
    return vmo_registry_free(registry) == VMO_OK ? 0 : 1;
}
