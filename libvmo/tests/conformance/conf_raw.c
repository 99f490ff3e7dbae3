/* SPDX-License-Identifier: Apache-2.0 */
/* The only file of the suite below the public API: it sends the peer messages that no core sends. */
#include "conformance/conf.h"
#include "registry.h"

void conf_send_raw(vmo_t object, bool writable, const void *bytes, size_t len)
{
    struct peer *peer = registry_peer(world.a, world.to_peer);
    struct vmo_ref ref = {NULL, NULL};
    struct be_object copy = BE_NO_OBJECT; /* so that the object does not record the send */

    CHECK(peer != NULL);
    if (object.id != VMO_NONE.id) {
        CHECK(registry_lookup(world.a, object, &ref));
        copy = ref.object->be;
    }
    OK(be_send(&peer->be, ref.object != NULL ? &copy : NULL, writable, bytes, len, conf_soon()));
}
