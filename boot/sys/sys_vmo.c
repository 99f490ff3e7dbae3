/* SPDX-License-Identifier: Apache-2.0 */
/* VMOs: create, write, read, destroy, share_ro (K-20, K-21, K-28, K-29). */
#include "core/arena.h"
#include "core/audit.h"
#include "core/checked.h"
#include "core/config.h"
#include "core/endpoint.h"
#include "core/port.h"
#include "core/usercopy.h"
#include "sys/handlers.h"

#define ANY_SLOT UINT64_MAX /* -1 */

static int64_t arena_answer(const struct task *self, enum arena_status status)
{
    if (status == ARENA_UNMAPPED) {
        audit_hazard(self->pid, self->last_call, "K-20", "crosses-the-mapped-arena");
    }
    return status == ARENA_OK ? 0 : -NX_EPERM;
}

/* Chooses the slot of the new capability. Returns 0 or the refusal. */
static int64_t choose_slot(const struct task *self, uint64_t wanted, uint32_t *slot)
{
    *slot = wanted == ANY_SLOT ? cap_free_slot(&self->caps) : (uint32_t)wanted;
    if (wanted == ANY_SLOT) {
        return *slot == CAP_NO_SLOT ? -NX_ENOSPC : 0;
    }
    return cap_slot_exists(wanted) ? 0 : -NX_EPERM;
}

int64_t sys_vmo_create(struct task *self, const uint64_t *args)
{
    struct cap cap = {.kind = CAP_VMO, .rights = NX_RIGHT_MAP};
    uint32_t slot;
    if (args[1] == 0 || !page_round_up(args[1], &cap.bytes)) {
        return -NX_EPERM;
    }
    const int64_t refusal = choose_slot(self, args[0], &slot);
    if (refusal != 0 && !the_facts.create_takes_bytes_first) {
        return refusal;
    }
    if (refusal != 0) {
        const int64_t answer = arena_answer(self, arena_take(cap.bytes, &cap.base_pa));
        return answer != 0 ? answer : refusal;
    }
    const int64_t answer = arena_answer(self, arena_create(cap.bytes, &cap.base_pa, &cap.object));
    if (answer != 0) {
        return answer;
    }

    cap_place(&self->caps, slot, &cap);
    audit_vmo(cap.object, self->pid, cap.base_pa, cap.bytes);
    return slot;
}

/* K-21: checks capability and range before the pointer. */
static int64_t check_copy(const struct task *self, const uint64_t *args, uint32_t user_prot,
                          const struct cap **cap, struct user_range *range)
{
    *cap = cap_find_kind(&self->caps, args[0], CAP_VMO, NX_RIGHT_MAP);
    if (*cap == NULL || !range_inside(args[1], args[3], (*cap)->bytes)) {
        return -NX_EPERM;
    }
    return user_range_check(self, args[2], args[3], user_prot, range) ? 0 : -NX_EINVAL;
}

int64_t sys_vmo_write(struct task *self, const uint64_t *args)
{
    const struct cap *cap;
    struct user_range range;
    const int64_t refusal = check_copy(self, args, NX_PROT_READ, &cap, &range);
    if (refusal != 0) {
        return refusal;
    }
    if (args[3] != 0) {
        user_read(&range, 0, port_ptr(cap->base_pa + args[1]), args[3]);
    }
    audit_copied_into_vmo(self->pid, args[3]);
    return (int64_t)args[3];
}

int64_t sys_vmo_read(struct task *self, const uint64_t *args)
{
    const struct cap *cap;
    struct user_range range;
    const int64_t refusal = check_copy(self, args, NX_PROT_WRITE, &cap, &range);
    if (refusal != 0) {
        return refusal;
    }
    if (args[3] != 0) {
        user_write(&range, 0, port_ptr(cap->base_pa + args[1]), args[3]);
    }
    audit_copied_from_vmo(self->pid, args[3]);
    return (int64_t)args[3];
}

int64_t sys_vmo_destroy(struct task *self, const uint64_t *args)
{
    const struct cap *cap = cap_find_kind(&self->caps, args[0], CAP_VMO, 0); /* K-29: any rights */
    if (cap == NULL || task_count_vmo_caps(cap->object) > 1) {
        return -NX_EPERM;
    }
    if (aspace_any_region_of(REGION_VM_MAP, cap->object)) {
        return -NX_EBUSY;
    }
    if (ep_count_moving_vmo(cap->object) > 0) {
        audit_hazard(self->pid, self->last_call, "K-29", "destroys-what-a-message-carries");
        return -NX_EPERM;
    }
    if (aspace_any_region_of(REGION_AS_MAP, cap->object)) {
        audit_hazard(self->pid, self->last_call, "K-29", "destroys-what-as_map-shows");
        return -NX_EBUSY;
    }

    const struct cap gone = cap_take(&self->caps, (uint32_t)args[0]);
    audit_vmo_destroyed(gone.object);
    arena_destroy(gone.base_pa);
    return 0;
}

int64_t sys_vmo_share_ro(struct task *self, const uint64_t *args)
{
    const struct cap *cap = cap_find_kind(&self->caps, args[0], CAP_VMO, NX_RIGHT_MAP);
    if (cap == NULL) {
        return -NX_EPERM;
    }
    const uint32_t slot = cap_free_slot(&self->caps);
    if (slot == CAP_NO_SLOT) {
        return -NX_ENOSPC;
    }

    struct cap alias = *cap;
    alias.kind = CAP_ALIAS;
    alias.rights = NX_RIGHT_MAP;
    cap_place(&self->caps, slot, &alias);
    return slot;
}
