/* SPDX-License-Identifier: Apache-2.0 */
/* yield, nsec, getpid; and how a finished init ends the run (K-65). */
#include "core/lifecycle.h"
#include "core/port.h"
#include "core/sched.h"
#include "sys/handlers.h"

#define DONE_YIELDS 1000u
#define QUIET_TURNS 16u /* yields that a failed init grants to tasks that do not yield */

static bool another_yielded; /* since init's last yield */
static unsigned quiet_turns; /* consecutive yields of init without a yield of another task in between */

/*
 * True if init's yield is its last (docs/abi.md, section 8): no other task lives, or init failed and no
 * other task yields. A task that polls yields and ends by its own exit. A task that spins, blocks or is
 * suspended does not yield, so init does not wait for it.
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
