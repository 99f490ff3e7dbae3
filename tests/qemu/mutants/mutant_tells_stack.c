/* SPDX-License-Identifier: Apache-2.0 */
/* The producer passes a bit to the consumer by the size of its stack. */
#include "vmo/channel.h"

vmo_status __real_vmo_peer_spawn(struct vmo_registry *registry, const struct vmo_program *program,
                                 vmo_peer_t *out);
vmo_status __wrap_vmo_peer_spawn(struct vmo_registry *registry, const struct vmo_program *program,
                                 vmo_peer_t *out);

vmo_status __wrap_vmo_peer_spawn(struct vmo_registry *registry, const struct vmo_program *program,
                                 vmo_peer_t *out)
{
    struct vmo_program larger = *program;
    larger.stack_pages++;
    return __real_vmo_peer_spawn(registry, &larger, out);
}
