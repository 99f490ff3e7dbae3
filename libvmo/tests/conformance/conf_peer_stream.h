/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONF_PEER_STREAM_H
#define CONF_PEER_STREAM_H

#include "conformance/conf_order.h"

/* Joins the stream that a message offers. */
VMO_CHECK vmo_status conf_peer_join(struct vmo_registry *registry, vmo_peer_t parent,
                                    const struct vmo_incoming *offer);
/* Obeys an order about this stream. */
VMO_CHECK vmo_status conf_peer_stream(const struct conf_order *order, struct conf_answer *answer);

#endif
