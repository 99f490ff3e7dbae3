/* SPDX-License-Identifier: Apache-2.0 */
/* VMOs on NEURON: capability slots, their bytes and their mappings. */
#include <string.h>

#include "backend.h"
#include "nx_budget.h"
#include "nx_call.h"
#include "nx_in_flight.h"
#include "nx_slots.h"

#define FILLERS_MAX 48 /* of 64 regions (K-24) */
#define FILLER_BYTES (NX_SUPERPAGE_BYTES - NX_PAGE_BYTES)
#define MAPPINGS_MAX_A2 56 /* of 64 regions; a child's segments and stack take the rest (K-24) */

vmo_status be_init(struct be_info *info)
{
    const struct nx_features *has = nx_features();
    const bool kept = has->map && !has->vm_map; /* the older map call: no unmap */

    *info = (struct be_info){.platform = kept ? "a1" : "a2",
                             .page_bytes = NX_PAGE_BYTES,
                             .object_bytes_max = kept ? NX_ARENA_MAPPED_BYTES_A1 : NX_ARENA_BYTES_A2,
                             .mappings_max = kept ? BE_ENTRIES_MAX : MAPPINGS_MAX_A2,
                             .can_unmap = has->vm_unmap};
    return VMO_OK;
}

/* ---- Life --------------------------------------------------------------------------------------- */

vmo_status be_create(uint64_t size_bytes, struct be_object *out)
{
    const struct nx_cost cost = {.arena_bytes = size_bytes};

    if (!nx_budget_covers(cost)) {
        return nx_features()->init ? VMO_ERR_NO_MEMORY : VMO_ERR_UNSUPPORTED;
    }
    const vmo_status status = nx_gives_nothing_back() ? nx_check_slots(1) : VMO_OK;
    if (status != VMO_OK) {
        return status;
    }
    nx_budget_charge(cost);
    const int64_t slot = nx_call2(NX_SYS_VMO_CREATE, UINT64_MAX, size_bytes); /* K-20: -1 means any slot */
    if (slot < 0) {
        return slot == -NX_ENOSPC  ? VMO_ERR_NO_SLOTS
               : slot == -NX_EPERM ? VMO_ERR_NO_MEMORY
                                   : VMO_ERR_BACKEND;
    }
    *out = (struct be_object){.owner = (int32_t)slot, .alias = BE_NONE};
    nx_slot_own(out->owner, true);
    return VMO_OK;
}

vmo_status be_make_alias(struct be_object *object)
{
    if (object->alias != BE_NONE) {
        return VMO_OK;
    }
    if (!nx_features()->share_ro) {
        return VMO_ERR_UNSUPPORTED;
    }
    const int64_t slot = nx_call1(NX_SYS_VMO_SHARE_RO, (uint64_t)object->owner);
    if (slot < 0) {
        return slot == -NX_ENOSPC ? VMO_ERR_NO_SLOTS : VMO_ERR_BACKEND;
    }
    object->alias = (int32_t)slot;
    nx_slot_own(object->alias, true);
    return VMO_OK;
}

static vmo_status close_slot(int32_t *slot)
{
    if (*slot != BE_NONE && nx_call1(NX_SYS_CAP_CLOSE, (uint64_t)*slot) != 0) {
        return VMO_ERR_BACKEND;
    }
    nx_slot_own(*slot, false);
    *slot = BE_NONE;
    return VMO_OK;
}

vmo_status be_seal(struct be_object *object, vmo_seal_strength strength, vmo_enforcer *by)
{
    const vmo_status status = be_make_alias(object);

    if (status == VMO_ERR_UNSUPPORTED) {
        *by = VMO_BY_LIBRARY; /* any holder of the capability can map it writable (K-28) */
        return VMO_OK;
    }
    if (status != VMO_OK) {
        return status;
    }
    *by = VMO_BY_KERNEL;
    return strength == VMO_SEAL_FOREVER ? close_slot(&object->owner) : VMO_OK;
}

vmo_status be_wrap_file(int file, struct vmo_range range, struct be_object *out)
{
    (void)file, (void)range, (void)out;
    return VMO_ERR_UNSUPPORTED; /* this kernel has no files */
}

uint64_t be_kept_bytes(const struct be_object *object)
{
    (void)object;
    return 0;
}

vmo_status be_close(struct be_object *object)
{
    const vmo_status status = close_slot(&object->alias);

    return status == VMO_OK ? close_slot(&object->owner) : status;
}

vmo_status be_check_destroy(const struct be_object *object)
{
    if (nx_in_flight(object)) {
        return VMO_ERR_STILL_SHARED;
    }
    return nx_features()->destroy ? VMO_OK : VMO_ERR_UNSUPPORTED;
}

vmo_status be_destroy(struct be_object *object)
{
    /* Our alias counts as another capability (K-29). After a refusal the next use makes a new one. */
    const vmo_status status = close_slot(&object->alias);
    if (status != VMO_OK) {
        return status;
    }
    const int64_t answer = nx_call1(NX_SYS_VMO_DESTROY, (uint64_t)object->owner);
    if (answer != 0) {
        return answer == -NX_EPERM   ? VMO_ERR_STILL_SHARED
               : answer == -NX_EBUSY ? VMO_ERR_STILL_MAPPED
                                     : VMO_ERR_BACKEND;
    }
    nx_slot_own(object->owner, false);
    object->owner = BE_NONE; /* do not close: the kernel freed the slot and may have reused it */
    return VMO_OK;
}

/* ---- Bytes -------------------------------------------------------------------------------------- */

void nx_touch(const void *memory, uint64_t bytes)
{
    const uint64_t from = nx_address(memory);
    const volatile uint8_t *byte = memory;

    for (uint64_t off = 0; off < bytes; off += NX_PAGE_BYTES - (from + off) % NX_PAGE_BYTES) {
        (void)byte[off];
    }
}

vmo_status be_write(const struct be_object *object, struct vmo_range range, const void *from)
{
    nx_touch(from, range.len_bytes);
    const int64_t done = nx_call4(NX_SYS_VMO_WRITE, (uint64_t)object->owner, range.off_bytes,
                                  nx_address(from), range.len_bytes);
    return done == (int64_t)range.len_bytes ? VMO_OK : VMO_ERR_BACKEND;
}

/* As nx_touch, for memory that the kernel will write: stores a byte of every page back. */
static void touch_writable(void *memory, uint64_t bytes)
{
    const uint64_t to = nx_address(memory);
    volatile uint8_t *byte = memory;

    for (uint64_t off = 0; off < bytes; off += NX_PAGE_BYTES - (to + off) % NX_PAGE_BYTES) {
        const uint8_t held = byte[off];
        byte[off] = held;
    }
}

/* No call tells more about a pointer than be_is_user, which the core has asked. */
vmo_status be_copy(void *to, const void *from, uint64_t len_bytes)
{
    memcpy(to, from, (size_t)len_bytes);
    return VMO_OK;
}

vmo_status be_read(const struct be_object *object, struct vmo_range range, void *to)
{
    if (!nx_features()->read || object->owner == BE_NONE) { /* refused on an alias (K-28) */
        return VMO_ERR_UNSUPPORTED;
    }
    touch_writable(to, range.len_bytes);
    const int64_t done =
        nx_call4(NX_SYS_VMO_READ, (uint64_t)object->owner, range.off_bytes, nx_address(to), range.len_bytes);
    return done == (int64_t)range.len_bytes ? VMO_OK : VMO_ERR_BACKEND;
}

/* ---- Mappings ----------------------------------------------------------------------------------- */

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

vmo_status be_verify(const struct be_object *object, uint64_t size_bytes, vmo_seal_strength claimed,
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
