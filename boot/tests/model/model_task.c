/* SPDX-License-Identifier: Apache-2.0 */
/* Start and end of actors: K-10 to K-17, K-58 to K-63. */
#include <string.h>

#include "model/model_kind.h"

static bool is_there(const struct model_actor *actor)
{
    return actor->state != ACTOR_NEVER && actor->state != ACTOR_REAPED;
}

struct model_actor *actor_by_pid(struct model *m, uint64_t pid)
{
    for (unsigned i = 0; i < OP_ACTORS; i++) {
        if (is_there(&m->actors[i]) && m->actors[i].pid == pid) {
            return &m->actors[i];
        }
    }
    return NULL;
}

/* Every child's parent is init. */
bool is_child(const struct model *m, const struct model_actor *parent, const struct model_actor *actor)
{
    return parent == &m->actors[0] && actor != parent && is_there(actor);
}

bool has_children(const struct model *m, const struct model_actor *parent)
{
    for (unsigned i = 0; i < OP_ACTORS; i++) {
        if (is_child(m, parent, &m->actors[i])) {
            return true;
        }
    }
    return false;
}

void forget_registers(struct model_actor *actor)
{
    for (unsigned i = 0; i < OP_REGS; i++) {
        actor->reg[i] = 0;
        actor->slot_reg[i] = MODEL_NO_PID; /* beyond every table */
    }
}

/* ---- Start --------------------------------------------------------------------------------------------- */

static void step_spawn(struct turn *t)
{
    struct model *m = t->m;
    const uint32_t which = (uint32_t)t->args[0];
    struct model_actor *child = &m->actors[which];
    const struct model_cap *control = cap_seen(m, t->self, OP_CONTROL_SLOT + which - 1);
    if (t->guessing) {
        t->answer->a1 = OP_CHILD_CONTROL_SLOT;
    }
    if (!expect_a0(t, m->next_pid) ||
        !expect(t, t->answer->a1 == OP_CHILD_CONTROL_SLOT, "the control's slot")) {
        return;
    }
    memset(child, 0, sizeof(*child));
    child->state = m->limits.is_a1 ? ACTOR_LIVE : ACTOR_SUSPENDED;
    child->pid = m->next_pid++;
    child->space = space_new(m);
    forget_registers(child);
    if (!expect(t, child->space != MODEL_NONE, "the model has no room")) {
        return;
    }
    child->caps[NX_SLOT_BOOTSTRAP] = t->self->caps[NX_SLOT_BOOTSTRAP];
    child->caps[OP_CHILD_CONTROL_SLOT] = *control;
    if (!m->limits.is_a1) {
        return;
    }
    m->spaces_taken++;
    m->arena_used += m->limits.image_bytes;
    map_control(m, child);
}

static void step_exec(struct turn *t)
{
    expect_a0(t, -NX_EINVAL); /* K-13: a refusal; OP_SPAWN covers success */
    expect_memory_untouched(t);
}

static void step_resume(struct turn *t)
{
    struct model_actor *actor = actor_by_pid(t->m, (uint32_t)t->args[0]);
    if (actor == NULL || actor->state != ACTOR_SUSPENDED) {
        expect_a0(t, -NX_ESRCH);
        return;
    }
    if (!expect_a0(t, 0)) {
        return;
    }
    actor->state = ACTOR_LIVE;
    map_control(t->m, actor);
}

/* ---- End ----------------------------------------------------------------------------------------------- */

void actor_ends(struct turn *t, int64_t status)
{
    struct model_actor *self = t->self;
    if (t->guessing) {
        t->answer->ended = 1;
    }
    if (!expect(t, t->answer->ended != 0, "it did not end")) {
        return;
    }
    close_endpoints_of(t->m, self->pid);
    memset(self->caps, 0, sizeof(self->caps));
    self->state = ACTOR_ENDED;
    self->status = status;
}

static void step_exit(struct turn *t)
{
    actor_ends(t, (int32_t)(uint32_t)t->args[0]); /* K-63: sign-extended */
}

static void step_fault(struct turn *t)
{
    actor_ends(t, NX_TASK_FAULT_STATUS);
}

static struct model_actor *some_ended_child(struct model *m, const struct model_actor *parent)
{
    for (unsigned i = 0; i < OP_ACTORS; i++) {
        if (is_child(m, parent, &m->actors[i]) && m->actors[i].state == ACTOR_ENDED) {
            return &m->actors[i];
        }
    }
    return NULL;
}

static void reap(struct turn *t, struct model_actor *child)
{
    if (t->guessing) {
        t->answer->a0 = child->pid;
        t->answer->a1 = (uint64_t)child->status;
    }
    if (!expect(t, t->answer->a1 == (uint64_t)child->status, "the status")) {
        return;
    }
    child->state = ACTOR_REAPED;
    t->m->spaces[child->space].live = false;
}

/* The contract does not say which of several ended children is returned. */
static void reap_any(struct turn *t)
{
    struct model_actor *child =
        t->guessing ? some_ended_child(t->m, t->self) : actor_by_pid(t->m, (uint64_t)t->answer->a0);
    t->wanted = some_ended_child(t->m, t->self)->pid;
    if (expect(t, child != NULL && is_child(t->m, t->self, child) && child->state == ACTOR_ENDED,
               "not an ended child")) {
        reap(t, child);
    }
}

static void step_wait_nohang(struct turn *t)
{
    if (some_ended_child(t->m, t->self) != NULL) {
        reap_any(t);
    } else if (expect_a0(t, 0)) {
        expect(t, t->answer->a1 == 0, "a status without a child");
    }
}

/* In the order of K-63, with a pid of 32 bits and a sign. */
static void step_wait(struct turn *t)
{
    struct model *m = t->m;
    const int32_t pid = (int32_t)(uint32_t)t->args[0];
    struct model_actor *child = actor_by_pid(m, (uint32_t)pid);
    if (!has_children(m, t->self)) {
        expect_a0(t, -NX_ECHILD);
    } else if (pid <= 0) {
        reap_any(t);
    } else if ((uint32_t)pid == t->self->pid) {
        expect_a0(t, -NX_EINVAL);
    } else if (child == NULL || !is_child(m, t->self, child)) {
        expect_a0(t, -NX_ESRCH);
    } else if (expect_a0(t, child->pid)) {
        reap(t, child);
    }
}

/* ---- The kinds ----------------------------------------------------------------------------------------- */

static const struct model_kind kinds[] = {
    {.kind = OP_SPAWN,
     .revisions = ON_BOTH,
     .shown = 1,
     .step = step_spawn,
     .allows = allows_spawn,
     .make = make_spawn,
     .weights = {4, 4, 3, 3, 6, 20, 3, 3}},
    {.kind = NX_SYS_EXEC,
     .revisions = ON_BOTH,
     .shown = 3,
     .prepares = OP_PUTS_JUNK,
     .step = step_exec,
     .allows = allows_exec,
     .make = make_exec,
     .weights = {1, 1, 1, 1, 1, 2, 1, 1}},
    {.kind = NX_SYS_TASK_RESUME,
     .revisions = ON_A2,
     .shown = 1,
     .step = step_resume,
     .allows = allows_pid_in_a0,
     .make = make_of_pid,
     .weights = {4, 4, 3, 3, 6, 20, 3, 3}},
    {.kind = NX_SYS_EXIT,
     .revisions = ON_BOTH,
     .shown = 1,
     .step = step_exit,
     .allows = allows_not_init,
     .make = make_exit,
     .weights = {1, 1, 1, 1, 1, 5, 1, 1}},
    {.kind = OP_FAULT,
     .revisions = ON_BOTH,
     .step = step_fault,
     .allows = allows_not_init,
     .weights = {1, 1, 1, 1, 1, 5, 1, 1}},
    {.kind = NX_SYS_WAIT,
     .revisions = ON_BOTH,
     .shown = 1,
     .step = step_wait,
     .allows = allows_wait,
     .make = make_of_pid,
     .weights = {3, 2, 2, 2, 3, 10, 1, 1}},
    {.kind = NX_SYS_WAIT_NOHANG,
     .revisions = ON_A2,
     .step = step_wait_nohang,
     .weights = {2, 1, 1, 1, 2, 6, 1, 1}},
};

const struct model_family model_task_calls = {kinds, sizeof(kinds) / sizeof(kinds[0])};
