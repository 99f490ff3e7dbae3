/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Performs the sends and receives that sys/ has decoded (K-50..K-54, K-57, K-58): blocks the caller if it
 * must wait, and finishes the calls of the tasks it wakes.
 */
#ifndef CORE_IPC_H
#define CORE_IPC_H

#include "core/task.h"
#include "core/usercopy.h"

/* Returned by a call that is not finished: the waker writes a0. No call has this answer. */
#define ANSWER_LATER INT64_MIN

struct ipc_send {
    uint32_t endpoint_id;
    uint16_t type, flags; /* of the header, passed on unchanged */
    uint32_t len;
    const struct user_range *payload; /* len bytes */
    uint32_t move_slot;               /* CAP_NO_SLOT without CAP_MOVE */
    bool nonblock;
    uint64_t deadline_ns; /* 0: none */
};

/* The checked ranges of a receive. */
struct recv_ranges {
    struct user_range hdr, buf, sender_id; /* sender_id is empty if it is not wanted */
};

struct ipc_recv {
    uint32_t endpoint_id;
    const struct recv_target *target;
    const struct recv_ranges *ranges; /* of target, used if a message is already queued */
    bool nonblock;
    uint64_t deadline_ns;
};

/* Checks a target of which `bytes` of the buffer will be written and fills *ranges. False if the task cannot
 * write there. */
bool ipc_check_target(const struct task *task, const struct recv_target *target, uint64_t bytes,
                      struct recv_ranges *ranges);

int64_t ipc_send(struct task *self, const struct ipc_send *send);
int64_t ipc_recv(struct task *self, const struct ipc_recv *recv);

/* Closes an endpoint. Tasks blocked on it get -3. */
void ipc_close(uint32_t endpoint_id);

/* Ends a blocked task's wait with this answer and frees the message it was about to send. */
void ipc_cancel(struct task *task, int64_t answer);

/*
 * Blocks the running task, whose `wait` is set. K-55: if no other task can run, the real kernels spin until
 * their storm guard fires. Here that is a hazard, and the call answers -22 at once if no waiting task has a
 * deadline.
 */
int64_t ipc_block(struct task *self);

#endif
