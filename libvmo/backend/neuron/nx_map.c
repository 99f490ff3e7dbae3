/* SPDX-License-Identifier: Apache-2.0 */
/* Mappings on NEURON: page by page on the older kernel, in one call on the newer one. */
#include "backend.h"
#include "nx_budget.h"
#include "nx_call.h"

#define FILLERS_MAX 48 /* of 64 regions (K-24) */
#define FILLER_BYTES (NX_SUPERPAGE_BYTES - NX_PAGE_BYTES)

static uint64_t map_flags(bool writable)
{
    return NX_MAP_VALID | NX_MAP_READ | NX_MAP_USER | (writable ? NX_MAP_WRITE : 0);
}

/* Page tables that a mapping needs at the end of those before it. */
static uint64_t new_tables(uint64_t va, uint64_t bytes)
{
    const uint64_t begun = va % NX_SUPERPAGE_BYTES ? 1 : 0;
    const uint64_t middle = va == NX_A1_MAP_BASE ? 1 : 0;

    return nx_leaf_tables(va, bytes) - begun + middle;
}

/* The older map call: page by page, at addresses that the library chooses and never reuses (K-22, K-23). */
static vmo_status map_pages(int32_t slot, struct vmo_range range, bool writable, void **at)
{
    static uint64_t next_va = NX_A1_MAP_BASE;
    const uint64_t va = next_va;

    if (range.len_bytes > NX_A1_MAP_END - va) {
        return VMO_ERR_NO_MEMORY;
    }
    const struct nx_cost cost = {.tables = new_tables(va, range.len_bytes)};
    if (!nx_budget_covers(cost)) {
        return VMO_ERR_NO_MEMORY;
    }
    for (uint64_t off = 0; off < range.len_bytes; off += NX_PAGE_BYTES) {
        const int64_t answer =
            nx_call4(NX_SYS_MAP, (uint64_t)slot, va + off, range.off_bytes + off, map_flags(writable));
        if (answer < 0) {
            if (off) { /* the first pages stay mapped: the addresses are used up */
                next_va = va + range.len_bytes;
                nx_budget_charge(cost);
            }
            return answer == -NX_ENOMEM ? VMO_ERR_NO_MEMORY : VMO_ERR_BACKEND;
        }
    }
    next_va = va + range.len_bytes;
    nx_budget_charge(cost);
    *at = (void *)(uintptr_t)va;
    return VMO_OK;
}

static int64_t vm_map(int32_t slot, struct vmo_range range, bool writable)
{
    return nx_call4(NX_SYS_VM_MAP, (uint64_t)slot, range.off_bytes, range.len_bytes, map_flags(writable));
}

static int64_t vm_unmap(int64_t va, uint64_t bytes)
{
    return nx_call2(NX_SYS_VM_UNMAP, (uint64_t)va, bytes);
}

/* K-26: the kernel's lowest fit contains page tables that it cannot replace, and every retry would get the
 * same fit. The refusal may have left one more such table. So fill hole after hole with small pages until a
 * retry gets a hole without one, then unmap the fillers. */
static int64_t vm_map_elsewhere(int32_t slot, struct vmo_range range, bool writable, uint64_t *retries)
{
    const struct vmo_range filler = {range.off_bytes, FILLER_BYTES};
    int64_t fillers[FILLERS_MAX];
    unsigned count = 0;
    int64_t va = -NX_EEXIST;

    while (va == -NX_EEXIST && count < FILLERS_MAX) {
        fillers[count] = vm_map(slot, filler, false);
        if (fillers[count] <= 0) {
            va = fillers[count] == -NX_ENOSPC ? -NX_ENOSPC : -NX_EEXIST;
            break;
        }
        count++;
        ++*retries;
        va = vm_map(slot, range, writable);
    }
    int64_t undone = 0;
    while (count > 0) {
        count--;
        const int64_t answer = vm_unmap(fillers[count], filler.len_bytes);
        undone = answer != 0 ? answer : undone;
    }
    if (undone != 0 && va > 0) {
        (void)vm_unmap(va, range.len_bytes); /* the first error is the one to report */
    }
    return undone != 0 ? -NX_EINVAL : va;
}

static vmo_status vm_map_status(int64_t answer)
{
    switch (answer) {
    case -NX_EEXIST:
        return VMO_ERR_FRAGMENTED;
    case -NX_ENOSPC:
        return VMO_ERR_NO_SLOTS;
    case -NX_ENOMEM:
        return VMO_ERR_NO_MEMORY;
    default:
        return VMO_ERR_BACKEND;
    }
}

static vmo_status map_slot(int32_t slot, struct vmo_range range, bool writable, void **at,
                           struct vmo_counters *counters)
{
    const struct nx_features *has = nx_features();

    if (!has->vm_map) {
        return has->map ? map_pages(slot, range, writable, at) : VMO_ERR_UNSUPPORTED;
    }
    int64_t va = vm_map(slot, range, writable);
    if (va == -NX_EEXIST && has->vm_unmap && range.len_bytes > FILLER_BYTES) {
        va = vm_map_elsewhere(slot, range, writable, &counters->placement_retries);
    }
    if (va <= 0) {
        return vm_map_status(va);
    }
    *at = (void *)(uintptr_t)va;
    return VMO_OK;
}

vmo_status be_map(const struct be_object *object, struct vmo_range range, bool writable, void **at,
                  struct vmo_counters *counters)
{
    /* Read through the alias if there is one: then the kernel, too, refuses writes. */
    return map_slot(be_granted(object, writable), range, writable, at, counters);
}

vmo_status be_unmap(void *at, uint64_t bytes)
{
    return vm_unmap((int64_t)nx_address(at), bytes) == 0 ? VMO_OK : VMO_ERR_BACKEND;
}

/* An alias proves that its holder cannot write. No kernel shows that nobody else can. */
static vmo_enforcer claim_enforcer(const struct be_object *object, vmo_seal_strength claimed)
{
    if (claimed == VMO_SEAL_NONE) {
        return VMO_BY_NOBODY;
    }
    return claimed == VMO_SEAL_PEERS && object->owner == BE_NONE ? VMO_BY_KERNEL : VMO_BY_LIBRARY;
}

vmo_status be_verify(struct be_object *object, uint64_t size_bytes, vmo_seal_strength claimed,
                     struct be_verified *out, struct vmo_counters *counters)
{
    *out = (struct be_verified){claim_enforcer(object, claimed), NULL};
    if (object->owner != BE_NONE) {
        return nx_slot_writable(object->owner, size_bytes) ? VMO_OK : VMO_ERR_PROTOCOL;
    }
    if (!nx_features()->vm_map || size_bytes > NX_A2_MAP_END - NX_A2_MAP_BASE) {
        return VMO_ERR_PROTOCOL; /* the claim cannot be checked */
    }
    /* Mapping is the only check that an alias allows (K-28). -1: past its end, or not a VMO (K-24). */
    const vmo_status status =
        map_slot(object->alias, (struct vmo_range){0, size_bytes}, false, &out->at, counters);
    return status == VMO_ERR_BACKEND ? VMO_ERR_PROTOCOL : status;
}
