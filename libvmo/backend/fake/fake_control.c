/* SPDX-License-Identifier: Apache-2.0 */
/* The tests' controls of the fake kernel, and its reports. */
#include "fake_state.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const struct fake_config everything = {
    .has_alias = true,
    .has_read = true,
    .has_unmap = true,
    .has_destroy = true,
    .has_transfer = true,
    .check_maps = true,
    .slots = FAKE_SLOTS,
    .regions = FAKE_REGIONS,
    .depth = 8,
    .queued_bytes_max = 256 * 1024,
    .arena_bytes = UINT64_C(64) << 20,
    .object_bytes_max = UINT64_C(32) << 20,
    .step_ns = 1000,
};

/* Gives all memory back; also at the program's end, so that valgrind finds nothing. */
__attribute__((destructor)) static void drop_all(void)
{
    for (uint32_t i = 0; i < fake.memories.top; i++) {
        if (fake_pool_uses(&fake.memories, i)) {
            fake_memory_free(i);
        }
    }
    fake_pool_drop(&fake.memories);
    for (uint32_t s = 0; s < FAKE_SIDES; s++) {
        fake_pool_drop(&fake.side[s].slots);
        fake_pool_drop(&fake.side[s].regions);
        free(fake.side[s].buckets);
        fake.side[s].buckets = NULL;
    }
}

void fake_reset(void)
{
    drop_all();
    memset(&fake, 0, offsetof(struct fake_state, memories));
    memset(fake.queue, 0, sizeof(fake.queue));
    for (uint32_t s = 0; s < FAKE_SIDES; s++) {
        memset(&fake.side[s], 0, offsetof(struct fake_side, slots));
        fake.side[s].slots.entry_bytes = sizeof(struct fake_slot);
        fake.side[s].regions.entry_bytes = sizeof(struct fake_region);
    }
    fake.memories.entry_bytes = sizeof(struct fake_memory);
    fake.config = everything;
    fake.sides = 1;
    fake.side[0].life = FAKE_LIVE;
    fake.side[0].parent = FAKE_NOBODY;
    (void)fake_slot_fill(0, FAKE_BOOTSTRAP, 0);
}

struct fake_config *fake_config(void)
{
    return &fake.config;
}

void fake_side(uint32_t side)
{
    assert(side < fake.sides);
    fake.now = side;
}

uint32_t fake_side_now(void)
{
    return fake.now;
}

void fake_fail_call(uint32_t n, vmo_status status)
{
    fake.fail_in = n;
    fake.fail_with = status;
}

uint32_t fake_call_count(void)
{
    return fake.calls;
}

void fake_kill_peer(int32_t exit_status)
{
    struct fake_side *victim = NULL;

    for (uint32_t s = 0; s < fake.sides; s++) {
        if (fake.side[s].parent == fake.now) {
            victim = &fake.side[s];
        }
    }
    assert(victim != NULL && victim->life == FAKE_LIVE);
    fake_side_end((uint32_t)(victim - fake.side), exit_status);
}

void fake_on_poll(void (*hook)(void *context), void *context)
{
    fake.hook = hook;
    fake.hook_context = context;
}

struct fake_live fake_live(void)
{
    struct fake_live live = {0};

    for (uint32_t i = 0; i < fake.memories.top; i++) {
        const struct fake_memory *memory = fake_memory(i);
        if (fake_pool_uses(&fake.memories, i)) {
            const bool reached = memory->caps + memory->mappings > 0;
            live.objects += reached;
            live.lost += !reached && !memory->is_file;
        }
    }
    for (uint32_t s = 0; s < FAKE_SIDES; s++) {
        const struct fake_pool *slots = &fake.side[s].slots;
        for (uint32_t i = 0; i < slots->top; i++) {
            live.caps += fake_is_vmo(fake_pool_at(slots, i));
        }
        live.slots += slots->live;
        live.mappings += fake.side[s].regions.live;
    }
    for (uint32_t q = 0; q < FAKE_QUEUES; q++) {
        live.queued += fake.queue[q].count;
    }
    return live;
}

uint64_t fake_contents(void)
{
    uint64_t hash = 0xcbf29ce484222325;

    for (uint32_t i = 0; i < fake.memories.top; i++) {
        if (!fake_pool_uses(&fake.memories, i)) {
            continue;
        }
        fake_expose(i);
        const uint8_t *bytes = fake_bytes(i);
        for (uint64_t at = 0; at < fake_memory(i)->size_bytes; at++) {
            hash = (hash ^ bytes[at]) * 0x100000001b3;
        }
        fake_guard(i);
    }
    return hash;
}
