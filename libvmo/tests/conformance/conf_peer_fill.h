/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONF_PEER_FILL_H
#define CONF_PEER_FILL_H

#include "conformance/conf_order.h"

/* Fills memory that was lent to the peer: in place if the view is writable, else with vmo_write. */
VMO_CHECK vmo_status conf_peer_fill(struct vmo_registry *registry, vmo_t vmo, vmo_view_t view,
                                    const struct conf_order *order);

#endif
