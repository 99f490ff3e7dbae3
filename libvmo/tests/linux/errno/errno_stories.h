/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the stories: their tables, a small registry, and VMOs with a known pattern. */
#ifndef TESTS_ERRNO_STORIES_H
#define TESTS_ERRNO_STORIES_H

#include <stdalign.h>

#include "linux/errno/lx_step.h"

extern const struct story_group vmo_stories, message_stories, child_stories, descriptor_stories,
    stream_stories;
#define STORY_GROUP(table)                                                                                   \
    {                                                                                                        \
        table, sizeof(table) / sizeof((table)[0])                                                            \
    }

/* Standard streams that a story closes: a bit for each. */
#define ALL_CLOSED 7
#define ALL_BUT_INPUT_CLOSED 6

/* For stories that make world.a themselves: 4 objects, 2 mappings, 4 views, 2 peers. */
extern const struct vmo_limits small;
extern uint8_t small_storage[VMO_REGISTRY_BYTES(4, 2, 4, 2)];
void small_begin(void);
void small_end(void);

/* LEN bytes. */
const uint8_t *pattern(void);
uint8_t pattern_at(uint64_t off);
bool same(const uint8_t *bytes);
bool holds_pattern(struct vmo_registry *registry, vmo_t vmo);
/* A VMO of world.a that holds the pattern. */
vmo_t filled(void);

/* Seals the VMO `sealing`. After a refusal its creator must still be able to write. */
extern vmo_t sealing;
/* A refused seal has not taken the creator's way to write. */
void creator_writes(void);
void seal_step(vmo_seal_strength strength);

#endif
