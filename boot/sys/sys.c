/* SPDX-License-Identifier: Apache-2.0 */
/* The table of calls, and the dispatch of an ecall to its handler (K-01..K-05). */
#include "sys/handlers.h"

#include "core/audit.h"
#include "core/config.h"
#include "core/sched.h"
#include "core/storm.h"
#include "core/syscall.h"

/* The revisions that have a call, by their names in calls.def. */
enum { ON_A1 = 1, ON_A2 = 2, ON_BOTH = ON_A1 | ON_A2 };

/* K-02: the value of t0, t1 and t2 after a call on a1. Clobbered on purpose, to expose callers that rely on
 * them. */
#define CLOBBER UINT64_MAX

_Static_assert((int)ON_A1 == (int)REVISION_A1 && (int)ON_A2 == (int)REVISION_A2,
               "config_facts.calls must be a bit of this table");

static const struct call {
    unsigned revisions; /* 0: out of scope (K-05) */
    sys_handler *handler;
} calls[NX_SYS_COUNT] = {
#define NX_CALL(number, constant, name, revisions, arguments) [number] = {ON_##revisions, sys_##name},
#include "calls.def"
};

/* The calls of this boot. */
static struct {
    bool clobbers;
    sys_handler *handlers[NX_SYS_COUNT]; /* by number; sys_absent if the boot lacks the call */
} boot;

static int64_t sys_absent(struct task *self, const uint64_t *args)
{
    (void)self;
    (void)args;
    return -NX_ENOSYS;
}

void kernel_calls_init(void)
{
    const unsigned revision = the_facts.calls;
    boot.clobbers = the_facts.clobbers_temporaries;
    for (unsigned number = 0; number < NX_SYS_COUNT; number++) {
        const bool exists = (calls[number].revisions & revision) != 0;
        const bool present = exists && (the_config.without >> number & 1) == 0;
        boot.handlers[number] = present ? calls[number].handler : sys_absent;
    }
}

/* Returns the answer of the call, or ANSWER_LATER. */
static int64_t dispatch(struct task *self, uint64_t number, uint64_t pc)
{
    const enum storm_verdict verdict = storm_count(pc);
    if (verdict == STORM_BEGINS) {
        audit_hazard(self->pid, number, "K-03", "storm");
    }
    if (verdict != STORM_CALM) {
        return -NX_EINVAL;
    }
    if (number >= NX_SYS_COUNT) {
        return -NX_ENOSYS;
    }
    return boot.handlers[number](self, &self->frame.x[REG_A0]);
}

struct trap_frame *kernel_syscall(void)
{
    struct task *self = sched_trapped();
    const uint64_t number = self->frame.x[REG_A7];
    const uint64_t pc = self->frame.pc;
    self->frame.pc = pc + 4;
    self->last_call = number;
    if (number != NX_SYS_YIELD) {
        self->yields = 0;
    }
    if (boot.clobbers) {
        self->frame.x[REG_T0] = self->frame.x[REG_T1] = self->frame.x[REG_T2] = CLOBBER;
    }

    const int64_t answer = dispatch(self, number, pc);
    if (sched_need_resched(self)) {
        if (answer != ANSWER_LATER) {
            self->frame.x[REG_A0] = (uint64_t)answer;
        }
        return NULL;
    }
    self->frame.x[REG_A0] = (uint64_t)answer; /* not ANSWER_LATER: the task would have stopped */
    return &self->frame;
}
