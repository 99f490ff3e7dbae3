/* SPDX-License-Identifier: Apache-2.0 */
/* The fake kernel's tables: slots, memories, mappings. */
#include "fake_state.h"

#include <sanitizer/asan_interface.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define FAKE_GUARDS
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FAKE_GUARDS
#endif
#endif

_Thread_local struct fake_state fake;

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

/* ---- Slots -------------------------------------------------------------------------------------- */

struct fake_slot *fake_slot(int32_t number)
{
    const struct fake_pool *slots = &fake.side[fake.now].slots;

    if (number < 0 || (uint32_t)number >= fake.config.slots || !fake_pool_uses(slots, (uint32_t)number)) {
        return NULL;
    }
    return fake_pool_at(slots, (uint32_t)number);
}

bool fake_is_vmo(const struct fake_slot *slot)
{
    return slot != NULL && (slot->kind == FAKE_OWNER || slot->kind == FAKE_ALIAS || slot->kind == FAKE_FILE);
}

void fake_cap_count(const struct fake_slot *cap, bool more)
{
    if (fake_is_vmo(cap)) {
        fake_memory(cap->what)->caps += more ? 1 : UINT32_MAX;
    }
}

int32_t fake_slot_fill(uint32_t side, enum fake_kind kind, uint32_t what)
{
    struct fake_pool *slots = &fake.side[side].slots;
    uint32_t number = 0;

    if (!fake_pool_take(slots, fake.config.slots, &number)) {
        return BE_NONE;
    }
    struct fake_slot *slot = fake_pool_at(slots, number);
    *slot = (struct fake_slot){.kind = kind, .what = what};
    fake_cap_count(slot, true);
    return (int32_t)number;
}

void fake_slot_empty(uint32_t side, int32_t number)
{
    struct fake_pool *slots = &fake.side[side].slots;

    fake_cap_count(fake_pool_at(slots, (uint32_t)number), false);
    fake_pool_give(slots, (uint32_t)number);
}

void fake_slots_drop(uint32_t side)
{
    const struct fake_pool *slots = &fake.side[side].slots;

    for (uint32_t i = 0; i < slots->top; i++) {
        if (fake_pool_uses(slots, i)) {
            fake_slot_empty(side, (int32_t)i);
        }
    }
}

static void own(int32_t number)
{
    struct fake_slot *slot = number == BE_NONE ? NULL : fake_slot(number);

    if (slot != NULL) {
        slot->owned = true;
    }
}

void fake_own(const struct be_object *object)
{
    own(object->owner);
    own(object->alias);
}

struct fake_slot *fake_reader(const struct be_object *object)
{
    struct fake_slot *slot = fake_slot(object->alias != BE_NONE ? object->alias : object->owner);
    return fake_is_vmo(slot) ? slot : NULL;
}

/* ---- Memories ----------------------------------------------------------------------------------- */

struct fake_memory *fake_memory(uint32_t memory)
{
    return fake_pool_at(&fake.memories, memory);
}

uint8_t *fake_bytes(uint32_t number)
{
    struct fake_memory *memory = fake_memory(number);

    if (memory->bytes == NULL) {
        memory->raw = fake_zeroed(memory->size_bytes + FAKE_PAGE_BYTES); /* a page more, for the alignment */
        memory->bytes = memory->raw + (FAKE_PAGE_BYTES - (uintptr_t)memory->raw % FAKE_PAGE_BYTES);
        fake_guard(number);
    }
    return memory->bytes;
}

void fake_expose(uint32_t memory)
{
    ASAN_UNPOISON_MEMORY_REGION(fake_bytes(memory), (size_t)fake_memory(memory)->size_bytes);
}

/* Without AddressSanitizer there is nothing to poison and nothing to look through. */
void fake_guard(uint32_t memory)
{
#ifdef FAKE_GUARDS
    uint8_t *bytes = fake_memory(memory)->bytes;

    if (bytes == NULL) {
        return;
    }
    ASAN_POISON_MEMORY_REGION(bytes, (size_t)fake_memory(memory)->size_bytes);
    for (uint32_t s = 0; s < FAKE_SIDES; s++) {
        for (uint32_t i = 0; i < fake.side[s].regions.top; i++) {
            const struct fake_region *region = fake_pool_at(&fake.side[s].regions, i);
            if (region->used && region->memory == memory) {
                ASAN_UNPOISON_MEMORY_REGION(bytes + region->range.off_bytes, (size_t)region->range.len_bytes);
            }
        }
    }
#else
    (void)memory;
#endif
}

vmo_status fake_memory_make(uint64_t size_bytes, uint32_t *out)
{
    if (size_bytes > fake.config.arena_bytes - fake.arena_used ||
        !fake_pool_take(&fake.memories, FAKE_MEMORIES, out)) {
        return VMO_ERR_NO_MEMORY;
    }
    fake_memory(*out)->size_bytes = size_bytes;
    fake.arena_used += size_bytes;
    return VMO_OK;
}

void fake_name(uint32_t number, const char *name)
{
    const size_t bytes = strlen(name) + 1;

    fake_memory(number)->name = fake_zeroed(bytes);
    memcpy(fake_memory(number)->name, name, bytes);
}

void fake_memory_free(uint32_t number)
{
    struct fake_memory *memory = fake_memory(number);

    if (memory->bytes != NULL) {
        fake_expose(number);
        free(memory->raw);
    }
    free(memory->name);
    fake.arena_used -= memory->is_file ? 0 : memory->size_bytes;
    fake_pool_give(&fake.memories, number);
}

/* ---- Mappings ----------------------------------------------------------------------------------- */

/* The bucket of an address. */
static uint32_t *bucket_of(struct fake_side *side, const void *at)
{
    const uint64_t page = (uint64_t)(uintptr_t)at / FAKE_PAGE_BYTES;

    return &side->buckets[(page * UINT64_C(0x9E3779B97F4A7C15)) >> 44];
}

static const void *address_of(const struct fake_region *region)
{
    return fake_bytes(region->memory) + region->range.off_bytes;
}

vmo_status fake_region_add(uint32_t memory, struct vmo_range range, void **at)
{
    struct fake_side *side = &fake.side[fake.now];
    uint32_t number = 0;

    if (side->buckets == NULL) {
        side->buckets = fake_zeroed(FAKE_BUCKETS * sizeof(*side->buckets));
    }
    if (!fake_pool_take(&side->regions, fake.config.regions, &number)) {
        return VMO_ERR_NO_SLOTS;
    }
    struct fake_region *region = fake_pool_at(&side->regions, number);
    *region = (struct fake_region){.used = true, .memory = memory, .range = range};
    uint32_t *bucket = bucket_of(side, address_of(region));
    region->next_at = *bucket;
    *bucket = number + 1;
    fake_memory(memory)->mappings++;
    *at = fake_bytes(memory) + range.off_bytes;
    fake_guard(memory);
    return VMO_OK;
}

bool fake_region_find(const void *at, uint64_t bytes, uint32_t *number)
{
    struct fake_side *side = &fake.side[fake.now];

    for (uint32_t i = side->buckets != NULL ? *bucket_of(side, at) : 0; i != 0;) {
        const struct fake_region *region = fake_pool_at(&side->regions, i - 1);
        if (region->range.len_bytes == bytes && address_of(region) == at) {
            *number = i - 1;
            return true;
        }
        i = region->next_at;
    }
    return false;
}

void fake_region_drop(uint32_t which, uint32_t number)
{
    struct fake_side *side = &fake.side[which];
    const struct fake_region *region = fake_pool_at(&side->regions, number);
    const uint32_t memory = region->memory;
    uint32_t *link = bucket_of(side, address_of(region));

    while (*link != number + 1) {
        struct fake_region *before = fake_pool_at(&side->regions, *link - 1);
        link = &before->next_at;
    }
    *link = region->next_at;
    fake_pool_give(&side->regions, number);
    fake_memory(memory)->mappings--;
    fake_guard(memory);
}

void fake_regions_drop(uint32_t side)
{
    for (uint32_t i = 0; i < fake.side[side].regions.top; i++) {
        if (fake_pool_uses(&fake.side[side].regions, i)) {
            fake_region_drop(side, i);
        }
    }
}

/* ---- Queues ------------------------------------------------------------------------------------- */

void fake_queue_pop(struct fake_queue *queue)
{
    struct fake_message *message = &queue->messages[queue->head];

    for (uint32_t i = 0; i < message->count; i++) {
        fake_cap_count(&message->caps[i], false);
    }
    queue->bytes -= (uint32_t)message->len;
    memset(message, 0, sizeof(*message));
    queue->head = (queue->head + 1) % FAKE_DEPTH_MAX;
    queue->count--;
}

void fake_queue_close(struct fake_queue *queue)
{
    while (queue->count) {
        fake_queue_pop(queue);
    }
    queue->closed = true;
}

void fake_side_end(uint32_t side, int32_t exit_status)
{
    fake.side[side].life = FAKE_DEAD;
    fake.side[side].exit_status = exit_status;
    fake_slots_drop(side);
}
