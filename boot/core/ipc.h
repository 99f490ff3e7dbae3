/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sending and receiving (K-50..K-54, K-57, K-58): performs what sys/ has decoded, blocks the caller
 * where it must, and finishes the calls of those it wakes.
 */
#ifndef CORE_IPC_H
#define CORE_IPC_H

#include "core/task.h"
#include "core/usercopy.h"

/* The answer of a call that is not over: its waker will write a0. No call answers this. */
#define ANSWER_LATER INT64_MIN

struct ipc_send {
    uint32_t endpoint_id;
    uint16_t type, flags; /* of the header, handed on as they are */
    uint32_t len;
    const struct user_range *payload; /* len bytes */
    uint32_t move_slot;               /* CAP_NO_SLOT without CAP_MOVE */
    bool nonblock;
    uint64_t deadline_ns; /* 0: none */
};

/* A receive's target, checked. */
struct recv_ranges {
    struct user_range hdr, buf, sender_id; /* sender_id is empty when it is not wanted */
};

struct ipc_recv {
    uint32_t endpoint_id;
    const struct recv_target *target;
    const struct recv_ranges *ranges; /* of target, for a message that is queued already */
    bool nonblock;
    uint64_t deadline_ns;
};

/* Makes *ranges out of a target of which `bytes` of the buffer will be written; false when the task could
 * not write there. */
bool ipc_check_target(const struct task *task, const struct recv_target *target, uint64_t bytes,
                      struct recv_ranges *ranges);

int64_t ipc_send(struct task *self, const struct ipc_send *send);
int64_t ipc_recv(struct task *self, const struct ipc_recv *recv);

/* Closes an endpoint; whoever is blocked on it gets -3. */
void ipc_close(uint32_t endpoint_id);

/* Ends the wait of a blocked task with this answer, and drops what it was about to send. */
void ipc_cancel(struct task *task, int64_t answer);

/*
 * Blocks the running task, whose `wait` is filled. K-55: when nothing else can run, the real kernels
 * spin into their storm guard; here that is a hazard, and an answer of -22 at once when no deadline
 * can end the wait of anyone.
 */
int64_t ipc_block(struct task *self);

#endif
