/* SPDX-License-Identifier: Apache-2.0 */
/* Address spaces by handle: as_create, as_map, as_self (K-17, K-27). */
#include "core/audit.h"
#include "core/checked.h"
#include "core/config.h"
#include "core/lifecycle.h"
#include "sys/handlers.h"

#define AS_FLAG_USER 1u
#define PROT_KNOWN (NX_PROT_READ | NX_PROT_WRITE | NX_PROT_EXEC)

int64_t sys_as_create(struct task *self, const uint64_t *args)
{
    (void)args;
    if (!lifecycle_take_space()) {
        audit_hazard(self->pid, self->last_call, "K-17", "one-address-space-too-many");
        return -NX_ENOMEM;
    }
    const struct aspace *space = aspace_create(self->pid);
    return space == NULL ? -NX_ENOMEM : (int64_t)aspace_handle(space);
}

int64_t sys_as_self(struct task *self, const uint64_t *args)
{
    (void)args;
    return (int64_t)aspace_handle(self->space);
}

/* The decoded arguments of as_map. */
struct as_map {
    struct aspace *space;
    const struct cap *cap;
    uint64_t va, len;
    uint32_t prot;
    unsigned how;
};

/* Checks the arguments alone: (handle, slot, va, len, prot, flags). Unknown bits of prot and flags are
 * ignored, and the handle has 32 bits (K-27, K-40). */
static int64_t decode_as_map(const struct task *self, const uint64_t *args, struct as_map *map)
{
    const uint64_t va = args[2];
    uint64_t end;
    map->prot = (uint32_t)args[4] & PROT_KNOWN;
    map->how = args[5] & AS_FLAG_USER ? ASPACE_USER : 0;
    if (!page_aligned(va) || args[3] == 0 || !page_aligned(args[3])) {
        return -NX_EINVAL;
    }
    if ((map->prot & NX_PROT_WRITE) != 0 && (map->prot & NX_PROT_EXEC) != 0) {
        return -NX_EPERM;
    }
    map->space = aspace_find((uint32_t)args[0]);
    map->cap = cap_find_kind(&self->caps, args[1], CAP_VMO, NX_RIGHT_MAP); /* K-28: no alias */
    if (map->cap == NULL) {
        return -NX_EPERM;
    }
    map->va = va;
    map->len = min_u64(args[3], map->cap->bytes);
    if (map->space == NULL || !checked_add(va, map->len, &end) || end > NX_USER_TOP) {
        return -NX_EINVAL;
    }
    return 0;
}

/* a2 keeps its window to vm_map. */
static bool in_window(const struct as_map *map)
{
    return the_facts.bounds_regions &&
           ranges_overlap(map->va, map->len, NX_A2_MAP_BASE, NX_A2_MAP_END - (uint64_t)NX_A2_MAP_BASE);
}

/* Checks the request against the address space, page by page: an overlap comes before a protection without a
 * right. *bytes is what can be mapped before the first page that is in use already. */
static int64_t check_room(const struct task *self, const struct as_map *map, uint64_t *bytes)
{
    *bytes = in_window(map) ? 0 : aspace_free_bytes(map->space, map->va, map->len);
    if (*bytes == 0) {
        return the_facts.overlap_error;
    }
    if (map->prot == 0) {
        return -NX_EINVAL;
    }
    return sys_check_room(self, map->space, map->va, *bytes);
}

int64_t sys_as_map(struct task *self, const uint64_t *args)
{
    struct as_map map;
    uint64_t bytes = 0;
    int64_t refusal = decode_as_map(self, args, &map);
    if (refusal == 0) {
        refusal = check_room(self, &map, &bytes);
    }
    if (refusal != 0) {
        return refusal;
    }

    const bool whole = bytes == map.len;
    const struct region draft = {.kind = REGION_AS_MAP,
                                 .prot = map.prot,
                                 .uncounted = !whole,
                                 .va = map.va,
                                 .bytes = bytes,
                                 .base_pa = map.cap->base_pa,
                                 .vmo_id = map.cap->object};
    aspace_map_vmo(map.space, &draft, 0, false, map.how);
    return whole ? 0 : the_facts.overlap_error; /* K-27: the pages before the overlap stay */
}
