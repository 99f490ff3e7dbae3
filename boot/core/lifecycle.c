/* SPDX-License-Identifier: Apache-2.0 */
#include "core/lifecycle.h"

#include <string.h>

#include "core/arena.h"
#include "core/config.h"
#include "core/endpoint.h"
#include "core/ipc.h"
#include "core/panic.h"
#include "core/sched.h"

static uint64_t spaces_taken;

/* How init ended. */
static struct {
    bool is_over;
    enum audit_result result;
    int64_t status;
} init_end;

void lifecycle_init(void)
{
    spaces_taken = 0;
    init_end.is_over = false;
}

bool lifecycle_init_is_over(enum audit_result *result, int64_t *status)
{
    *result = init_end.result;
    *status = init_end.status;
    return init_end.is_over;
}

static void init_is_over(enum audit_result result, int64_t status)
{
    init_end.is_over = true;
    init_end.result = result;
    init_end.status = status;
    sched_end();
}

int64_t lifecycle_init_done(int64_t status)
{
    init_is_over(AUDIT_DONE, status);
    return ANSWER_LATER;
}

bool lifecycle_take_space(void)
{
    if (!aspace_charge_space()) {
        return false;
    }
    spaces_taken++;
    return true;
}

uint64_t lifecycle_spaces_taken(void)
{
    return spaces_taken;
}

/* Builds a suspended task from an image. Sets pc, sp and gp (K-11); all other registers are 0. */
static struct task *build(uint32_t parent, const char *name, const struct image *image, uint64_t arena_pa,
                          enum region_kind kind)
{
    struct task *task = task_create(parent, name);
    if (task == NULL) {
        return NULL;
    }
    task->space = aspace_create(task->pid);
    if (task->space == NULL) {
        kernel_panic("no address space for a task", task->pid);
    }
    image_load(task->space, image, arena_pa, kind);
    task->frame.pc = image->plan->entry;
    task->frame.x[REG_SP] = NX_USER_SP;
    task->frame.x[REG_GP] = image->gp != 0 ? image->gp : image->plan->gp_default;
    audit_task(task->pid, parent, name);
    audit_image(task->pid, image->source, image->stack_pages, image->gp);
    return task;
}

struct task *lifecycle_start_init(const struct image *image, uint64_t bytes)
{
    if (!image_frames_fit(image, bytes, true)) {
        return NULL;
    }
    struct task *init = build(0, "init", image, 0, REGION_HIDDEN);
    if (init == NULL) {
        return NULL;
    }
    const struct cap bootstrap = {
        .kind = CAP_ENDPOINT, .rights = NX_RIGHT_SEND | NX_RIGHT_RECV, .object = EP_BOOTSTRAP};
    const struct cap factory = {.kind = CAP_FACTORY, .rights = NX_RIGHT_MANAGE};
    cap_place(&init->caps, NX_SLOT_BOOTSTRAP, &bootstrap);
    cap_place(&init->caps, NX_SLOT_FACTORY, &factory);
    aspace_start_tables();
    sched_ready(init);
    return init;
}

enum lifecycle_status lifecycle_exec(const struct task *parent, const char *name, const struct image *image,
                                     uint64_t bytes, struct task **child)
{
    const bool in_arena = the_facts.images_in_arena;
    uint64_t arena_pa = 0;
    if (task_table_is_full() || aspace_table_is_full()) {
        return LIFECYCLE_NO_TASK;
    }
    if (!image_frames_fit(image, bytes, !in_arena)) {
        return LIFECYCLE_NO_MEMORY;
    }
    if (in_arena) {
        const enum arena_status status = arena_take(bytes, &arena_pa);
        if (status != ARENA_OK) {
            return status == ARENA_UNMAPPED ? LIFECYCLE_ARENA_UNMAPPED : LIFECYCLE_NO_MEMORY;
        }
    }
    if (image_tables(image) > aspace_tables_left()) {
        return LIFECYCLE_NO_TABLES; /* the real kernel panics here, so the arena's bytes do not matter */
    }

    struct task *task = build(parent->pid, name, image, arena_pa, REGION_IMAGE);
    if (task == NULL) {
        return LIFECYCLE_NO_TASK;
    }
    cap_place(&task->caps, NX_SLOT_BOOTSTRAP, &parent->caps.slots[NX_SLOT_BOOTSTRAP]); /* K-14 */
    if (the_facts.child_starts_ready) {
        sched_ready(task);
    }
    *child = task;
    return LIFECYCLE_OK;
}

static bool is_blocked_forever(const struct task *task)
{
    return task->state == TASK_BLOCKED && task->wait.deadline_ticks == DEADLINE_NEVER;
}

static bool waits_for(const struct task *parent, const struct task *child)
{
    return parent->state == TASK_BLOCKED && parent->wait.kind == WAIT_CHILD &&
           (parent->wait.child_pid == 0 || parent->wait.child_pid == child->pid);
}

/*
 * K-61: a1 panics if a task ends while every other one is blocked, unless its parent waits for it. The caller
 * has closed the task's endpoints before, which wakes the tasks blocked on them. On a2, tasks without a
 * deadline hang: see unblock_all.
 */
static void record_lone_exit(const struct task *ended, uint64_t call)
{
    const struct task *parent = task_find_live(ended->parent);
    if (parent != NULL && waits_for(parent, ended)) {
        return;
    }
    if (the_facts.lone_exit_is_fatal && task_count_live() > 1 && !sched_others_ready()) {
        audit_hazard(ended->pid, call, "K-61", "ends-while-all-others-block");
    }
}

/* Ends every wait with -22 if no task can run and no deadline can change that. */
static void unblock_all(const struct task *ended, uint64_t call)
{
    if (sched_others_ready() || sched_next_deadline() != DEADLINE_NEVER) {
        return;
    }
    bool recorded = the_facts.lone_exit_is_fatal; /* record_lone_exit has recorded it */
    for (struct task *task = task_after(NULL); task != NULL; task = task_after(task)) {
        if (!is_blocked_forever(task)) {
            continue;
        }
        if (!recorded) {
            audit_hazard(ended->pid, call, "K-61", "ends-while-all-others-block");
        }
        recorded = true;
        ipc_cancel(task, -NX_EINVAL);
    }
}

void lifecycle_end(enum audit_end end, int64_t status)
{
    struct task *task = sched_current();
    const bool faulted = end == AUDIT_END_FAULT;
    const uint64_t call = faulted ? AUDIT_CALL_FAULT : task->last_call;
    audit_task_ended(task->pid, end, status);
    if (task->pid == NX_PID_INIT) {
        audit_hazard(task->pid, call, "K-65", faulted ? "init-faults" : "init-exits");
        init_is_over(faulted ? AUDIT_FAULTED : AUDIT_EXITED, status);
        return;
    }

    for (uint32_t id = ep_next_of_owner(task->pid, 0); id != 0; id = ep_next_of_owner(task->pid, id)) {
        ipc_close(id); /* K-58 */
    }
    record_lone_exit(task, call);
    cap_clear_all(&task->caps);
    task->end_status = status;
    sched_end();

    struct task *parent = task_find_live(task->parent);
    if (parent != NULL && waits_for(parent, task)) {
        if (faulted) {
            audit_hazard(parent->pid, parent->last_call, "K-60", "waits-for-a-faulted-child");
        }
        const int64_t pid = lifecycle_reap(parent, task);
        ipc_cancel(parent, pid);
        return;
    }
    unblock_all(task, call);
}

bool lifecycle_has_children(const struct task *parent)
{
    for (const struct task *task = task_after(NULL); task != NULL; task = task_after(task)) {
        if (task->parent == parent->pid) {
            return true;
        }
    }
    return false;
}

struct task *lifecycle_ended_child(const struct task *parent, uint32_t pid)
{
    struct task *first = NULL;
    for (struct task *task = task_after(NULL); task != NULL; task = task_after(task)) {
        const bool asked_for = task->parent == parent->pid && (pid == 0 || task->pid == pid);
        if (asked_for && task->state == TASK_ZOMBIE && (first == NULL || task->pid < first->pid)) {
            first = task;
        }
    }
    return first;
}

int64_t lifecycle_reap(struct task *parent, struct task *child)
{
    const int64_t pid = child->pid;
    parent->frame.x[REG_A1] = (uint64_t)child->end_status;
    aspace_destroy(child->space);
    audit_task_reaped(child->pid);
    task_release(child);
    return pid;
}
