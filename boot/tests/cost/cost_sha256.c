/* SPDX-License-Identifier: Apache-2.0 */
/* The library's SHA-256 of a view, in place. The judge compares the consumer's work with its cost. */
#include "cost/cost_paths.h"
#include "vmo/sha256.h"

static uint64_t instructions(void)
{
    uint64_t count;
    __asm__ volatile("rdinstret %0" : "=r"(count)::"memory");
    return count;
}

static vmo_status hash_counted(struct vmo_registry *registry, vmo_t vmo, uint64_t bytes)
{
    uint8_t digest[VMO_SHA256_BYTES];
    vmo_view_t view = {0};
    vmo_status status = vmo_map_ro(registry, vmo, (struct vmo_range){0, bytes}, &view);
    if (status != VMO_OK) {
        return status;
    }
    const uint64_t begin = instructions();
    status = vmo_view_sha256(registry, view, digest);
    cost_spend(instructions() - begin);
    return status == VMO_OK ? vmo_unmap(registry, view) : status;
}

/* Releases everything, so that the next run starts from the same state. */
static vmo_status with_vmo(struct vmo_registry *registry, uint64_t bytes)
{
    vmo_t vmo = VMO_NONE;
    vmo_status status = vmo_create(registry, bytes, &vmo);
    if (status == VMO_OK) {
        status = hash_counted(registry, vmo, bytes);
    }
    if (status == VMO_OK) {
        status = vmo_destroy(registry, vmo);
        status = status == VMO_ERR_UNSUPPORTED ? vmo_close(registry, vmo) : status;
    }
    return status;
}

static void take(uint64_t bytes)
{
    static const struct vmo_limits limits = {.objects = 1, .mappings = 1, .views = 1};
    static uint8_t storage[VMO_REGISTRY_BYTES(1, 1, 1, 0)] __attribute__((aligned(16)));
    struct vmo_registry *registry = NULL;
    vmo_status status = vmo_registry_init(storage, sizeof(storage), &limits, &registry);
    if (status == VMO_OK) {
        status = with_vmo(registry, bytes);
    }
    if (status == VMO_OK) {
        status = vmo_registry_fini(registry);
    }
    if (status != VMO_OK) {
        cost_refused(vmo_status_name(status));
    }
}

void cost_take_sha256_block(void)
{
    take(VMO_SHA256_BLOCK_BYTES);
}

void cost_take_sha256_64k(void)
{
    take(UINT64_C(64) * 1024);
}
