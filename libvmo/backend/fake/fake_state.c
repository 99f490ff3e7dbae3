/* SPDX-License-Identifier: Apache-2.0 */
/* The fake kernel's tables: slots, memories, mappings. */
#include "fake_state.h"

#include <sanitizer/asan_interface.h>
#include <stdlib.h>
#include <string.h>

struct fake_state fake;

vmo_status fake_enter(void)
{
    fake.calls++;
    if (fake.fail_in == 0 || --fake.fail_in != 0) {
        return VMO_OK;
    }
    return fake.fail_with;
}

void fake_poll(void)
{
    uint32_t side = fake.now;

    fake.clock_ns += fake.config.step_ns;
    if (fake.hook != NULL) {
        fake.hook(fake.hook_context);
    }
    fake.now = side;
}

struct fake_slot *fake_slot(int32_t number)
{
    if (number < 0 || (uint32_t)number >= fake.config.slots) {
        return NULL;
    }
    return &fake.side[fake.now].slots[number];
}

bool fake_is_vmo(const struct fake_slot *slot)
{
    return slot != NULL && (slot->kind == FAKE_OWNER || slot->kind == FAKE_ALIAS || slot->kind == FAKE_FILE);
}

int32_t fake_slot_fill(uint32_t side, enum fake_kind kind, uint32_t what)
{
    for (uint32_t i = 0; i < fake.config.slots; i++) {
        struct fake_slot *slot = &fake.side[side].slots[i];
        if (slot->kind == FAKE_FREE) {
            *slot = (struct fake_slot){.kind = kind, .what = what};
            return (int32_t)i;
        }
    }
    return BE_NONE;
}

void fake_own(const struct be_object *object)
{
    if (object->owner != BE_NONE) {
        fake_slot(object->owner)->owned = true;
    }
    if (object->alias != BE_NONE) {
        fake_slot(object->alias)->owned = true;
    }
}

struct fake_slot *fake_reader(const struct be_object *object)
{
    struct fake_slot *slot = fake_slot(object->alias != BE_NONE ? object->alias : object->owner);
    return fake_is_vmo(slot) ? slot : NULL;
}

uint32_t fake_caps_of(uint32_t memory)
{
    uint32_t found = 0;

    for (uint32_t s = 0; s < FAKE_SIDES; s++) {
        for (uint32_t i = 0; i < FAKE_SLOTS_MAX; i++) {
            const struct fake_slot *slot = &fake.side[s].slots[i];
            found += fake_is_vmo(slot) && slot->what == memory;
        }
    }
    for (uint32_t q = 0; q < FAKE_QUEUES; q++) {
        for (uint32_t i = 0; i < fake.queue[q].count; i++) {
            const struct fake_queue *queue = &fake.queue[q];
            const struct fake_slot *cap = &queue->messages[(queue->head + i) % FAKE_DEPTH_MAX].cap;
            found += fake_is_vmo(cap) && cap->what == memory;
        }
    }
    return found;
}

uint32_t fake_mappings_of(uint32_t memory)
{
    uint32_t found = 0;

    for (uint32_t s = 0; s < FAKE_SIDES; s++) {
        for (uint32_t i = 0; i < FAKE_REGIONS_MAX; i++) {
            const struct fake_region *region = &fake.side[s].regions[i];
            found += region->used && region->memory == memory;
        }
    }
    return found;
}

void fake_expose(uint32_t memory)
{
    ASAN_UNPOISON_MEMORY_REGION(fake.memories[memory].bytes, (size_t)fake.memories[memory].size_bytes);
}

void fake_guard(uint32_t memory)
{
    uint8_t *bytes = fake.memories[memory].bytes;

    ASAN_POISON_MEMORY_REGION(bytes, (size_t)fake.memories[memory].size_bytes);
    for (uint32_t s = 0; s < FAKE_SIDES; s++) {
        for (uint32_t i = 0; i < FAKE_REGIONS_MAX; i++) {
            const struct fake_region *region = &fake.side[s].regions[i];
            if (region->used && region->memory == memory) {
                ASAN_UNPOISON_MEMORY_REGION(bytes + region->range.off_bytes, (size_t)region->range.len_bytes);
            }
        }
    }
}

static uint64_t arena_used(void)
{
    uint64_t used = 0;

    for (uint32_t i = 0; i < FAKE_MEMORIES; i++) {
        used += fake.memories[i].is_file ? 0 : fake.memories[i].size_bytes;
    }
    return used;
}

vmo_status fake_memory_make(uint64_t size_bytes, uint32_t *out)
{
    uint32_t i = 0;

    while (i < FAKE_MEMORIES && fake.memories[i].bytes != NULL) {
        i++;
    }
    if (i == FAKE_MEMORIES || size_bytes > fake.config.arena_bytes - arena_used()) {
        return VMO_ERR_NO_MEMORY;
    }
    /* calloc does not touch the pages of a large memory. One page more, for the alignment. */
    uint8_t *raw = calloc(1, (size_t)size_bytes + FAKE_PAGE_BYTES);
    if (raw == NULL) {
        return VMO_ERR_NO_MEMORY;
    }
    uint8_t *bytes = raw + (FAKE_PAGE_BYTES - (uintptr_t)raw % FAKE_PAGE_BYTES);
    fake.memories[i] = (struct fake_memory){.raw = raw, .bytes = bytes, .size_bytes = size_bytes};
    fake_guard(i);
    *out = i;
    return VMO_OK;
}

void fake_memory_free(uint32_t memory)
{
    fake_expose(memory);
    free(fake.memories[memory].raw);
    fake.memories[memory] = (struct fake_memory){0};
}

vmo_status fake_region_add(uint32_t memory, struct vmo_range range, void **at)
{
    for (uint32_t i = 0; i < fake.config.regions; i++) {
        struct fake_region *region = &fake.side[fake.now].regions[i];
        if (!region->used) {
            *region = (struct fake_region){true, memory, range};
            *at = fake.memories[memory].bytes + range.off_bytes;
            fake_guard(memory);
            return VMO_OK;
        }
    }
    return VMO_ERR_NO_SLOTS;
}

void fake_region_drop(struct fake_region *region)
{
    uint32_t memory = region->memory;

    *region = (struct fake_region){0};
    fake_guard(memory);
}

void fake_queue_close(struct fake_queue *queue)
{
    memset(queue, 0, sizeof(*queue));
    queue->closed = true;
}
