/* SPDX-License-Identifier: Apache-2.0 */
/* Files: a test fills them, be_wrap_file finds them by descriptor. */
#include <assert.h>
#include <string.h>

#include "fake_state.h"
#include "sizes.h"

#define FIRST_FILE 3 /* as if the standard streams were open */

/* The memory behind a descriptor, or NULL for an unknown descriptor. */
static struct fake_memory *file_of(int file)
{
    if (file < FIRST_FILE || !fake_pool_uses(&fake.memories, (uint32_t)(file - FIRST_FILE))) {
        return NULL;
    }
    struct fake_memory *memory = fake_memory((uint32_t)(file - FIRST_FILE));
    return memory->is_file ? memory : NULL;
}

int fake_file_set(const void *bytes, size_t len)
{
    const uint64_t size = (len + FAKE_PAGE_BYTES - 1) / FAKE_PAGE_BYTES * FAKE_PAGE_BYTES;
    uint32_t memory = 0;

    if (len == 0 || fake_memory_make(size, &memory) != VMO_OK) {
        return -1;
    }
    fake.arena_used -= size;
    fake_memory(memory)->is_file = true;
    fake_memory(memory)->file_bytes = len;
    fake_expose(memory);
    memcpy(fake_bytes(memory), bytes, len);
    fake_guard(memory);
    return (int)memory + FIRST_FILE;
}

void fake_file_truncate(int file, size_t len)
{
    struct fake_memory *memory = file_of(file);

    assert(memory != NULL && len <= memory->size_bytes);
    memory->file_bytes = len;
}

struct fake_slot *fake_file_slot(const struct be_object *object)
{
    struct fake_slot *slot = fake_slot(object->alias);
    return slot != NULL && slot->kind == FAKE_FILE ? slot : NULL;
}

uint64_t fake_readable_bytes(uint32_t memory)
{
    return fake_memory(memory)->is_file ? fake_memory(memory)->file_bytes : fake_memory(memory)->size_bytes;
}

vmo_status be_wrap_file(int file, struct vmo_range range, struct be_object *out)
{
    vmo_status status = fake_enter();
    const struct fake_memory *memory = file_of(file);

    if (status != VMO_OK) {
        return status;
    }
    if (memory == NULL) {
        return VMO_ERR_INVALID;
    }
    if (!range_within(range, memory->file_bytes)) {
        return VMO_ERR_BOUNDS;
    }
    const int32_t slot = fake_slot_fill(fake.now, FAKE_FILE, (uint32_t)(file - FIRST_FILE));
    if (slot == BE_NONE) {
        return VMO_ERR_NO_SLOTS;
    }
    *out = (struct be_object){.owner = BE_NONE, .alias = slot};
    fake_own(out);
    return VMO_OK;
}
