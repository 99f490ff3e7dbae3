/* SPDX-License-Identifier: Apache-2.0 */
/* Capabilities: K-31, K-40, K-41. */
#include "model/model_kind.h"

const struct model_cap *cap_seen(const struct model *m, const struct model_actor *actor, uint64_t slot)
{
    if (slot >= m->limits.slots || actor->caps[slot].kind == CAP_IS_EMPTY) {
        return NULL;
    }
    return &actor->caps[slot];
}

struct model_cap *cap_at(const struct model *m, struct model_actor *actor, uint64_t slot)
{
    return cap_seen(m, actor, slot) == NULL ? NULL : &actor->caps[slot];
}

const struct model_cap *memory_at(const struct model *m, const struct model_actor *actor, uint64_t slot)
{
    const struct model_cap *cap = cap_seen(m, actor, slot);
    return cap != NULL && is_memory(cap) && (cap->rights & NX_RIGHT_MAP) != 0 ? cap : NULL;
}

const struct model_cap *vmo_at(const struct model *m, const struct model_actor *actor, uint64_t slot)
{
    const struct model_cap *cap = memory_at(m, actor, slot);
    return cap != NULL && cap->kind == CAP_IS_VMO ? cap : NULL;
}

const struct model_cap *endpoint_at(const struct model *m, const struct model_actor *actor, uint64_t slot,
                                    uint8_t right)
{
    const struct model_cap *cap = cap_seen(m, actor, slot);
    return cap != NULL && cap->kind == CAP_IS_ENDPOINT && (cap->rights & right) != 0 ? cap : NULL;
}

void cap_put(const struct turn *t, struct model_actor *actor, uint64_t slot, const struct model_cap *cap)
{
    actor->caps[slot] = *cap;
    actor->slot_reg[t->op->reg] = slot;
}

uint32_t lowest_slot(const struct model *m, const struct model_actor *actor)
{
    for (uint32_t slot = 0; slot < m->limits.slots; slot++) {
        if (actor->caps[slot].kind == CAP_IS_EMPTY) {
            return slot;
        }
    }
    return MODEL_NONE;
}

uint32_t count_caps(const struct model *m, uint32_t vmo)
{
    uint32_t count = 0;
    for (unsigned i = 0; i < OP_ACTORS; i++) {
        for (uint32_t slot = 0; slot < m->limits.slots; slot++) {
            const struct model_cap *cap = &m->actors[i].caps[slot];
            count += is_memory(cap) && cap->object == vmo;
        }
    }
    return count;
}

/* Finds the receiver and the capability that it receives. Returns false if the call returns -1 (K-40). */
static bool transfer_is_good(const struct turn *t, struct model_actor **to, struct model_cap *gets)
{
    const uint32_t rights = (uint32_t)t->args[2]; /* K-40: 32 bits */
    const struct model_cap *cap = cap_seen(t->m, t->self, t->args[1]);
    *to = actor_by_pid(t->m, (uint32_t)t->args[0]);
    if (*to == NULL || (*to)->state == ACTOR_ENDED || cap == NULL || cap->kind == CAP_IS_FACTORY) {
        return false;
    }
    for (unsigned bit = 0; bit < 32; bit++) {
        const uint32_t right = UINT32_C(1) << bit;
        if ((rights & right) != 0 && (bit > 2 || (cap->rights & right) == 0)) {
            return false; /* not held, MANAGE, or unknown */
        }
    }
    *gets = *cap;
    gets->rights = (uint8_t)rights;
    return true;
}

static void step_transfer(struct turn *t)
{
    struct model_actor *to;
    struct model_cap gets;
    const bool good = transfer_is_good(t, &to, &gets);
    const uint32_t slot = good ? lowest_slot(t->m, to) : MODEL_NONE;
    if (slot == MODEL_NONE) {
        expect_a0(t, -NX_EPERM);
    } else if (expect_a0(t, slot)) {
        cap_put(t, to, slot, &gets);
    }
}

static void step_transfer_to(struct turn *t)
{
    struct model_actor *to;
    struct model_cap gets;
    const uint64_t slot = t->args[3];
    if (!transfer_is_good(t, &to, &gets) || slot >= t->m->limits.slots ||
        to->caps[slot].kind != CAP_IS_EMPTY) {
        expect_a0(t, -NX_EPERM);
    } else if (expect_a0(t, (int64_t)slot)) {
        cap_put(t, to, slot, &gets);
    }
}

static void step_close(struct turn *t)
{
    struct model_cap *cap = cap_at(t->m, t->self, t->args[0]);
    if (cap == NULL) {
        expect_a0(t, -NX_EPERM);
    } else if (expect_a0(t, 0)) {
        *cap = (struct model_cap){.kind = CAP_IS_EMPTY};
    }
}

static void step_clone(struct turn *t)
{
    const struct model_cap *cap = cap_seen(t->m, t->self, t->args[0]);
    const uint32_t slot = lowest_slot(t->m, t->self);
    if (cap == NULL || cap->kind == CAP_IS_FACTORY) {
        expect_a0(t, -NX_EPERM);
    } else if (slot == MODEL_NONE) {
        expect_a0(t, -NX_ENOSPC);
    } else if (expect_a0(t, slot)) {
        cap_put(t, t->self, slot, cap);
    }
}

/* ---- The kinds ----------------------------------------------------------------------------------------- */

static const struct model_kind kinds[] = {
    {.kind = NX_SYS_CAP_TRANSFER,
     .revisions = ON_BOTH,
     .shown = 3,
     .slot_in = SLOT_IN_A1,
     .fills = FILLS_SLOT,
     .step = step_transfer,
     .allows = allows_pid_in_a0,
     .make = make_transfer,
     .weights = {6, 4, 12, 4, 6, 6, 1, 1}},
    {.kind = NX_SYS_CAP_TRANSFER_TO,
     .revisions = ON_A2,
     .shown = 4,
     .slot_in = SLOT_IN_A1,
     .fills = FILLS_SLOT,
     .step = step_transfer_to,
     .allows = allows_pid_in_a0,
     .make = make_transfer,
     .weights = {3, 2, 6, 2, 3, 3, 1, 1}},
    {.kind = NX_SYS_CAP_CLOSE,
     .revisions = ON_BOTH,
     .shown = 1,
     .slot_in = SLOT_IN_A0,
     .step = step_close,
     .allows = allows_unreserved,
     .make = make_of_slot,
     .weights = {5, 3, 4, 5, 14, 4, 1, 1}},
    {.kind = NX_SYS_CAP_CLONE,
     .revisions = ON_BOTH,
     .shown = 1,
     .slot_in = SLOT_IN_A0,
     .fills = FILLS_SLOT,
     .step = step_clone,
     .make = make_of_slot,
     .weights = {5, 3, 14, 3, 1, 3, 8, 1}},
};

const struct model_family model_cap_calls = {kinds, sizeof(kinds) / sizeof(kinds[0])};
