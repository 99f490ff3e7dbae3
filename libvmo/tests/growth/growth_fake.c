/* SPDX-License-Identifier: Apache-2.0 */
/* The two sides of the growth program on the fake backend. */
#include "fake.h"
#include "growth.h"

static const struct vmo_program program = {"elf", 3, 1};

void growth_open(uint32_t entries)
{
    const struct vmo_limits limits = {.objects = entries,
                                      .mappings = entries,
                                      .views = entries,
                                      .peers = entries < GROWTH_PEERS_MAX ? entries : GROWTH_PEERS_MAX};

    fake_reset();
    fake_config()->slots = 2097152;
    fake_config()->regions = 2097152;
    fake_config()->arena_bytes = UINT64_C(1) << 40;
    OK(vmo_registry_new(&limits, &ours));
    OK(vmo_peer_spawn(ours, &program, &child));
    OK(vmo_peer_allow(ours, child));
    fake_side(1);
    OK(vmo_registry_new(&limits, &theirs));
    OK(vmo_peer_parent(theirs, &parent));
    fake_side(0);
}

void growth_side(unsigned side)
{
    fake_side(side);
}

int growth_new_end(void)
{
    return 0;
}

vmo_status growth_new_peer(int end, vmo_peer_t *out)
{
    (void)end;
    return vmo_peer_spawn(ours, &program, out);
}
