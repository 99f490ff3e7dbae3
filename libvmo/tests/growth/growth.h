/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the growth programs: two registries that can send to each other. */
#ifndef GROWTH_H
#define GROWTH_H

#include <stdbool.h>

#include "vmo/channel.h"

#define GROWTH_PEERS_MAX 65536

/* Two sides of one kernel. `child` is a peer in `ours`, `parent` one in `theirs`. */
extern struct vmo_registry *ours, *theirs;
extern vmo_peer_t child, parent;

/* Exits with a message unless the condition is true. */
void require(bool condition, const char *what);
#define OK(call) require((call) == VMO_OK, #call)

/* ---- In growth_fake.c and growth_linux.c */

/* Opens both sides with tables of this many entries. */
void growth_open(uint32_t entries);
/* Selects the side of the next calls: 0 ours, 1 theirs. */
void growth_side(unsigned side);
/* Makes the end of a channel for one more peer of ours, and that peer. */
int growth_new_end(void);
VMO_CHECK vmo_status growth_new_peer(int end, vmo_peer_t *out);

#endif
