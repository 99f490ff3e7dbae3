/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Executes programs on the host build of the kernel core: boots it, runs all actors through the rig, and
 * checks the kernel's tables (model_walk.c).
 */
#ifndef TESTS_MODEL_HOST_H
#define TESTS_MODEL_HOST_H

#include "model/model_run.h"

/* A boot to test. Its tables may be smaller than the revision's, so that they fill up; 0: the default. */
struct host_boot {
    const char *name; /* in a replay: "a2", "a2-small" */
    bool is_a1;
    uint32_t slots, ep_ids, regions, ep_owner;
    uint64_t arena_bytes;
};

/* Faults injected into the kernel, to test the test. */
enum host_fault {
    FAULT_NONE,
    FAULT_ALIAS_IS_WRITABLE, /* share_ro returns the VMO itself */
    FAULT_MOVE_KEEPS,        /* the sender keeps a moved capability */
    FAULT_UNMAP_KEEPS,       /* an unmapped page stays mapped */
    FAULT_FREES_ROOT,        /* an unmap frees the root page table; a crash follows */
    HOST_FAULTS
};

/* Answers counted by kind: success, each errno, or the end of the actor by exit or fault. */
#define HOST_ERRNOS 40
#define HOST_ENDED (HOST_ERRNOS - 1)
struct host_counts {
    uint64_t answers[OP_KINDS][HOST_ERRNOS];
};

struct host {
    enum host_fault fault;
    uint32_t check_every;       /* operations between two checks of the kernel's tables */
    struct host_counts *counts; /* or NULL */
    void (*trace)(const struct model_op *op, const struct model_answer *answer); /* or NULL */

    /* private */
    uint32_t since_check;
};

/* The model's limits for this boot. */
struct model_limits host_limits(const struct host_boot *boot);

/* Boots, sets up, runs the program and shuts down. Returns true if every answer and table was right, else the
 * reason in *result. A failed assertion of the rig ends the process. */
bool host_run_program(const struct host_boot *boot, struct host *host, struct model_run *run,
                      struct model_result *result);

/* Compares the kernel's tables with the model. Returns NULL if they agree, else the reason. */
const char *walk_check(const struct model *m);

#endif
