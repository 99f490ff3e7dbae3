/* SPDX-License-Identifier: Apache-2.0 */
#include "model/model_gen.h"

#include <string.h>

#include "model/model_kind.h"

#define TRIES 12 /* to find an operation that the shadow allows */

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

static uint8_t any_kind(struct model_gen *gen)
{
    const struct model_kind *kind;
    uint32_t sum = 0;
    for (unsigned i = 0; (kind = model_kind_at(i)) != NULL; i++) {
        sum += kind->weights[gen->mood];
    }
    uint64_t dice = gen_below(gen, sum);
    unsigned at = 0;
    for (kind = model_kind_at(0); dice >= kind->weights[gen->mood]; kind = model_kind_at(++at)) {
        dice -= kind->weights[gen->mood];
    }
    return kind->kind;
}

/* Rarely a call that this revision does not have. */
static uint8_t some_kind(struct model_gen *gen)
{
    uint8_t kind = any_kind(gen);
    while (!model_has(gen->shadow.limits.is_a1, kind) && !gen_one_in(gen, 16)) {
        kind = any_kind(gen);
    }
    return kind;
}

/* Init or a live child. */
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
    const struct model_kind *kind = model_kind_of(op->kind);
    if (kind->make != NULL) {
        kind->make(gen, op);
    }
}

void gen_init(struct model_gen *gen, uint64_t seed, const struct model_limits *limits)
{
    gen->random = seed;
    gen->mood = (uint32_t)(seed % 2 == 0 ? MOOD_ANY : 1 + seed / 2 % (MOODS - 1)); /* a few seeds cover all */
    model_init(&gen->shadow, limits);
}

void gen_next(struct model_gen *gen, struct model_op *op)
{
    struct model_op resolved;
    struct model_answer answer;
    for (unsigned i = 0; i < TRIES; i++) {
        make_op(gen, op);
        resolved = *op;
        model_resolve_src(&gen->shadow, &resolved);
        if (!model_allows(&gen->shadow, &resolved)) {
            continue;
        }
        model_guess(&gen->shadow, &resolved, &answer);
        return;
    }
}
