/* SPDX-License-Identifier: Apache-2.0 */
/* Capabilities: transfer, close, clone, query (K-31, K-40, K-41). */
#include "core/grant.h"
#include "core/usercopy.h"
#include "sys/handlers.h"

#define KIND_VMO 1 /* in struct nx_cap_info */

/* Checks receiver, capability and rights, and fills *copy. NULL on refusal, which is always -1. The kernel
 * looks at 32 bits of the pid and of the rights (K-40). */
static struct cap_table *check_transfer(const struct task *self, const uint64_t *args, struct cap *copy)
{
    const uint32_t rights = (uint32_t)args[2];
    struct cap_table *to = task_receiver((uint32_t)args[0]);
    const struct cap *cap = cap_find(&self->caps, args[1]);
    if (to == NULL || cap == NULL || cap->kind == CAP_FACTORY) {
        return NULL;
    }
    if ((rights & NX_RIGHT_MANAGE) != 0 || (rights & ~(uint32_t)cap->rights) != 0) {
        return NULL;
    }
    *copy = *cap;
    copy->rights = (uint8_t)rights;
    return to;
}

static int64_t transfer(const struct task *self, uint64_t pid, struct cap_table *to, uint32_t slot,
                        const struct cap *copy)
{
    cap_place(to, slot, copy);
    grant_report(self->pid, (uint32_t)pid, AUDIT_GRANT_TRANSFER, slot, copy);
    return slot;
}

/* cap_transfer(pid, slot, rights): to the receiver's lowest free slot. */
int64_t sys_cap_transfer(struct task *self, const uint64_t *args)
{
    struct cap copy;
    struct cap_table *to = check_transfer(self, args, &copy);
    const uint32_t slot = to == NULL ? CAP_NO_SLOT : cap_free_slot(to);
    if (slot == CAP_NO_SLOT) {
        return -NX_EPERM;
    }
    return transfer(self, args[0], to, slot, &copy);
}

/* cap_transfer_to(pid, slot, rights, dst): to a slot of the sender's choice, which must be free. */
int64_t sys_cap_transfer_to(struct task *self, const uint64_t *args)
{
    struct cap copy;
    struct cap_table *to = check_transfer(self, args, &copy);
    if (to == NULL || !cap_slot_exists(args[3]) || cap_find(to, args[3]) != NULL) {
        return -NX_EPERM;
    }
    return transfer(self, args[0], to, (uint32_t)args[3], &copy);
}

int64_t sys_cap_close(struct task *self, const uint64_t *args)
{
    if (cap_find(&self->caps, args[0]) == NULL) {
        return -NX_EPERM;
    }
    (void)cap_take(&self->caps, (uint32_t)args[0]);
    return 0;
}

int64_t sys_cap_clone(struct task *self, const uint64_t *args)
{
    const struct cap *cap = cap_find(&self->caps, args[0]);
    if (cap == NULL || cap->kind == CAP_FACTORY) {
        return -NX_EPERM;
    }
    const uint32_t slot = cap_free_slot(&self->caps);
    if (slot == CAP_NO_SLOT) {
        return -NX_ENOSPC;
    }
    cap_place(&self->caps, slot, cap);
    return slot;
}

/* cap_query(slot, out): checks the pointer first (K-31). */
int64_t sys_cap_query(struct task *self, const uint64_t *args)
{
    struct user_range out;
    if (!user_range_check(self, args[1], sizeof(struct nx_cap_info), NX_PROT_WRITE, &out)) {
        return -NX_EINVAL;
    }
    const struct cap *cap = cap_find_kind(&self->caps, args[0], CAP_VMO, NX_RIGHT_MAP);
    if (cap == NULL) {
        return -NX_EPERM;
    }

    const struct nx_cap_info info = {.kind = KIND_VMO, .base_pa = cap->base_pa, .size_bytes = cap->bytes};
    user_write(&out, 0, &info, sizeof(info));
    return 0;
}
