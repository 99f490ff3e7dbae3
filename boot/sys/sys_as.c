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

/* Checks the arguments alone: (handle, slot, va, len, prot, flags). */
static int64_t decode_as_map(const struct task *self, const uint64_t *args, struct as_map *map)
{
    const uint64_t va = args[2], prot = args[4], flags = args[5];
    uint64_t end;
    if (!page_aligned(va) || args[3] == 0 || !page_aligned(args[3]) || prot == 0 ||
        (prot & ~(uint64_t)PROT_KNOWN) != 0 || (flags & ~(uint64_t)AS_FLAG_USER) != 0) {
        return -NX_EINVAL;
    }
    if ((prot & NX_PROT_WRITE) != 0 && (prot & NX_PROT_EXEC) != 0) {
        return -NX_EPERM;
    }
    map->space = aspace_find(args[0]);
    map->cap = cap_find_kind(&self->caps, args[1], CAP_VMO, NX_RIGHT_MAP); /* K-28: no alias */
    if (map->cap == NULL) {
        return -NX_EPERM;
    }
    map->va = va;
    map->len = min_u64(args[3], map->cap->bytes);
    if (map->space == NULL || !checked_add(va, map->len, &end) || end > NX_USER_TOP) {
        return -NX_EINVAL;
    }
    map->prot = (uint32_t)prot;
    map->how = flags & AS_FLAG_USER ? ASPACE_USER : 0;
    return 0;
}

/* Checks the request against the mappings of the address space. */
static int64_t check_room(const struct as_map *map)
{
    if (!aspace_is_free(map->space, map->va, map->len)) {
        return the_facts.overlap_error;
    }
    if (the_facts.bounds_regions) {
        const bool in_window =
            ranges_overlap(map->va, map->len, NX_A2_MAP_BASE, NX_A2_MAP_END - (uint64_t)NX_A2_MAP_BASE);
        if (in_window || region_overlaps(&map->space->regions, map->va, map->len)) {
            return the_facts.overlap_error;
        }
        if (!region_has_place(&map->space->regions)) {
            return -NX_ENOSPC;
        }
    }
    return region_fits() && aspace_tables_fit(map->len) ? 0 : -NX_ENOMEM;
}

int64_t sys_as_map(struct task *self, const uint64_t *args)
{
    struct as_map map;
    int64_t refusal = decode_as_map(self, args, &map);
    if (refusal == 0) {
        refusal = check_room(&map);
    }
    if (refusal != 0) {
        return refusal;
    }

    const struct region draft = {.kind = REGION_AS_MAP,
                                 .prot = map.prot,
                                 .va = map.va,
                                 .bytes = map.len,
                                 .base_pa = map.cap->base_pa,
                                 .vmo_id = map.cap->object};
    aspace_map_vmo(map.space, &draft, 0, false, map.how);
    return 0;
}
