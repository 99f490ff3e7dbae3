/* SPDX-License-Identifier: Apache-2.0 */
/* What the growth programs share: two registries that can send to each other. */
#ifndef GROWTH_H
#define GROWTH_H

#include <stdbool.h>

#include "vmo/channel.h"

#define GROWTH_PEERS_MAX 65536

/* Two sides of one kernel: `child` is their end in our registry, `parent` our end in theirs. */
extern struct vmo_registry *ours, *theirs;
extern vmo_peer_t child, parent;

/* Ends the program unless the condition holds. */
void require(bool holds, const char *what);
#define OK(call) require((call) == VMO_OK, #call)

/* ---- From the backend's own file */

/* Opens both sides with tables of this many entries. */
void growth_open(uint32_t entries);
/* Says whose calls follow: 0 ours, 1 theirs. */
void growth_side(unsigned side);
/* What one more peer of ours is made of, and the peer. */
int growth_new_end(void);
VMO_CHECK vmo_status growth_new_peer(int end, vmo_peer_t *out);

#endif
