/* SPDX-License-Identifier: Apache-2.0 */
/* What init and its peer have agreed on. */
#ifndef COST_PEER_H
#define COST_PEER_H

/* The peer's slots: the two that init transfers, in this order, to a table with the bootstrap endpoint alone
 * (K-15). */
#define PEER_SLOT_ORDERS 1
#define PEER_SLOT_ANSWERS 2

#define ORDER_TAKE 1 /* answer when the order had arrived, and close what came with it */
#define ORDER_END 2

#define ORDER_BYTES 32

#endif
