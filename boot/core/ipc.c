/* SPDX-License-Identifier: Apache-2.0 */
#include "core/ipc.h"

#include <string.h>

#include "core/audit.h"
#include "core/checked.h"
#include "core/endpoint.h"
#include "core/grant.h"
#include "core/port.h"
#include "core/sched.h"

static uint64_t deadline_ticks(uint64_t deadline_ns)
{
    if (deadline_ns == 0) {
        return DEADLINE_NEVER;
    }
    return deadline_ns / NS_PER_TICK + (deadline_ns % NS_PER_TICK != 0);
}

int64_t ipc_block(struct task *self)
{
    if (!sched_others_ready()) {
        audit_hazard(self->pid, self->last_call, "K-55", "blocks-alone");
        if (self->wait.deadline_ticks == DEADLINE_NEVER && sched_next_deadline() == DEADLINE_NEVER) {
            self->wait = (struct task_wait){.kind = WAIT_NONE};
            return -NX_EINVAL;
        }
    }
    sched_block();
    return ANSWER_LATER;
}

void ipc_cancel(struct task *task, int64_t answer)
{
    if (task->wait.kind == WAIT_SEND) {
        message_free(task->wait.message_pa);
    }
    sched_complete(task, answer);
}

/* Reports a received message and its capability to the audit. */
static void report(const struct task *to, uint32_t slot, struct message *message)
{
    size_t n = 0;
    const uint8_t *head = message_chunk(message, 0, &n);
    const struct audit_msg record = {.from = message->from,
                                     .to = to->pid,
                                     .len = message->len,
                                     .type = message->type,
                                     .flags = message->flags,
                                     .moved = message->moved.kind,
                                     .head_bytes = (uint8_t)min_u64(n, AUDIT_MSG_HEAD_BYTES),
                                     .sent = message->sent,
                                     .head = head};
    audit_msg(&record);
    if (message->moved.kind != CAP_NONE) {
        grant_report(message->from, to->pid, AUDIT_GRANT_MOVE, slot, &message->moved);
    }
}

bool ipc_check_target(const struct task *task, const struct recv_target *target, uint64_t bytes,
                      struct recv_ranges *ranges)
{
    const uint64_t id_bytes = target->sender_id_va == 0 ? 0 : sizeof(uint64_t);
    return user_range_check(task, target->hdr_va, NX_IPC_HDR_BYTES, NX_PROT_WRITE, &ranges->hdr) &&
           user_range_check(task, target->buf_va, bytes, NX_PROT_WRITE, &ranges->buf) &&
           user_range_check(task, target->sender_id_va, id_bytes, NX_PROT_WRITE, &ranges->sender_id);
}

static void copy_payload(const struct user_range *buf, struct message *message, uint64_t bytes)
{
    size_t part;
    for (uint64_t done = 0; done < bytes; done += part) {
        const uint8_t *from = message_chunk(message, (uint32_t)done, &part);
        part = (size_t)min_u64(part, bytes - done);
        user_write(buf, done, from, part);
    }
}

/* Delivers the endpoint's first message and returns the receiver's answer. A refusal leaves the message
 * queued. `ranges` is NULL for a receiver that has waited: its mappings may have changed, so its target is
 * checked again. */
static int64_t deliver(struct task *to, const struct recv_target *target, const struct recv_ranges *ranges,
                       struct endpoint *ep)
{
    struct recv_ranges now;
    struct message *message = port_ptr(ep_first(ep));
    const bool fits = message->len <= target->max || target->truncate;
    const uint64_t bytes = fits ? min_u64(message->len, target->max) : 0;
    uint32_t slot = 0;
    if (message->moved.kind != CAP_NONE) {
        slot = cap_free_slot(&to->caps);
        if (slot == CAP_NO_SLOT) {
            return -NX_ENOSPC; /* K-54 */
        }
    }
    if (ranges == NULL) {
        if (!ipc_check_target(to, target, bytes, &now)) {
            return -NX_EINVAL;
        }
        ranges = &now;
    }

    const uint64_t message_pa = ep_pop(ep);
    const struct nx_ipc_hdr hdr = {.src = slot,
                                   .dst = message->from,
                                   .type = message->type,
                                   .flags = message->flags,
                                   .len = message->len};
    user_write(&ranges->hdr, 0, &hdr, sizeof(hdr));
    user_write(&ranges->sender_id, 0, &message->sender_id, ranges->sender_id.len);
    copy_payload(&ranges->buf, message, bytes);
    if (message->moved.kind != CAP_NONE) {
        cap_place(&to->caps, slot, &message->moved);
    }
    report(to, slot, message);
    message_free(message_pa);
    return fits || target->max == 0 ? (int64_t)bytes : -NX_EINVAL; /* K-53 */
}

/* Queues a captured message. The capability stays in the sender's table until now (K-54). */
static void enqueue(struct task *from, struct endpoint *ep, uint64_t message_pa, uint32_t move_slot)
{
    struct message *message = port_ptr(message_pa);
    if (move_slot != CAP_NO_SLOT) {
        message->moved = cap_take(&from->caps, move_slot);
    }
    ep_push(ep, message_pa);
}

/* Finishes a blocked send: the queue has room again, but the budget may be exhausted by now. */
static void finish_send(struct task *sender, struct endpoint *ep)
{
    const struct message *message = port_ptr(sender->wait.message_pa);
    const uint32_t len = message->len;
    if (!ep_budget_allows(sender->wait.endpoint_id, len)) {
        ipc_cancel(sender, -NX_ENOSPC);
        return;
    }
    enqueue(sender, ep, sender->wait.message_pa, sender->wait.move_slot);
    sched_complete(sender, (int64_t)len);
}

/* Wakes waiting tasks until none can proceed. Each round ends one task's wait, so the loop terminates. */
static void serve(uint32_t endpoint_id)
{
    struct endpoint *ep = ep_find(endpoint_id);
    for (;;) {
        struct task *receiver = sched_first_waiter(WAIT_RECV, endpoint_id);
        struct task *sender = sched_first_waiter(WAIT_SEND, endpoint_id);
        if (receiver != NULL && ep_first(ep) != 0) {
            const struct recv_target target = receiver->wait.target;
            sched_complete(receiver, deliver(receiver, &target, NULL, ep));
        } else if (sender != NULL && !ep_is_full(ep)) {
            finish_send(sender, ep);
        } else {
            return;
        }
    }
}

/* Copies the payload from the sender's memory into a new message; 0 if frames run short. */
static uint64_t capture(const struct task *self, const struct ipc_send *send)
{
    const uint64_t pa = message_alloc(send->len);
    if (pa == 0) {
        return 0;
    }
    struct message *message = port_ptr(pa);
    message->from = self->pid;
    message->sender_id = self->sender_id;
    message->type = send->type;
    message->flags = send->flags;
    size_t part;
    for (uint32_t done = 0; done < send->len; done += (uint32_t)part) {
        uint8_t *to = message_chunk(message, done, &part);
        user_read(send->payload, done, to, part);
    }
    audit_sent(self->pid, &message->sent);
    return pa;
}

int64_t ipc_send(struct task *self, const struct ipc_send *send)
{
    struct endpoint *ep = ep_find(send->endpoint_id);
    const uint64_t deadline = deadline_ticks(send->deadline_ns);
    if (!ep_budget_allows(send->endpoint_id, send->len)) {
        return -NX_ENOSPC; /* K-52: at once, blocking or not; before a closed endpoint (K-51) */
    }
    if (ep == NULL) {
        return -NX_ESRCH; /* K-57 */
    }
    if (ep_is_full(ep) && send->nonblock) {
        return -NX_EAGAIN;
    }
    if (ep_is_full(ep) && deadline <= port_ticks()) {
        return -NX_ETIMEDOUT;
    }
    const uint64_t message_pa = capture(self, send);
    if (message_pa == 0) {
        return -NX_ENOMEM;
    }

    if (!ep_is_full(ep)) {
        enqueue(self, ep, message_pa, send->move_slot);
        serve(send->endpoint_id);
        return (int64_t)send->len;
    }
    self->wait = (struct task_wait){.kind = WAIT_SEND,
                                    .endpoint_id = send->endpoint_id,
                                    .deadline_ticks = deadline,
                                    .message_pa = message_pa,
                                    .move_slot = send->move_slot};
    const int64_t answer = ipc_block(self);
    if (answer != ANSWER_LATER) {
        message_free(message_pa);
    }
    return answer;
}

int64_t ipc_recv(struct task *self, const struct ipc_recv *recv)
{
    struct endpoint *ep = ep_find(recv->endpoint_id);
    const uint64_t deadline = deadline_ticks(recv->deadline_ns);
    if (ep == NULL) {
        return -NX_ESRCH; /* K-57, K-58: the queue was freed with it */
    }
    if (ep_first(ep) != 0) {
        const int64_t answer = deliver(self, recv->target, recv->ranges, ep);
        serve(recv->endpoint_id);
        return answer;
    }
    if (recv->nonblock) {
        return -NX_EAGAIN;
    }
    if (deadline <= port_ticks()) {
        return -NX_ETIMEDOUT;
    }
    self->wait = (struct task_wait){.kind = WAIT_RECV,
                                    .endpoint_id = recv->endpoint_id,
                                    .deadline_ticks = deadline,
                                    .target = *recv->target};
    return ipc_block(self);
}

void ipc_close(uint32_t endpoint_id)
{
    ep_close(endpoint_id);
    static const enum wait_kind kinds[] = {WAIT_RECV, WAIT_SEND};
    for (unsigned i = 0; i < COUNT_OF(kinds); i++) {
        struct task *task;
        while ((task = sched_first_waiter(kinds[i], endpoint_id)) != NULL) {
            ipc_cancel(task, -NX_ESRCH);
        }
    }
}
