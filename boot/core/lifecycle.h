/* SPDX-License-Identifier: Apache-2.0 */
/* Starts and ends tasks: init, exec, exit, fault, wait (K-10..K-17, K-58, K-60..K-65). */
#ifndef CORE_LIFECYCLE_H
#define CORE_LIFECYCLE_H

#include "core/audit.h"
#include "core/image.h"
#include "core/task.h"

enum lifecycle_status {
    LIFECYCLE_OK,
    LIFECYCLE_NO_MEMORY,      /* too large for the frames or the arena */
    LIFECYCLE_ARENA_UNMAPPED, /* a1: the image would cross the mapped arena (K-20) */
    LIFECYCLE_NO_TABLES,      /* a1: the image's page tables would exceed the kernel's heap (K-17) */
    LIFECYCLE_NO_TASK         /* the table of tasks or of address spaces is full */
};

void lifecycle_init(void);

/* Counts one more address space and its page tables; false if these would exceed the boot's (K-17). */
bool lifecycle_take_space(void);
uint64_t lifecycle_spaces_taken(void);

/* Creates init: pid 17, ready, its image in frames on both revisions. NULL if there is no room. */
struct task *lifecycle_start_init(const struct image *image, uint64_t bytes);

/* Creates a child of `parent` from a measured image; ready on a1, suspended on a2. */
enum lifecycle_status lifecycle_exec(const struct task *parent, const char *name, const struct image *image,
                                     uint64_t bytes, struct task **child);

/* True if init has exited, faulted or is done; sets the result and the status. The run is then over: no
 * other task may run. core/shutdown tears everything down. */
bool lifecycle_init_is_over(enum audit_result *result, int64_t *status);

/* Ends the run because init, the running task, is done (K-65). Returns the answer of its last call. */
int64_t lifecycle_init_done(int64_t status);

/* Ends the running task: closes its endpoints and wakes the tasks that wait for it. Ends the run if the task
 * is init. */
void lifecycle_end(enum audit_end end, int64_t status);

/* True if the task has a child that it has not waited for. */
bool lifecycle_has_children(const struct task *parent);

/* The parent's ended child with this pid, or for pid 0 the one with the lowest pid. NULL if there is none. */
struct task *lifecycle_ended_child(const struct task *parent, uint32_t pid);

/* Frees an ended child. Puts its status into register a1 of the parent and returns its pid. */
int64_t lifecycle_reap(struct task *parent, struct task *child);

#endif
