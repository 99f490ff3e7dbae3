/* SPDX-License-Identifier: Apache-2.0 */
/* yield, nsec, getpid; and how a finished init ends the run (K-65). */
#include "core/lifecycle.h"
#include "core/port.h"
#include "core/sched.h"
#include "sys/handlers.h"

#define DONE_YIELDS 1000u

int64_t sys_yield(struct task *self, const uint64_t *args)
{
    self->yields++;
    if (self->pid == NX_PID_INIT && self->yields >= DONE_YIELDS && task_count_live() == 1)
        return lifecycle_init_done((int64_t)args[0]);
    return sched_rotate()->pid;
}

int64_t sys_nsec(struct task *self, const uint64_t *args)
{
    (void)self;
    (void)args;
    return (int64_t)(port_ticks() * NS_PER_TICK);
}

int64_t sys_getpid(struct task *self, const uint64_t *args)
{
    (void)args;
    return self->pid;
}
