/* SPDX-License-Identifier: Apache-2.0 */
/* yield, nsec, getpid; and how a finished init ends the run (K-65). */
#include "core/lifecycle.h"
#include "core/port.h"
#include "core/sched.h"
#include "sys/handlers.h"

#define DONE_YIELDS 1000u
#define QUIET_TURNS 16u /* what a failed init gives others that do not yield */

static bool another_yielded; /* since init last did */
static unsigned quiet_turns; /* in a row: init yielded, and no other task has since it yielded before */

/*
 * Whether init's yield is its last (docs/abi.md, section 8): it is alone, or it failed and nobody else
 * yields. A task that polls yields, and comes to its own end; one that spins, blocks or is suspended does
 * not.
 */
static bool is_last_yield(const struct task *init, uint64_t status)
{
    if (task_count_live() == 1) {
        return init->yields >= DONE_YIELDS;
    }
    quiet_turns = another_yielded || init->yields == QUIET_TURNS ? 0 : quiet_turns + 1;
    another_yielded = false;
    return status != 0 && quiet_turns >= QUIET_TURNS;
}

int64_t sys_yield(struct task *self, const uint64_t *args)
{
    self->yields++;
    if (self->pid != NX_PID_INIT) {
        another_yielded = true;
    } else if (self->yields >= QUIET_TURNS && is_last_yield(self, args[0])) {
        return lifecycle_init_done((int64_t)args[0]);
    }
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
