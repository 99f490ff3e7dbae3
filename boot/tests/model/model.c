/* SPDX-License-Identifier: Apache-2.0 */
#include "model/model.h"

#include <string.h>

#include "model/model_kind.h"

/* ---- Checking an answer -------------------------------------------------------------------------------- */

bool expect(struct turn *t, bool condition, const char *why)
{
    if (!condition && t->why == NULL) {
        t->why = why;
    }
    return t->why == NULL;
}

bool expect_one_of(struct turn *t, const int64_t *a0, size_t n)
{
    bool found = false;
    if (t->guessing) {
        t->answer->a0 = a0[0];
    }
    t->wanted = a0[0];
    for (size_t i = 0; i < n; i++) {
        found = found || t->answer->a0 == a0[i];
    }
    return expect(t, found, "a0");
}

bool expect_a0(struct turn *t, int64_t a0)
{
    return expect_one_of(t, &a0, 1);
}

/* ---- Arguments ----------------------------------------------------------------------------------------- */

static uint64_t resolve(const struct model *m, const struct model_op *op, unsigned i)
{
    const struct model_places *places = op->actor == 0 ? &m->limits.init : &m->limits.child;
    const uint64_t arg = op->arg[i];
    switch (op->place[i]) {
    case AT_HDR:
        return places->hdr + arg;
    case AT_DESC:
        return places->desc + arg;
    case AT_ID:
        return places->id + arg;
    case AT_BUF:
        return places->buf + arg;
    case AT_REG:
        return m->actors[op->actor].reg[op->reg] + arg;
    case AT_PID:
        return m->actors[arg].state == ACTOR_NEVER ? MODEL_NO_PID : m->actors[arg].pid;
    case AT_HANDLE:
        return m->handle[arg];
    case AT_SLOT:
        return m->actors[op->actor].slot_reg[arg];
    default:
        return arg;
    }
}

void model_resolve_src(const struct model *m, struct model_op *op)
{
    if (op->src_reg != 0) {
        op->hdr.src = (uint32_t)m->actors[op->actor].slot_reg[op->src_reg - 1];
    }
    op->src_reg = 0;
}

void model_resolve(const struct model *m, const struct model_op *op, uint64_t args[OP_ARGS])
{
    for (unsigned i = 0; i < OP_ARGS; i++) {
        args[i] = resolve(m, op, i);
    }
}

/* ---- A turn -------------------------------------------------------------------------------------------- */

/* K-04, K-05: a number that this revision does not have. */
static void step_absent(struct turn *t)
{
    expect_a0(t, -NX_ENOSYS);
    expect_memory_untouched(t);
}

static void take_turn(struct turn *t)
{
    const bool may_end = t->op->kind == NX_SYS_EXIT || t->op->kind == OP_FAULT || t->op->kind == OP_LOAD ||
                         t->op->kind == OP_STORE;
    if (!expect(t, may_end || !t->answer->ended, "the task ended")) {
        return;
    }
    if (model_has(t->m->limits.is_a1, t->op->kind)) {
        model_kind_of(t->op->kind)->step(t);
    } else {
        step_absent(t);
    }
    vmo_drop_unreachable(t->m);
}

static const char *turn(struct model *m, const struct model_op *op, struct model_answer *answer,
                        bool guessing, int64_t *wanted)
{
    uint64_t args[OP_ARGS];
    model_resolve(m, op, args);
    struct turn t = {.m = m,
                     .self = &m->actors[op->actor],
                     .op = op,
                     .args = args,
                     .answer = answer,
                     .guessing = guessing};
    take_turn(&t);
    *wanted = t.wanted;
    return t.why;
}

const char *model_step(struct model *m, const struct model_op *op, const struct model_answer *answer,
                       int64_t *wanted)
{
    struct model_answer copy = *answer;
    return turn(m, op, &copy, false, wanted);
}

void model_guess(struct model *m, const struct model_op *op, struct model_answer *answer)
{
    int64_t wanted;
    memset(answer, 0, sizeof(*answer));
    (void)turn(m, op, answer, true, &wanted);
}

/* ---- The boot ------------------------------------------------------------------------------------------ */

/* Init's capabilities (K-14) and the control pages. */
void model_init(struct model *m, const struct model_limits *limits)
{
    memset(m, 0, sizeof(*m));
    m->limits = *limits;
    if (m->limits.regions == 0) {
        m->limits.regions = NX_REGIONS_MAX;
    }
    if (m->limits.ep_owner == 0) {
        m->limits.ep_owner = limits->is_a1 ? NX_EP_OWNER_A1 : NX_EP_OWNER_A2;
    }
    m->next_pid = NX_PID_INIT + 1;
    m->endpoints[0] = (struct model_endpoint){.live = true, .depth = NX_EP_BOOTSTRAP_DEPTH};
    for (unsigned i = 0; i < OP_REGS; i++) {
        m->handle[i] = MODEL_NO_PID;
    }

    struct model_actor *init = &m->actors[0];
    init->state = ACTOR_LIVE;
    init->pid = NX_PID_INIT;
    init->space = space_new(m);
    forget_registers(init);
    init->caps[NX_SLOT_BOOTSTRAP] =
        (struct model_cap){.kind = CAP_IS_ENDPOINT, .rights = NX_RIGHT_SEND | NX_RIGHT_RECV};
    init->caps[NX_SLOT_FACTORY] = (struct model_cap){.kind = CAP_IS_FACTORY, .rights = NX_RIGHT_MANAGE};
    for (uint32_t i = 0; i < OP_CONTROLS; i++) {
        const uint32_t vmo = vmo_new(m, NX_PAGE_BYTES);
        init->caps[OP_CONTROL_SLOT + i] =
            (struct model_cap){.kind = CAP_IS_VMO, .rights = NX_RIGHT_MAP, .object = vmo};
        const uint64_t base = limits->is_a1 ? OP_CONTROL_VA : NX_A2_MAP_BASE;
        const struct model_map map = {.how = limits->is_a1 ? MAPPED_BY_MAP : MAPPED_BY_VM_MAP,
                                      .prot = NX_PROT_READ | NX_PROT_WRITE,
                                      .for_user = true,
                                      .vmo = vmo,
                                      .va = base + i * (uint64_t)NX_PAGE_BYTES,
                                      .bytes = NX_PAGE_BYTES};
        space_add(space_of(m, init), &map);
    }
}
