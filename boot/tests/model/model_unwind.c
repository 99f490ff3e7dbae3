/* SPDX-License-Identifier: Apache-2.0 */
/* Releases everything at the end of a program, by ordinary operations. */
#include <string.h>

#include "model/model_parts.h"
#include "model/model_run.h"

static void make(struct model_op *op, uint8_t actor, uint8_t kind, uint8_t place, uint64_t arg)
{
    memset(op, 0, sizeof(*op));
    op->actor = actor;
    op->kind = kind;
    op->place[0] = place;
    op->arg[0] = arg;
}

/* Resumes, ends and reaps the children. */
static bool unwind_child(const struct model *m, struct model_op *op)
{
    for (uint8_t i = 1; i < OP_ACTORS; i++) {
        switch (m->actors[i].state) {
        case ACTOR_SUSPENDED:
            make(op, 0, NX_SYS_TASK_RESUME, AT_PID, i);
            return true;
        case ACTOR_LIVE:
            make(op, i, NX_SYS_EXIT, AT_NUMBER, 0);
            return true;
        case ACTOR_ENDED:
            make(op, 0, NX_SYS_WAIT, AT_PID, i);
            return true;
        case ACTOR_NEVER:
        case ACTOR_REAPED:
            break;
        }
    }
    return false;
}

static bool unwind_map(const struct model *m, struct model_op *op)
{
    const struct model_space *space = &m->spaces[m->actors[0].space];
    for (uint32_t i = 0; i < space->map_count; i++) {
        const struct model_map *map = &space->maps[i];
        if (map->how != MAPPED_BY_VM_MAP || map->vmo < OP_CONTROLS) {
            continue;
        }
        make(op, 0, NX_SYS_VM_UNMAP, AT_NUMBER, map->va);
        op->arg[1] = map->bytes;
        return true;
    }
    return false;
}

/* Empties the bootstrap endpoint, which has no owner. Moved capabilities arrive in slots. */
static bool unwind_message(const struct model *m, struct model_op *op)
{
    if (queued_on(m, 0) == 0) {
        return false;
    }
    make(op, 0, NX_SYS_IPC_RECV, AT_NUMBER, NX_SLOT_BOOTSTRAP);
    op->place[1] = AT_HDR;
    op->place[2] = AT_BUF;
    op->arg[4] = NX_IPC_NONBLOCK;
    return true;
}

static uint8_t end_of(const struct model *m, const struct model_cap *cap)
{
    if (cap->kind == CAP_IS_ENDPOINT) {
        return (cap->rights & NX_RIGHT_MANAGE) != 0 ? NX_SYS_EP_CLOSE : NX_SYS_CAP_CLOSE;
    }
    const bool last = cap->kind == CAP_IS_VMO && (cap->rights & NX_RIGHT_MAP) != 0 &&
                      count_caps(m, cap->object) == 1 && count_moving(m, cap->object) == 0 &&
                      !any_map_of(m, MAPPED_BY_AS_MAP, cap->object);
    return last && !m->limits.is_a1 ? NX_SYS_VMO_DESTROY : NX_SYS_CAP_CLOSE;
}

static bool unwind_slot(const struct model *m, struct model_op *op)
{
    for (uint32_t slot = OP_RESERVED_SLOTS; slot < m->limits.slots; slot++) {
        const struct model_cap *cap = &m->actors[0].caps[slot];
        if (cap->kind == CAP_IS_EMPTY) {
            continue;
        }
        make(op, 0, end_of(m, cap), AT_NUMBER, slot);
        return true;
    }
    return false;
}

/* Slots come before messages, because a message may need a free slot. */
bool model_unwind(const struct model *m, struct model_op *op)
{
    return unwind_child(m, op) || unwind_map(m, op) || unwind_slot(m, op) || unwind_message(m, op);
}
