/* SPDX-License-Identifier: Apache-2.0 */
/* ipc_send, ipc_recv, ipc_recv_v2: the checks of K-51, K-54 and K-59. */
#include "core/config.h"
#include "core/endpoint.h"
#include "core/usercopy.h"
#include "sys/handlers.h"

/* K-54: the refusal to move the capability in a slot, or 0. a2 looks whether an endpoint is still open. */
static int64_t check_move(const struct task *self, uint32_t slot)
{
    const struct cap *cap = cap_find(&self->caps, slot);
    if (cap == NULL || cap->kind == CAP_FACTORY || (cap->rights & NX_RIGHT_MANAGE) != 0) {
        return -NX_EPERM;
    }
    const bool closed = cap->kind == CAP_ENDPOINT && ep_find(cap->object) == NULL;
    return closed && the_facts.moves_open_endpoints ? -NX_ESRCH : 0;
}

/* ipc_send(slot, hdr, buf, len, flags, deadline_ns) */
int64_t sys_ipc_send(struct task *self, const uint64_t *args)
{
    struct nx_ipc_hdr hdr;
    struct user_range from, payload;
    const uint64_t len = args[3], flags = args[4];
    if (!user_range_check(self, args[1], sizeof(hdr), NX_PROT_READ, &from) || len > the_facts.ipc_max_bytes ||
        !user_range_check(self, args[2], len, NX_PROT_READ, &payload) ||
        (flags & ~(uint64_t)NX_IPC_NONBLOCK) != 0) {
        return -NX_EINVAL;
    }
    const struct cap *cap = cap_find_kind(&self->caps, args[0], CAP_ENDPOINT, NX_RIGHT_SEND);
    if (cap == NULL) {
        return -NX_EPERM;
    }
    user_read(&from, 0, &hdr, sizeof(hdr));
    if (hdr.len != len) {
        return -NX_EINVAL;
    }
    const bool moves = (hdr.flags & NX_IPC_HDR_CAP_MOVE) != 0;
    const int64_t refusal = moves ? check_move(self, hdr.src) : 0;
    if (refusal != 0) {
        return refusal;
    }

    const struct ipc_send send = {.endpoint_id = cap->object,
                                  .type = hdr.type,
                                  .flags = hdr.flags,
                                  .len = hdr.len,
                                  .payload = &payload,
                                  .move_slot = moves ? hdr.src : CAP_NO_SLOT,
                                  .nonblock = (flags & NX_IPC_NONBLOCK) != 0,
                                  .deadline_ns = args[5]};
    return ipc_send(self, &send);
}

/* The common part of both receives. Checks the pointers, the flags, then the slot. */
static int64_t receive(struct task *self, uint64_t slot, struct recv_target *target, uint64_t flags,
                       uint64_t known_flags, uint64_t deadline_ns)
{
    struct recv_ranges ranges;
    if (!ipc_check_target(self, target, target->max, &ranges) || (flags & ~known_flags) != 0) {
        return -NX_EINVAL;
    }
    const struct cap *cap = cap_find_kind(&self->caps, slot, CAP_ENDPOINT, NX_RIGHT_RECV);
    if (cap == NULL) {
        return -NX_EPERM;
    }

    target->truncate = (flags & NX_IPC_TRUNCATE) != 0;
    const struct ipc_recv recv = {.endpoint_id = cap->object,
                                  .target = target,
                                  .ranges = &ranges,
                                  .nonblock = (flags & NX_IPC_NONBLOCK) != 0,
                                  .deadline_ns = deadline_ns};
    return ipc_recv(self, &recv);
}

/* ipc_recv(slot, hdr, buf, max, flags, deadline_ns) */
int64_t sys_ipc_recv(struct task *self, const uint64_t *args)
{
    struct recv_target target = {.hdr_va = args[1], .buf_va = args[2], .max = args[3]};
    return receive(self, args[0], &target, args[4], the_facts.recv_flags, args[5]);
}

/* ipc_recv_v2(desc). The reserved words are not looked at (K-59), and EOF is not known (K-52). */
int64_t sys_ipc_recv_v2(struct task *self, const uint64_t *args)
{
    struct nx_ipc_recv_v2 desc;
    struct user_range range;
    if (!user_range_check(self, args[0], sizeof(desc), NX_PROT_READ, &range)) {
        return -NX_EINVAL;
    }
    user_read(&range, 0, &desc, sizeof(desc));
    if (desc.magic != NX_IPC_V2_MAGIC || desc.version != NX_IPC_V2_VERSION ||
        desc.max > the_facts.ipc_max_bytes || desc.sender_id == 0) {
        return -NX_EINVAL;
    }
    struct recv_target target = {
        .hdr_va = desc.hdr, .buf_va = desc.buf, .max = desc.max, .sender_id_va = desc.sender_id};
    return receive(self, desc.slot, &target, desc.flags, the_facts.recv_flags & ~(uint64_t)NX_IPC_EOF,
                   desc.deadline_ns);
}
