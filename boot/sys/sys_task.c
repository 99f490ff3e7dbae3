/* SPDX-License-Identifier: Apache-2.0 */
/* exit, wait, wait_nohang, task_resume (K-16, K-60..K-63, K-65). */
#include "core/lifecycle.h"
#include "core/sched.h"
#include "sys/handlers.h"

/* exit(status): a status has 32 bits and is sign-extended (K-63). */
int64_t sys_exit(struct task *self, const uint64_t *args)
{
    (void)self;
    lifecycle_end(AUDIT_END_EXIT, (int32_t)(uint32_t)args[0]);
    return ANSWER_LATER;
}

/* wait(pid, or any when <= 0). The pid has 32 bits and a sign (K-63). */
int64_t sys_wait(struct task *self, const uint64_t *args)
{
    const int32_t asked = (int32_t)(uint32_t)args[0];
    const bool any = asked <= 0;
    if (!lifecycle_has_children(self)) {
        return -NX_ECHILD;
    }
    if (!any && (uint32_t)asked == self->pid) {
        return -NX_EINVAL;
    }
    const struct task *wanted = any ? NULL : task_find((uint32_t)asked);
    if (!any && (wanted == NULL || wanted->parent != self->pid)) {
        return -NX_ESRCH;
    }

    const uint32_t pid = any ? 0 : wanted->pid;
    struct task *ended = lifecycle_ended_child(self, pid);
    if (ended != NULL) {
        return lifecycle_reap(self, ended);
    }
    self->wait = (struct task_wait){.kind = WAIT_CHILD, .deadline_ticks = DEADLINE_NEVER, .child_pid = pid};
    return ipc_block(self);
}

/* Answers 0 without any child, too, as the real kernel's source does. */
int64_t sys_wait_nohang(struct task *self, const uint64_t *args)
{
    (void)args;
    self->frame.x[REG_A1] = 0;
    struct task *ended = lifecycle_ended_child(self, 0);
    return ended == NULL ? 0 : lifecycle_reap(self, ended);
}

int64_t sys_task_resume(struct task *self, const uint64_t *args)
{
    (void)self;
    struct task *task = task_find_live((uint32_t)args[0]);
    if (task == NULL || task->state != TASK_SUSPENDED) {
        return -NX_ESRCH;
    }
    sched_ready(task);
    return 0;
}
