/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who runs: a first-in first-out queue of ready tasks. On a1 a task runs until it yields, blocks or
 * ends; on a2 a tick every 10 ms sends it to the tail (K-16).
 */
#ifndef CORE_SCHED_H
#define CORE_SCHED_H

#include "core/port.h"
#include "core/task.h"

#define SCHED_TICK_TICKS (10 * TICKS_PER_MS)

void sched_init(bool preemptive, uint64_t now_ticks);

/* The running task; NULL between its stop and sched_pick. */
struct task *sched_current(void);

/* Likewise, for a trap out of a task: panics when none runs. */
struct task *sched_trapped(void);

/* Keeps the running task or takes the next ready one; NULL when all wait. */
struct task *sched_pick(void);

/* Makes a suspended or blocked task ready, at the tail of the queue. */
void sched_ready(struct task *task);

bool sched_others_ready(void);

/* The running task goes to the tail; gives the task that runs now (perhaps the same). */
struct task *sched_rotate(void);

/* The running task stops running and waits as its `wait` says. */
void sched_block(void);

/* The running task stops running and is a zombie. */
void sched_end(void);

/* Ends a blocked task's wait with this answer. */
void sched_complete(struct task *task, int64_t answer);

/* The blocked sender or receiver that has waited longest on this endpoint; NULL when there is none. */
struct task *sched_first_waiter(enum wait_kind kind, uint32_t endpoint_id);

/* The nearest deadline of a blocked task, DEADLINE_NEVER when there is none. */
uint64_t sched_next_deadline(void);

/* Some blocked task whose deadline has passed; NULL when there is none. */
struct task *sched_overdue(uint64_t now_ticks);

/* The tick: on a2 sends the running task to the tail when its time has come. */
void sched_tick(uint64_t now_ticks);

/* When the timer must fire for a deadline or the tick; DEADLINE_NEVER when for neither. */
uint64_t sched_next_event(void);

/* Whether a call of this task, which was running, changed who runs or, as far as a call can, the next
 * event. Computed from both, so that no call has to say what it did. */
bool sched_need_resched(const struct task *trapped);

#endif
