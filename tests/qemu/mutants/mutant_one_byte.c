/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the consumer from a copy of its file with another last byte, which no task ever reads. */
#include <string.h>

#include "vmo/channel.h"

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
    copy[program->elf_bytes - 1] ^= 1;
    return __real_vmo_peer_spawn(registry, &patched, out);
}
