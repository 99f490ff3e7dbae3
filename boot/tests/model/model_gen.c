/* SPDX-License-Identifier: Apache-2.0 */
#include "model/model_gen.h"

#include <string.h>

#include "model/model_make.h"

#define TRIES 12 /* for an operation that the shadow allows */

/* splitmix64 */
uint64_t gen_draw(struct model_gen *gen)
{
    uint64_t z = gen->random += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

uint64_t gen_below(struct model_gen *gen, uint64_t n)
{
    return gen_draw(gen) % n;
}

bool gen_one_in(struct model_gen *gen, uint64_t n)
{
    return gen_below(gen, n) == 0;
}

/* ---- Which operation ----------------------------------------------------------------------------------- */

/* clang-format off */
static const uint8_t weights[OP_KINDS][MOODS] = {
    [OP_GETPID] = {1, 1, 1, 1, 1, 1, 1, 1},
    [OP_VMO_CREATE] = {8, 3, 10, 8, 2, 6, 3, 6},
    [OP_VMO_WRITE] = {8, 2, 4, 6, 1, 4, 1, 1},
    [OP_VMO_READ] = {8, 2, 4, 6, 1, 4, 1, 1},
    [OP_VMO_DESTROY] = {8, 3, 6, 6, 4, 4, 1, 3},
    [OP_SHARE_RO] = {4, 2, 8, 4, 1, 3, 4, 3},
    [OP_QUERY] = {3, 1, 2, 3, 1, 1, 1, 3},
    [OP_MAP] = {8, 1, 3, 20, 2, 4, 20, 10},
    [OP_VM_MAP] = {8, 1, 3, 30, 2, 4, 60, 40},
    [OP_VM_UNMAP] = {6, 1, 2, 14, 2, 3, 1, 40},
    [OP_LOAD] = {8, 2, 2, 10, 2, 4, 6, 8},
    [OP_STORE] = {6, 2, 2, 8, 2, 4, 4, 8},
    [OP_TRANSFER] = {6, 4, 12, 4, 6, 6, 1, 1},
    [OP_TRANSFER_TO] = {3, 2, 6, 2, 3, 3, 1, 1},
    [OP_CLOSE] = {5, 3, 4, 5, 14, 4, 1, 1},
    [OP_CLONE] = {5, 3, 14, 3, 1, 3, 8, 1},
    [OP_AS_CREATE] = {1, 1, 1, 2, 1, 1, 1, 1},
    [OP_AS_SELF] = {2, 1, 1, 3, 1, 1, 1, 1},
    [OP_AS_MAP] = {3, 1, 2, 12, 1, 2, 1, 1},
    [OP_EP_CREATE] = {2, 3, 2, 1, 24, 2, 1, 1},
    [OP_EP_CREATE_FOR] = {2, 2, 2, 1, 14, 4, 1, 1},
    [OP_EP_CREATE_OLD] = {1, 1, 1, 1, 1, 1, 1, 1},
    [OP_EP_CLOSE] = {2, 1, 1, 1, 6, 2, 1, 1},
    [OP_SEND] = {10, 60, 8, 4, 6, 5, 1, 1},
    [OP_RECV] = {8, 12, 6, 3, 5, 4, 1, 1},
    [OP_RECV_V2] = {4, 6, 3, 2, 3, 3, 1, 1},
    [OP_SPAWN] = {4, 4, 3, 3, 6, 20, 3, 3},
    [OP_EXEC] = {1, 1, 1, 1, 1, 2, 1, 1},
    [OP_RESUME] = {4, 4, 3, 3, 6, 20, 3, 3},
    [OP_EXIT] = {1, 1, 1, 1, 1, 5, 1, 1},
    [OP_FAULT] = {1, 1, 1, 1, 1, 5, 1, 1},
    [OP_WAIT] = {3, 2, 2, 2, 3, 10, 1, 1},
    [OP_WAIT_NOHANG] = {2, 1, 1, 1, 2, 6, 1, 1},
};
/* clang-format on */

static uint8_t any_kind(struct model_gen *gen)
{
    uint32_t sum = 0;
    for (unsigned i = 0; i < OP_KINDS; i++)
        sum += weights[i][gen->mood];
    uint64_t dice = gen_below(gen, sum);
    uint8_t kind = 0;
    while (dice >= weights[kind][gen->mood])
        dice -= weights[kind++][gen->mood];
    return kind;
}

/* Seldom one that this age does not have. */
static uint8_t some_kind(struct model_gen *gen)
{
    uint8_t kind = any_kind(gen);
    while (!model_has(gen->shadow.limits.is_a1, kind) && !gen_one_in(gen, 16))
        kind = any_kind(gen);
    return kind;
}

/* Init, or one of those that live. */
static uint8_t some_actor(struct model_gen *gen)
{
    const uint8_t actor = (uint8_t)gen_below(gen, OP_ACTORS + 1);
    return actor < OP_ACTORS && gen->shadow.actors[actor].state == ACTOR_LIVE ? actor : 0;
}

static void make_op(struct model_gen *gen, struct model_op *op)
{
    memset(op, 0, sizeof(*op));
    op->actor = some_actor(gen);
    op->kind = some_kind(gen);
    op->reg = (uint8_t)gen_below(gen, OP_REGS);
    op->fill = (uint8_t)gen_draw(gen);
    op_makers[op->kind](gen, op);
}

void gen_init(struct model_gen *gen, uint64_t seed, const struct model_limits *limits)
{
    gen->random = seed;
    gen->mood = (uint32_t)(seed % 2 == 0 ? MOOD_ANY : 1 + seed / 2 % (MOODS - 1)); /* all in few seeds */
    model_init(&gen->shadow, limits);
}

void gen_next(struct model_gen *gen, struct model_op *op)
{
    struct model_op settled;
    struct model_answer answer;
    for (unsigned i = 0; i < TRIES; i++) {
        make_op(gen, op);
        settled = *op;
        model_settle(&gen->shadow, &settled);
        if (!model_allows(&gen->shadow, &settled))
            continue;
        model_guess(&gen->shadow, &settled, &answer);
        return;
    }
}
