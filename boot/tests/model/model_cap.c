/* SPDX-License-Identifier: Apache-2.0 */
/* Capabilities: K-31, K-40, K-41. */
#include "model/model_parts.h"

const struct model_cap *cap_seen(const struct model *m, const struct model_actor *actor, uint64_t slot)
{
    if (slot >= m->limits.slots || actor->caps[slot].kind == CAP_IS_EMPTY)
        return NULL;
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
        if (actor->caps[slot].kind == CAP_IS_EMPTY)
            return slot;
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

/* What a transfer asks for: the receiver and the capability that it gets. False: -1 (K-40). */
static bool transfer_is_good(const struct turn *t, struct model_actor **to, struct model_cap *gets)
{
    const uint64_t rights = t->args[2];
    const struct model_cap *cap = cap_seen(t->m, t->self, t->args[1]);
    *to = actor_by_pid(t->m, t->args[0]);
    if (*to == NULL || (*to)->state == ACTOR_ENDED || cap == NULL || cap->kind == CAP_IS_FACTORY)
        return false;
    for (unsigned bit = 0; bit < 64; bit++) {
        const uint64_t right = UINT64_C(1) << bit;
        if ((rights & right) != 0 && (bit > 2 || (cap->rights & right) == 0))
            return false; /* not held, MANAGE, or not known */
    }
    *gets = *cap;
    gets->rights = (uint8_t)rights;
    return true;
}

void step_transfer(struct turn *t)
{
    struct model_actor *to;
    struct model_cap gets;
    const bool good = transfer_is_good(t, &to, &gets);
    const uint32_t slot = good ? lowest_slot(t->m, to) : MODEL_NONE;
    if (slot == MODEL_NONE)
        answers(t, -NX_EPERM);
    else if (answers(t, slot))
        cap_put(t, to, slot, &gets);
}

void step_transfer_to(struct turn *t)
{
    struct model_actor *to;
    struct model_cap gets;
    const uint64_t slot = t->args[3];
    if (!transfer_is_good(t, &to, &gets) || slot >= t->m->limits.slots || to->caps[slot].kind != CAP_IS_EMPTY)
        answers(t, -NX_EPERM);
    else if (answers(t, (int64_t)slot))
        cap_put(t, to, slot, &gets);
}

void step_close(struct turn *t)
{
    struct model_cap *cap = cap_at(t->m, t->self, t->args[0]);
    if (cap == NULL)
        answers(t, -NX_EPERM);
    else if (answers(t, 0))
        *cap = (struct model_cap){.kind = CAP_IS_EMPTY};
}

void step_clone(struct turn *t)
{
    const struct model_cap *cap = cap_seen(t->m, t->self, t->args[0]);
    const uint32_t slot = lowest_slot(t->m, t->self);
    if (cap == NULL || cap->kind == CAP_IS_FACTORY)
        answers(t, -NX_EPERM);
    else if (slot == MODEL_NONE)
        answers(t, -NX_ENOSPC);
    else if (answers(t, slot))
        cap_put(t, t->self, slot, cap);
}

static uint64_t load_u64(const uint8_t *bytes)
{
    uint64_t value = 0;
    for (unsigned i = 8; i-- > 0;)
        value = value << 8 | bytes[i];
    return value;
}

/* Whether the range can be this VMO's beside those that are known. */
static bool pa_is_free(const struct model *m, const struct model_vmo *vmo, uint64_t pa)
{
    for (unsigned i = 0; i < MODEL_VMOS; i++) {
        const struct model_vmo *other = &m->vmos[i];
        if (other != vmo && other->live && other->knows_pa && pa < other->pa + other->bytes &&
            other->pa < pa + vmo->bytes)
            return false;
    }
    return true;
}

static void learn_pa(struct turn *t, struct model_vmo *vmo)
{
    const uint8_t *bytes = t->answer->bytes;
    const uint64_t pa = load_u64(bytes + 8), in_2mib = pa % NX_SUPERPAGE_BYTES;
    holds(t, load_u64(bytes) == 1, "the kind");
    holds(t, load_u64(bytes + 16) == vmo->bytes, "the size");
    holds(t, pa % NX_PAGE_BYTES == 0 && pa_is_free(t->m, vmo, pa), "the physical address");
    holds(t, !vmo->knows_pa || vmo->pa == pa, "another physical address than before");
    holds(t, !vmo->knows_in_2mib || vmo->pa_in_2mib == in_2mib, "not congruent with the large map");
    vmo->knows_pa = vmo->knows_in_2mib = true;
    vmo->pa = pa;
    vmo->pa_in_2mib = in_2mib;
}

/* The pointer is looked at first. Of a VMO without MAP the contract says nothing. */
void step_query(struct turn *t)
{
    const struct model_cap *cap = cap_seen(t->m, t->self, t->args[0]);
    if (t->op->place[1] != AT_BUF)
        answers(t, -NX_EINVAL);
    else if (cap == NULL || cap->kind != CAP_IS_VMO)
        answers(t, -NX_EPERM);
    else if ((cap->rights & NX_RIGHT_MAP) == 0)
        may_be_refused(t, 0, -NX_EPERM);
    else
        answers(t, 0);
    if (t->guessing || t->why != NULL)
        return;
    if (t->answer->a0 == 0)
        learn_pa(t, &t->m->vmos[cap->object]);
    else
        memory_is_untouched(t);
}
