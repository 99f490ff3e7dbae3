/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a VMO of a stream, and of the other side. */
#include "stream_part.h"

vmo_status stream_part_end(struct vmo_registry *registry, struct stream_part *part, bool created)
{
    vmo_status status = part->view.id ? vmo_unmap(registry, part->view) : VMO_OK;

    if (status != VMO_OK) {
        return status;
    }
    part->view.id = 0;
    if (part->vmo.id == 0) {
        return VMO_OK;
    }
    status = created ? vmo_destroy(registry, part->vmo) : VMO_ERR_UNSUPPORTED;
    if (status != VMO_OK) {
        status = vmo_close(registry, part->vmo); /* counts what is abandoned */
    }
    if (status == VMO_OK) {
        part->vmo.id = 0;
    }
    return status;
}

bool stream_peer_ended(const struct vmo_registry *registry, vmo_peer_t peer)
{
    const struct peer *found = registry_peer(registry, peer);

    return found == NULL || be_peer_ended(&found->be);
}
