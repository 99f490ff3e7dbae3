/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Generates random programs. The n-th operation depends only on seed and limits: the generator uses its own
 * model with guessed answers, never a kernel's answers. So host and guest generate the same program, and
 * skipping an operation does not change the others.
 */
#ifndef TESTS_MODEL_GEN_H
#define TESTS_MODEL_GEN_H

#include "model/model.h"

struct model_gen {
    uint64_t random;
    uint32_t mood; /* the kind of operation that this boot prefers */
    struct model shadow;
};

void gen_init(struct model_gen *gen, uint64_t seed, const struct model_limits *limits);

/* Generates the next operation. If the shadow does not allow it, the shadow is unchanged. */
void gen_next(struct model_gen *gen, struct model_op *op);

#endif
