/* SPDX-License-Identifier: Apache-2.0 */
/* The protocol of init and its peer. */
#ifndef COST_PEER_H
#define COST_PEER_H

/* The peer's slots. Init transfers both, in this order, to a table that has only the bootstrap endpoint
 * (K-15). */
#define PEER_SLOT_ORDERS 1
#define PEER_SLOT_ANSWERS 2

#define ORDER_TAKE 1 /* reply with the time of arrival, and close a received capability */
#define ORDER_END 2

#define ORDER_BYTES 32

#endif
