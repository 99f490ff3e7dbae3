/* SPDX-License-Identifier: Apache-2.0 */
/* Mappings in the caller's address space: map (a1, K-22, K-23), vm_map and vm_unmap (a2, K-24..K-26). */
#include "core/audit.h"
#include "core/checked.h"
#include "sys/handlers.h"

#define A1_TAKEN_VA UINT64_C(0x10000000) /* K-23 */

_Static_assert(NX_MAP_READ >> 1 == NX_PROT_READ && NX_MAP_WRITE >> 1 == NX_PROT_WRITE &&
                   NX_MAP_EXEC >> 1 == NX_PROT_EXEC,
               "flags >> 1 must give the protection");

static uint32_t prot_of(uint64_t flags)
{
    return (uint32_t)(flags >> 1 & (NX_PROT_READ | NX_PROT_WRITE | NX_PROT_EXEC));
}

static const struct cap *memory_cap(const struct task *self, uint64_t slot)
{
    const struct cap *cap = cap_find(&self->caps, slot);
    if (cap == NULL || !cap_is_memory(cap) || (cap->rights & NX_RIGHT_MAP) == 0) {
        return NULL;
    }
    return cap;
}

int64_t sys_check_room(const struct task *self, const struct aspace *space, uint64_t va, uint64_t bytes)
{
    const enum aspace_room room = aspace_room(space, va, bytes);
    if (room == ASPACE_NO_TABLES) {
        audit_hazard(self->pid, self->last_call, "K-17", "page-tables-run-out");
    }
    return room == ASPACE_ROOM && region_fits() ? 0 : -NX_ENOMEM;
}

/* map(slot, va, off, flags): one page. G, A and D are accepted and ignored. */
int64_t sys_map(struct task *self, const uint64_t *args)
{
    const uint64_t va = args[1], flags = args[3], off = page_round_down(args[2]);
    const uint32_t prot = prot_of(flags);
    if (!page_aligned(va) || !aspace_is_canonical(va) || (flags & ~(uint64_t)NX_MAP_KNOWN) != 0) {
        return -NX_EINVAL;
    }
    if ((prot & NX_PROT_WRITE) != 0 && (prot & NX_PROT_EXEC) != 0) {
        return -NX_EPERM;
    }
    const struct cap *cap = memory_cap(self, args[0]);
    if (cap == NULL || args[2] >= cap->bytes) {
        return -NX_EPERM;
    }
    if ((flags & NX_MAP_VALID) == 0 || prot == 0 || va == A1_TAKEN_VA ||
        !aspace_is_free(self->space, va, PAGE_BYTES)) {
        return -NX_EINVAL;
    }
    const int64_t refusal = sys_check_room(self, self->space, va, PAGE_BYTES);
    if (refusal != 0) {
        return refusal;
    }

    const struct region draft = {.kind = REGION_MAP,
                                 .prot = prot,
                                 .va = va,
                                 .bytes = PAGE_BYTES,
                                 .base_pa = cap->base_pa + off,
                                 .vmo_id = cap->object};
    aspace_map_vmo(self->space, &draft, off, false, flags & NX_MAP_USER ? ASPACE_USER : 0);
    return 0;
}

/* The checks of vm_map up to the end of the range, in the order of K-24. */
static int64_t check_vm_map(const struct task *self, const uint64_t *args, const struct cap **cap)
{
    const uint64_t off = args[1], len = args[2], flags = args[3];
    uint64_t end;
    if ((flags & ~(uint64_t)NX_MAP_KNOWN) != 0) {
        return -NX_EINVAL;
    }
    if ((flags & NX_MAP_EXEC) != 0) {
        return -NX_EPERM;
    }
    if (len == 0 || !page_aligned(len) || !page_aligned(off)) {
        return -NX_EINVAL;
    }
    *cap = memory_cap(self, args[0]);
    if (*cap == NULL) {
        return -NX_EPERM;
    }
    if (!checked_add(off, len, &end)) {
        return -NX_EINVAL;
    }
    return end > (*cap)->bytes ? -NX_EPERM : 0;
}

/* vm_map(slot, off, len, flags): the kernel picks the address. */
int64_t sys_vm_map(struct task *self, const uint64_t *args)
{
    struct region_list *regions = &self->space->regions;
    const struct cap *cap = NULL;
    uint64_t va = 0;
    const int64_t refusal = check_vm_map(self, args, &cap);
    if (refusal != 0) {
        return refusal;
    }
    const uint64_t base_pa = cap->base_pa + args[1], len = args[2];
    const bool alias = cap->kind == CAP_ALIAS;
    const uint32_t prot = alias ? NX_PROT_READ : prot_of(args[3]); /* K-28: WRITE is dropped, READ forced */
    if (!region_find_hole(regions, base_pa, len, &va)) {
        return -NX_ENOMEM;
    }
    if (!region_has_place(regions)) {
        return -NX_ENOSPC;
    }
    if (prot == 0) {
        return -NX_EINVAL;
    }
    if (region_meets_table(regions, va, base_pa, len)) {
        region_note_refused(regions, va, base_pa, len);
        return -NX_EEXIST; /* K-26 */
    }
    const int64_t no_room = sys_check_room(self, self->space, va, len);
    if (no_room != 0) {
        return no_room;
    }

    const struct region draft = {.kind = REGION_VM_MAP,
                                 .prot = prot,
                                 .va = va,
                                 .bytes = len,
                                 .base_pa = base_pa,
                                 .vmo_id = cap->object};
    aspace_map_vmo(self->space, &draft, args[1], alias, ASPACE_USER);
    region_note_tables(regions, va, base_pa, len);
    return (int64_t)va;
}

/* vm_unmap(va, len): the range must be exactly one region of vm_map (K-25). */
int64_t sys_vm_unmap(struct task *self, const uint64_t *args)
{
    const uint64_t va = args[0], len = args[1];
    if (!page_aligned(va) || !page_aligned(len) || len == 0) {
        return -NX_EINVAL;
    }
    struct region *region = region_at(&self->space->regions, va);
    if (region == NULL) {
        return -NX_ENOENT;
    }
    if (region->bytes != len) {
        return -NX_EINVAL;
    }
    if (region->kind != REGION_VM_MAP) {
        return -NX_EPERM;
    }

    aspace_unmap(self->space, region);
    return 0;
}
