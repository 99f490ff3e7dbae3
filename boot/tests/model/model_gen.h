/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random programs. The n-th operation is a function of seed and limits alone: the generator looks at a model
 * of its own, which guesses the answers, never at what a kernel answered. So host and guest make the same
 * program, and leaving an operation out changes none of the others.
 */
#ifndef TESTS_MODEL_GEN_H
#define TESTS_MODEL_GEN_H

#include "model/model.h"

struct model_gen {
    uint64_t random;
    uint32_t mood; /* what this boot does more of */
    struct model shadow;
};

void gen_init(struct model_gen *gen, uint64_t seed, const struct model_limits *limits);

/* The next operation. The shadow may not allow it: then it has not moved. */
void gen_next(struct model_gen *gen, struct model_op *op);

#endif
