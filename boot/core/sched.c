/* SPDX-License-Identifier: Apache-2.0 */
#include "core/sched.h"

#include <string.h>

#include "core/checked.h"
#include "core/panic.h"

static struct {
    bool preemptive;
    struct task *current;
    struct task *queue[TASKS_MAX]; /* a ring: `count` tasks from `head` */
    unsigned head, count;
    uint64_t next_tick;
    uint64_t next_order;
    uint64_t nearest_deadline; /* of all waits; 0: unknown, compute it */
    uint64_t known_deadline;   /* the nearest deadline at the last sched_next_event */
} sched;

void sched_init(bool preemptive, uint64_t now_ticks)
{
    memset(&sched, 0, sizeof(sched));
    sched.preemptive = preemptive;
    sched.next_tick = now_ticks + SCHED_TICK_TICKS;
    sched.nearest_deadline = sched.known_deadline = DEADLINE_NEVER;
}

struct task *sched_current(void)
{
    return sched.current;
}

struct task *sched_trapped(void)
{
    if (sched.current != NULL) {
        return sched.current;
    }
    kernel_panic("trap from a task while none runs", 0);
}

struct task *sched_pick(void)
{
    if (sched.current == NULL && sched.count > 0) {
        sched.current = sched.queue[sched.head];
        sched.head = (sched.head + 1) % TASKS_MAX;
        sched.count--;
        sched.current->state = TASK_RUNNING;
    }
    return sched.current;
}

void sched_ready(struct task *task)
{
    if (sched.count == TASKS_MAX) {
        kernel_panic("the run queue overflows", task->pid);
    }
    task->state = TASK_READY;
    sched.queue[(sched.head + sched.count) % TASKS_MAX] = task;
    sched.count++;
}

bool sched_others_ready(void)
{
    return sched.count > 0;
}

struct task *sched_rotate(void)
{
    struct task *task = sched.current;
    sched.current = NULL;
    sched_ready(task);
    return sched_pick();
}

void sched_block(void)
{
    struct task *task = sched.current;
    task->state = TASK_BLOCKED;
    task->wait.order = sched.next_order++;
    sched.nearest_deadline = min_u64(sched.nearest_deadline, task->wait.deadline_ticks);
    sched.current = NULL;
}

void sched_end(void)
{
    sched.current->state = TASK_ZOMBIE;
    sched.current = NULL;
}

void sched_complete(struct task *task, int64_t answer)
{
    if (task->state != TASK_BLOCKED) {
        kernel_panic("wake of a task that does not wait", task->pid);
    }
    if (task->wait.deadline_ticks == sched.nearest_deadline && sched.nearest_deadline != DEADLINE_NEVER) {
        sched.nearest_deadline = 0;
    }
    task->wait = (struct task_wait){.kind = WAIT_NONE};
    task->frame.x[REG_A0] = (uint64_t)answer;
    sched_ready(task);
}

struct task *sched_first_waiter(enum wait_kind kind, uint32_t endpoint_id)
{
    struct task *first = NULL;
    for (struct task *task = task_after(NULL); task != NULL; task = task_after(task)) {
        const bool waits =
            task->state == TASK_BLOCKED && task->wait.kind == kind && task->wait.endpoint_id == endpoint_id;
        if (waits && (first == NULL || task->wait.order < first->wait.order)) {
            first = task;
        }
    }
    return first;
}

uint64_t sched_next_deadline(void)
{
    if (sched.nearest_deadline == 0) {
        sched.nearest_deadline = DEADLINE_NEVER;
        for (const struct task *task = task_after(NULL); task != NULL; task = task_after(task)) {
            if (task->state == TASK_BLOCKED) {
                sched.nearest_deadline = min_u64(sched.nearest_deadline, task->wait.deadline_ticks);
            }
        }
    }
    return sched.nearest_deadline;
}

struct task *sched_overdue(uint64_t now_ticks)
{
    if (sched_next_deadline() > now_ticks) {
        return NULL;
    }
    struct task *task = task_after(NULL);
    while (task != NULL && (task->state != TASK_BLOCKED || task->wait.deadline_ticks > now_ticks)) {
        task = task_after(task);
    }
    return task;
}

void sched_tick(uint64_t now_ticks)
{
    if (!sched.preemptive || now_ticks < sched.next_tick) {
        return;
    }
    sched.next_tick += (now_ticks - sched.next_tick) / SCHED_TICK_TICKS * SCHED_TICK_TICKS + SCHED_TICK_TICKS;
    if (sched.current != NULL && sched_others_ready()) {
        (void)sched_rotate();
    }
}

uint64_t sched_next_event(void)
{
    sched.known_deadline = sched_next_deadline();
    return sched.preemptive && sched.current != NULL ? min_u64(sched.known_deadline, sched.next_tick)
                                                     : sched.known_deadline;
}

bool sched_need_resched(const struct task *trapped)
{
    return sched.current != trapped || sched.nearest_deadline != sched.known_deadline;
}
