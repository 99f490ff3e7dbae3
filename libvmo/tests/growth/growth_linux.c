/* SPDX-License-Identifier: Apache-2.0 */
/* The two sides of the growth program on Linux: two registries of one process, and a socket pair. */
#include <sys/socket.h>

#include "growth.h"

static int other_end; /* of the newest socket pair; never closed */

int growth_new_end(void)
{
    int ends[2] = {-1, -1};

    require(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0, "socketpair");
    other_end = ends[1];
    return ends[0];
}

vmo_status growth_new_peer(int end, vmo_peer_t *out)
{
    return vmo_peer_open(ours, end, out);
}

void growth_open(uint32_t entries)
{
    const struct vmo_limits limits = {.objects = entries,
                                      .mappings = entries,
                                      .views = entries,
                                      .peers = entries < GROWTH_PEERS_MAX ? entries : GROWTH_PEERS_MAX};

    OK(vmo_registry_new(&limits, &ours));
    OK(vmo_registry_new(&limits, &theirs));
    OK(growth_new_peer(growth_new_end(), &child));
    OK(vmo_peer_open(theirs, other_end, &parent));
    OK(vmo_peer_allow(ours, child));
}

void growth_side(unsigned side)
{
    (void)side; /* both sides are this process */
}
