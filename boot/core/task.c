/* SPDX-License-Identifier: Apache-2.0 */
#include "core/task.h"

#include <string.h>

#include "core/checked.h"

static struct task tasks[TASKS_MAX];
static struct task *tasks_end;                     /* no entry from here on was ever used */
static struct cap_table kernel_tasks[NX_PID_INIT]; /* K-10: by pid of the kernel's own */
static uint32_t next_pid;

void task_init(void)
{
    memset(tasks, 0, sizeof(tasks));
    tasks_end = tasks;
    memset(kernel_tasks, 0, sizeof(kernel_tasks));
    next_pid = NX_PID_INIT;
}

static struct task *free_place(void)
{
    for (struct task *task = tasks; task < tasks + TASKS_MAX; task++) {
        if (task->state == TASK_FREE) {
            return task;
        }
    }
    return NULL;
}

struct task *task_create(uint32_t parent, const char *name)
{
    struct task *task = free_place();
    if (task == NULL) {
        return NULL;
    }
    memset(task, 0, sizeof(*task));
    if (task == tasks_end) {
        tasks_end++;
    }
    task->state = TASK_SUSPENDED;
    task->pid = next_pid++;
    task->parent = parent;
    memcpy(task->name, name, min_u64(strlen(name), NX_NAME_MAX));
    return task;
}

void task_release(struct task *task)
{
    memset(task, 0, sizeof(*task));
}

struct task *task_after(const struct task *task)
{
    struct task *next = task == NULL ? tasks : tasks + (task - tasks) + 1;
    while (next < tasks_end && next->state == TASK_FREE) {
        next++;
    }
    return next < tasks_end ? next : NULL;
}

struct task *task_find(uint64_t pid)
{
    struct task *task = task_after(NULL);
    while (task != NULL && task->pid != pid) {
        task = task_after(task);
    }
    return task;
}

struct task *task_find_live(uint64_t pid)
{
    struct task *task = task_find(pid);
    return task != NULL && task_is_live(task) ? task : NULL;
}

struct cap_table *task_receiver(uint64_t pid)
{
    struct task *task = task_find_live(pid);
    if (pid < NX_PID_INIT) {
        return &kernel_tasks[pid];
    }
    return task == NULL ? NULL : &task->caps;
}

uint32_t task_count_live(void)
{
    uint32_t live = 0;
    for (const struct task *task = task_after(NULL); task != NULL; task = task_after(task)) {
        live += task_is_live(task);
    }
    return live;
}

bool task_table_is_full(void)
{
    return free_place() == NULL;
}

uint32_t task_count_vmo_caps(uint32_t vmo_id)
{
    uint32_t count = 0;
    for (unsigned pid = 0; pid < NX_PID_INIT; pid++) {
        count += cap_count_vmo(&kernel_tasks[pid], vmo_id);
    }
    for (const struct task *task = task_after(NULL); task != NULL; task = task_after(task)) {
        count += cap_count_vmo(&task->caps, vmo_id);
    }
    return count;
}
