/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scheduler: a FIFO queue of ready tasks. On a1 a task runs until it yields, blocks or ends. On a2 a
 * tick every 10 ms moves it to the tail (K-16).
 */
#ifndef CORE_SCHED_H
#define CORE_SCHED_H

#include "core/port.h"
#include "core/task.h"

#define SCHED_TICK_TICKS (10 * TICKS_PER_MS)

void sched_init(bool preemptive, uint64_t now_ticks);

/* The running task; NULL after it stops, until sched_pick. */
struct task *sched_current(void);

/* Likewise, for a trap from a task: panics if no task runs. */
struct task *sched_trapped(void);

/* Keeps the running task or starts the next ready one. Returns it, or NULL if no task can run. */
struct task *sched_pick(void);

/* Makes a suspended or blocked task ready, at the tail of the queue. */
void sched_ready(struct task *task);

bool sched_others_ready(void);

/* Moves the running task to the tail. Returns the task that runs now, possibly the same. */
struct task *sched_rotate(void);

/* Blocks the running task, whose `wait` is set. */
void sched_block(void);

/* Makes the running task a zombie. */
void sched_end(void);

/* Ends a blocked task's wait with this answer. */
void sched_complete(struct task *task, int64_t answer);

/* The sender or receiver that has been blocked longest on this endpoint, or NULL. */
struct task *sched_first_waiter(enum wait_kind kind, uint32_t endpoint_id);

/* The nearest deadline of a blocked task; DEADLINE_NEVER if there is none. */
uint64_t sched_next_deadline(void);

/* A blocked task whose deadline has passed, or NULL. */
struct task *sched_overdue(uint64_t now_ticks);

/* On a2, moves the running task to the tail if its time slice is over. */
void sched_tick(uint64_t now_ticks);

/* The tick at which the timer must fire for a deadline or a time slice; DEADLINE_NEVER for neither. */
uint64_t sched_next_event(void);

/* True if the call of `trapped` changed the running task or the nearest deadline. Computed from the state,
 * so that no call has to report its effect. */
bool sched_need_resched(const struct task *trapped);

#endif
