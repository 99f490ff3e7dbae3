/* SPDX-License-Identifier: Apache-2.0 */
#include "core/arena.h"

#include <stdbool.h>
#include <string.h>

#include "core/checked.h"
#include "core/panic.h"
#include "core/port.h"

struct arena_range {
    uint64_t base_pa;
    uint64_t bytes;
};

static struct {
    bool bump_only;
    uint64_t base_pa, bytes;
    uint64_t used_bytes;
    uint64_t vmos_live;
    uint32_t last_id;
    uint32_t count;                            /* entries of live[]; a2 only */
    struct arena_range live[ARENA_RANGES_MAX]; /* sorted by base_pa */
} arena;

void arena_init(bool bump_only, uint64_t base_pa, uint64_t bytes)
{
    memset(&arena, 0, sizeof(arena));
    arena.bump_only = bump_only;
    arena.base_pa = base_pa;
    arena.bytes = bytes;
}

static enum arena_status bump(uint64_t bytes, uint64_t *base_pa)
{
    if (!range_inside(arena.used_bytes, bytes, arena.bytes)) {
        return ARENA_FULL;
    }
    if (!range_inside(arena.used_bytes, bytes, NX_ARENA_MAPPED_BYTES_A1)) {
        return ARENA_UNMAPPED;
    }
    *base_pa = arena.base_pa + arena.used_bytes;
    return ARENA_OK;
}

static enum arena_status first_fit(uint64_t bytes, uint64_t *base_pa)
{
    if (arena.count == ARENA_RANGES_MAX) {
        return ARENA_FULL;
    }
    uint64_t at_pa = arena.base_pa;
    uint32_t i = 0;
    while (i < arena.count && arena.live[i].base_pa - at_pa < bytes) {
        at_pa = arena.live[i].base_pa + arena.live[i].bytes;
        i++;
    }
    if (!range_inside(at_pa - arena.base_pa, bytes, arena.bytes)) {
        return ARENA_FULL;
    }
    memmove(&arena.live[i + 1], &arena.live[i], (arena.count - i) * sizeof(arena.live[0]));
    arena.live[i] = (struct arena_range){.base_pa = at_pa, .bytes = bytes};
    arena.count++;
    *base_pa = at_pa;
    return ARENA_OK;
}

enum arena_status arena_take(uint64_t bytes, uint64_t *base_pa)
{
    if (bytes == 0 || !page_aligned(bytes)) {
        kernel_panic("an arena request is not whole pages", bytes);
    }
    const enum arena_status status = arena.bump_only ? bump(bytes, base_pa) : first_fit(bytes, base_pa);
    if (status != ARENA_OK) {
        return status;
    }
    arena.used_bytes += bytes;
    memset(port_ptr(*base_pa), 0, bytes);
    return ARENA_OK;
}

enum arena_status arena_create(uint64_t bytes, uint64_t *base_pa, uint32_t *vmo_id)
{
    const enum arena_status status = arena_take(bytes, base_pa);
    if (status != ARENA_OK) {
        return status;
    }
    arena.vmos_live++;
    *vmo_id = ++arena.last_id;
    return ARENA_OK;
}

void arena_destroy(uint64_t base_pa)
{
    uint32_t i = 0;
    while (i < arena.count && arena.live[i].base_pa != base_pa) {
        i++;
    }
    if (i == arena.count) {
        kernel_panic("destroy of a VMO that is not live", base_pa);
    }
    arena.used_bytes -= arena.live[i].bytes;
    arena.vmos_live--;
    arena.count--;
    memmove(&arena.live[i], &arena.live[i + 1], (arena.count - i) * sizeof(arena.live[0]));
}

uint64_t arena_bytes_used(void)
{
    return arena.used_bytes;
}

uint64_t arena_vmos_live(void)
{
    return arena.vmos_live;
}
