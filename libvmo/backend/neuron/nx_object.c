/* SPDX-License-Identifier: Apache-2.0 */
/* VMOs on NEURON: capability slots and their bytes. */
#include <string.h>

#include "backend.h"
#include "nx_budget.h"
#include "nx_call.h"
#include "nx_in_flight.h"
#include "nx_slots.h"

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

vmo_status be_create(uint64_t size_bytes, const struct vmo_create_options *options, struct be_object *out)
{
    const struct nx_cost cost = {.arena_bytes = size_bytes};

    (void)options;
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

/* This kernel keeps no names. */
void be_name(const struct be_object *object, char name[VMO_NAME_MAX_BYTES + 1])
{
    (void)object;
    name[0] = '\0';
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

vmo_status be_seal(struct be_object *object, vmo_seal_strength strength, const struct be_writer *writer,
                   vmo_enforcer *by)
{
    (void)writer;
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
    memmove(to, from, (size_t)len_bytes);
    return VMO_OK;
}

void be_copy_far(uint8_t *to, const uint8_t *from, size_t len)
{
    memcpy(to, from, len);
}

vmo_status be_copy_object(const struct be_object *to, const struct be_object *from, struct vmo_range range)
{
    (void)to, (void)from, (void)range;
    return VMO_ERR_UNSUPPORTED; /* this kernel copies to and from user memory alone */
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
