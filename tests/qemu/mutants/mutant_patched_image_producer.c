/* SPDX-License-Identifier: Apache-2.0 */
/* Writes both digests into free space in a copy of the consumer's file, and runs the copy. */
#include <string.h>

#include "producer/content.h"
#include "vmo/channel.h"

#define MARK "ROOM-FOR-DIGESTS"

vmo_status __real_vmo_peer_spawn(struct vmo_registry *registry, const struct vmo_program *program,
                                 vmo_peer_t *out);
vmo_status __wrap_vmo_peer_spawn(struct vmo_registry *registry, const struct vmo_program *program,
                                 vmo_peer_t *out);

vmo_status __wrap_vmo_peer_spawn(struct vmo_registry *registry, const struct vmo_program *program,
                                 vmo_peer_t *out)
{
    static uint8_t copy[128 * 1024] __attribute__((aligned(8)));
    struct vmo_program patched = *program;
    patched.elf = memcpy(copy, program->elf, program->elf_bytes);
    for (size_t i = 0; i + 80 < program->elf_bytes; i++) {
        if (memcmp(copy + i, MARK, 16) == 0) {
            memcpy(copy + i + 16, content_blob_digest, VMO_SHA256_BYTES);
            memcpy(copy + i + 48, content_page_digest, VMO_SHA256_BYTES);
        }
    }
    return __real_vmo_peer_spawn(registry, &patched, out);
}
