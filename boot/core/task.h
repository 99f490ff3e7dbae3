/* SPDX-License-Identifier: Apache-2.0 */
/* Tasks: identity, capabilities and wait state. */
#ifndef CORE_TASK_H
#define CORE_TASK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/aspace.h"
#include "core/cap.h"
#include "core/trap_frame.h"

#define TASKS_MAX 64
#define DEADLINE_NEVER UINT64_MAX /* in ticks */

enum task_state {
    TASK_FREE,      /* unused entry */
    TASK_SUSPENDED, /* a2: exec'd, not resumed yet */
    TASK_READY,     /* in the run queue */
    TASK_RUNNING,
    TASK_BLOCKED, /* see struct task_wait */
    TASK_ZOMBIE   /* ended, not waited for */
};

enum wait_kind { WAIT_NONE, WAIT_SEND, WAIT_RECV, WAIT_CHILD };

/* The target of a receive: user addresses, checked at the call and again at delivery. */
struct recv_target {
    uint64_t hdr_va, buf_va, max;
    uint64_t sender_id_va; /* 0: not wanted */
    bool truncate;
};

/* The event that a blocked task waits for. The waker finishes the call: it writes a0 and the results. */
struct task_wait {
    enum wait_kind kind;
    uint32_t endpoint_id;      /* send, receive */
    uint64_t deadline_ticks;   /* DEADLINE_NEVER without one */
    uint64_t order;            /* the task that blocked first is served first */
    struct recv_target target; /* receive */
    uint64_t message_pa;       /* send: captured at the call, not queued yet */
    uint32_t move_slot;        /* send: slot of the capability to move; CAP_NO_SLOT if none */
    uint32_t child_pid;        /* child: 0 for any */
};

struct task {
    /* arch reads and writes this while the task runs */
    struct trap_frame frame;

    /* constant after creation */
    uint32_t pid, parent;
    char name[NX_NAME_MAX + 1];
    uint64_t sender_id; /* K-59 */
    struct aspace *space;

    /* core/sched and core/ipc */
    enum task_state state;
    struct task_wait wait;

    /* core/lifecycle */
    int64_t end_status;

    /* sys; the table is last because it is long */
    uint64_t last_call;
    uint64_t yields; /* consecutive, with no other call in between */
    struct cap_table caps;
};

void task_init(void);

/* Creates a suspended task with the next pid; NULL if the table is full. */
struct task *task_create(uint32_t parent, const char *name);

/* Frees a zombie's entry. The caller destroys its address space first. */
void task_release(struct task *task);

/* Iterates over all tasks, zombies included: task_after(NULL) is the first, NULL ends the list. */
struct task *task_after(const struct task *task);

/* The task with this pid, zombies included, or NULL. */
struct task *task_find(uint64_t pid);

/* Likewise, zombies excluded. */
struct task *task_find_live(uint64_t pid);

/* The capability table that a transfer to this pid goes to: that of a live task, or of one of the kernel's
 * own tasks, which have the pids below NX_PID_INIT (K-10). NULL for any other pid. */
struct cap_table *task_receiver(uint64_t pid);

static inline bool task_is_live(const struct task *task)
{
    return task->state != TASK_FREE && task->state != TASK_ZOMBIE;
}

uint32_t task_count_live(void);
bool task_table_is_full(void);

/* Counts the slots of all tasks, the kernel's own included, that hold this VMO or an alias of it. */
uint32_t task_count_vmo_caps(uint32_t vmo_id);

#endif
