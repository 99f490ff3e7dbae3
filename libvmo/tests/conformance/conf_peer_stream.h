/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONF_PEER_STREAM_H
#define CONF_PEER_STREAM_H

#include "conformance/conf_order.h"

void conf_peer_stream_begin(struct vmo_registry *registry);
/* Joins the stream that a message offers, under the lowest free number. */
VMO_CHECK vmo_status conf_peer_join(vmo_peer_t parent, const struct vmo_incoming *offer);
/* Obeys an order about this stream. */
VMO_CHECK vmo_status conf_peer_stream(const struct conf_order *order, struct conf_answer *answer);

#endif
