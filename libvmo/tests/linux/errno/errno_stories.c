/* SPDX-License-Identifier: Apache-2.0 */
/* What the stories share. */
#include "linux/errno/errno_stories.h"

const struct vmo_limits small = {.objects = 4, .mappings = 2, .views = 4, .peers = 2};
alignas(16) uint8_t small_storage[VMO_REGISTRY_BYTES(4, 2, 4, 2)];

void small_begin(void)
{
    SURE(vmo_registry_init(small_storage, sizeof(small_storage), &small, &world.a));
}

void small_end(void)
{
    SURE(vmo_registry_fini(world.a));
    world.a = NULL;
}

/* ---- Bytes --------------------------------------------------------------------------------------------- */

uint8_t pattern_at(uint64_t off)
{
    return (uint8_t)(off * 7 + off / PAGE * 13 + 1);
}

const uint8_t *pattern(void)
{
    static uint8_t bytes[LEN];

    for (uint64_t i = 0; i < LEN; i++) {
        bytes[i] = pattern_at(i);
    }
    return bytes;
}

bool same(const uint8_t *bytes)
{
    return bytes != NULL && memcmp(bytes, pattern(), LEN) == 0;
}

bool holds_pattern(struct vmo_registry *registry, vmo_t vmo)
{
    uint8_t bytes[LEN];

    return vmo_read(registry, vmo, RANGE(0, LEN), bytes) == VMO_OK && same(bytes);
}

vmo_t filled(void)
{
    vmo_t vmo = VMO_NONE;

    SURE(vmo_create(world.a, LEN, &vmo));
    SURE(vmo_write(world.a, vmo, RANGE(0, LEN), pattern()));
    return vmo;
}

/* ---- Seals ----------------------------------------------------------------------------------------------
 */

vmo_t sealing;

/* After a refused seal the creator can still write. */
void creator_writes(void)
{
    vmo_seal_strength seal;

    SURE(vmo_write(world.a, sealing, RANGE(0, LEN), pattern()));
    DEMAND(holds_pattern(world.a, sealing));
    SURE(vmo_seal_of(world.a, sealing, &seal));
    DEMAND(seal != VMO_SEAL_FOREVER);
}

void seal_step(vmo_seal_strength strength)
{
    world.unchanged = creator_writes;
    STEP(vmo_seal, world.a, sealing, strength);
    world.unchanged = NULL;
}

const struct story_group *const story_groups[] = {&vmo_stories, &message_stories, &child_stories,
                                                  &descriptor_stories, &stream_stories};
const size_t story_group_count = sizeof(story_groups) / sizeof(story_groups[0]);
