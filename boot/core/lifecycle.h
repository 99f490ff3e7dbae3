/* SPDX-License-Identifier: Apache-2.0 */
/* How tasks begin and end: init, exec, exit, fault, wait (K-10..K-17, K-58, K-60..K-65). */
#ifndef CORE_LIFECYCLE_H
#define CORE_LIFECYCLE_H

#include "core/audit.h"
#include "core/image.h"
#include "core/task.h"

enum lifecycle_status {
    LIFECYCLE_OK,
    LIFECYCLE_NO_MEMORY,      /* too large for the frames or the arena */
    LIFECYCLE_ARENA_UNMAPPED, /* a1: the image would cross the mapped arena (K-20) */
    LIFECYCLE_NO_TASK         /* no place for a task or an address space */
};

void lifecycle_init(void);

/* Counts one more address space against the boot's bound; false when the bound is reached (K-17). */
bool lifecycle_take_space(void);
uint64_t lifecycle_spaces_taken(void);

/* Init: pid 17, its image from the frames on both ages; ready. NULL when there is no room. */
struct task *lifecycle_start_init(const struct image *image, uint64_t bytes);

/* A child of `parent` out of a measured image; ready on a1, suspended on a2. */
enum lifecycle_status lifecycle_exec(const struct task *parent, const char *name, const struct image *image,
                                     uint64_t bytes, struct task **child);

/* Whether init has exited, faulted or is done, and how. Then the run is over: nothing is torn down here,
 * and no other task may run. */
bool lifecycle_init_is_over(enum audit_result *result, int64_t *status);

/* Init, which runs, has nothing more to do (K-65). The answer of its last call. */
int64_t lifecycle_init_done(int64_t status);

/* Ends the running task: closes what it owned, wakes whom that concerns. Init ends the run instead. */
void lifecycle_end(enum audit_end end, int64_t status);

/* Whether the task has a child that was not waited for. */
bool lifecycle_has_children(const struct task *parent);

/* The parent's ended child with that pid (0: its first by pid); NULL when there is none. */
struct task *lifecycle_ended_child(const struct task *parent, uint32_t pid);

/* Gives an ended child back: a1 of the parent becomes its status, the result is its pid. */
int64_t lifecycle_reap(struct task *parent, struct task *child);

#endif
