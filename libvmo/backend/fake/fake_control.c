/* SPDX-License-Identifier: Apache-2.0 */
/* The tests' controls of the fake kernel, and its reports. */
#include "fake_state.h"

#include <assert.h>
#include <string.h>

static const struct fake_config everything = {
    .has_alias = true,
    .has_read = true,
    .has_unmap = true,
    .has_destroy = true,
    .has_transfer = true,
    .check_maps = true,
    .slots = FAKE_SLOTS_MAX,
    .regions = FAKE_REGIONS_MAX,
    .depth = 8,
    .queued_bytes_max = 256 * 1024,
    .arena_bytes = UINT64_C(64) << 20,
    .object_bytes_max = UINT64_C(16) << 20,
    .step_ns = 1000,
};

void fake_reset(void)
{
    for (uint32_t i = 0; i < FAKE_MEMORIES; i++) {
        if (fake.memories[i].bytes != NULL) {
            fake_memory_free(i);
        }
    }
    memset(&fake, 0, sizeof(fake));
    fake.config = everything;
    fake.sides = 1;
    fake.side[0].life = FAKE_LIVE;
    fake.side[0].parent = FAKE_NOBODY;
    fake.side[0].slots[0].kind = FAKE_BOOTSTRAP;
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
    victim->life = FAKE_DEAD;
    victim->exit_status = exit_status;
    memset(victim->slots, 0, sizeof(victim->slots));
}

void fake_on_poll(void (*hook)(void *context), void *context)
{
    fake.hook = hook;
    fake.hook_context = context;
}

struct fake_live fake_live(void)
{
    struct fake_live live = {0};

    for (uint32_t i = 0; i < FAKE_MEMORIES; i++) {
        if (fake.memories[i].bytes == NULL) {
            continue;
        }
        if (fake_caps_of(i) + fake_mappings_of(i) > 0) {
            live.objects++;
        } else {
            live.lost += !fake.memories[i].is_file;
        }
    }
    for (uint32_t s = 0; s < FAKE_SIDES; s++) {
        for (uint32_t i = 0; i < FAKE_SLOTS_MAX; i++) {
            live.slots += fake.side[s].slots[i].kind != FAKE_FREE;
            live.caps += fake_is_vmo(&fake.side[s].slots[i]);
        }
        for (uint32_t i = 0; i < FAKE_REGIONS_MAX; i++) {
            live.mappings += fake.side[s].regions[i].used;
        }
    }
    for (uint32_t q = 0; q < FAKE_QUEUES; q++) {
        live.queued += fake.queue[q].count;
    }
    return live;
}

uint64_t fake_contents(void)
{
    uint64_t hash = 0xcbf29ce484222325;

    for (uint32_t i = 0; i < FAKE_MEMORIES; i++) {
        const struct fake_memory *memory = &fake.memories[i];
        if (memory->bytes == NULL) {
            continue;
        }
        fake_expose(i);
        for (uint64_t at = 0; at < memory->size_bytes; at++) {
            hash = (hash ^ memory->bytes[at]) * 0x100000001b3;
        }
        fake_guard(i);
    }
    return hash;
}
