/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The executor over the kernel core that is built for the host: boots it, plays all actors by the rig, and
 * looks into the kernel's own tables (model_walk.c).
 */
#ifndef TESTS_MODEL_HOST_H
#define TESTS_MODEL_HOST_H

#include "model/model_run.h"

/* A boot to test: its tables may be smaller than the age's, so that they fill up. 0: the age's own. */
struct host_boot {
    const char *name; /* in a replay: "a2", "a2-small" */
    bool is_a1;
    uint32_t slots, ep_ids, regions, ep_owner;
    uint64_t arena_bytes;
};

/* A kernel that is wrong on purpose, for the test of the test. */
enum host_fault {
    FAULT_NONE,
    FAULT_ALIAS_IS_WRITABLE, /* share_ro gives the VMO itself */
    FAULT_MOVE_KEEPS,        /* a moved capability stays with its sender, too */
    FAULT_UNMAP_KEEPS,       /* an unmapped page can still be used */
    FAULT_FREES_ROOT,        /* unmapping gives the root page table back: a crash follows */
    HOST_FAULTS
};

/* How answers were: success, or by errno; or the actor ended (by exit, or by a fault). */
#define HOST_ERRNOS 40
#define HOST_ENDED (HOST_ERRNOS - 1)
struct host_counts {
    uint64_t answers[OP_KINDS][HOST_ERRNOS];
};

struct host {
    enum host_fault fault;
    uint32_t check_every;       /* so many operations the kernel's tables are looked at */
    struct host_counts *counts; /* or NULL */
    void (*trace)(const struct model_op *op, const struct model_answer *answer); /* or NULL */

    /* its own */
    uint32_t since_check;
};

/* What the model has to know of this boot. */
struct model_limits host_limits(const struct host_boot *boot);

/* Boots, makes the set-up, runs the program, ends the run. Whether all is well, and else why. A kernel that
 * panics or an assertion of the rig's that fails ends the process. */
bool host_run_program(const struct host_boot *boot, struct host *host, struct model_run *run,
                      struct model_result *result);

/* Whether the kernel's tables are what the model says; NULL, or why not. */
const char *walk_check(const struct model *m);

#endif
