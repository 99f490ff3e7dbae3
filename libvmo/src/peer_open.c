/* SPDX-License-Identifier: Apache-2.0 */
#include "registry.h"

vmo_status vmo_peer_open(struct vmo_registry *registry, int descriptor, vmo_peer_t *out)
{
    struct be_peer be;

    if (registry == NULL || descriptor < 0 || out == NULL) {
        return VMO_ERR_INVALID;
    }
    if (table_full(&registry->tables[TABLE_PEERS])) {
        return VMO_ERR_TABLE_FULL;
    }
    const vmo_status made = be_peer_open(descriptor, &be);
    return registry_enter_peer(registry, made, &be, out);
}
