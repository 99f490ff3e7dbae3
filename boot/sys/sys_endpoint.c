/* SPDX-License-Identifier: Apache-2.0 */
/* Endpoints: create, create_for, close (K-56, K-57, K-62). */
#include "core/endpoint.h"
#include "sys/handlers.h"

/* The call that created endpoints before factories existed: always refused. */
int64_t sys_endpoint_create_old(struct task *self, const uint64_t *args)
{
    (void)self;
    (void)args;
    return -NX_EPERM;
}

/* Checks the depth, then the factory. */
static int64_t check_create(const struct task *self, uint64_t factory, uint64_t depth)
{
    if (depth < 1 || depth > NX_EP_DEPTH_MAX) {
        return -NX_EINVAL;
    }
    return cap_find_kind(&self->caps, factory, CAP_FACTORY, NX_RIGHT_MANAGE) == NULL ? -NX_EPERM : 0;
}

static int64_t create(struct task *self, uint32_t owner, uint32_t depth)
{
    struct cap cap = {.kind = CAP_ENDPOINT, .rights = NX_RIGHT_SEND | NX_RIGHT_RECV | NX_RIGHT_MANAGE};
    const uint32_t slot = cap_free_slot(&self->caps);
    if (slot == CAP_NO_SLOT || !ep_create(owner, depth, &cap.object)) {
        return -NX_ENOSPC;
    }
    cap_place(&self->caps, slot, &cap);
    return slot;
}

/* ipc_endpoint_create(factory, depth) */
int64_t sys_endpoint_create(struct task *self, const uint64_t *args)
{
    const int64_t refusal = check_create(self, args[0], args[1]);
    return refusal != 0 ? refusal : create(self, self->pid, (uint32_t)args[1]);
}

/* ipc_endpoint_create_for(factory, pid, depth): owned by a child, held by the caller. The child may have
 * ended if it was not waited for; its endpoint then never closes (K-62). */
int64_t sys_endpoint_create_for(struct task *self, const uint64_t *args)
{
    const int64_t refusal = check_create(self, args[0], args[2]);
    if (refusal != 0) {
        return refusal;
    }
    const struct task *owner = task_find((uint32_t)args[1]);
    if (owner == NULL || (owner != self && owner->parent != self->pid)) {
        return -NX_EPERM;
    }
    return create(self, owner->pid, (uint32_t)args[2]);
}

/* Empties the slot even if the call is refused (K-57). */
int64_t sys_endpoint_close(struct task *self, const uint64_t *args)
{
    if (cap_find(&self->caps, args[0]) == NULL) {
        return -NX_EPERM;
    }
    const struct cap cap = cap_take(&self->caps, (uint32_t)args[0]);
    if (cap.kind != CAP_ENDPOINT || (cap.rights & NX_RIGHT_MANAGE) == 0) {
        return -NX_EPERM;
    }
    if (ep_find(cap.object) == NULL) {
        return -NX_ESRCH;
    }
    ipc_close(cap.object);
    return 0;
}
