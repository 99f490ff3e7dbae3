/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a random program of one boot against an executor, and words for what happened. */
#ifndef TESTS_MODEL_RUN_H
#define TESTS_MODEL_RUN_H

#include "model/model_gen.h"

struct model_run {
    /* which program */
    uint64_t seed;
    uint32_t ops;
    struct model_limits limits;
    const uint8_t *left_out; /* one byte an operation, 1: left out; NULL: none is */

    /* against whom: the kernel is booted and the set-up made. exec gives the answer; check, after each
     * operation and NULL without, says what is wrong */
    void (*exec)(void *ctx, const struct model_op *op, const uint64_t args[OP_ARGS],
                 struct model_answer *answer);
    const char *(*check)(void *ctx, const struct model *m);
    void *ctx;
    bool unwinds; /* at the end, give everything back that can be (model_unwind) */

    /* working memory: the number of the operation that is being executed, and what to look at after a failure
     */
    uint32_t at;
    struct model_gen gen;
    struct model model;
};

struct model_result {
    const char *why;   /* NULL: all is well */
    uint32_t at;       /* the operation that failed; .ops: none, or one at the end (model_unwind) */
    uint32_t executed; /* how many were allowed and not left out */
    struct model_op op;
    uint64_t args[OP_ARGS];
    struct model_answer answer;
    int64_t wanted;
};

/* Whether all answers were admissible. */
bool model_run(struct model_run *run, struct model_result *result);

/* The next operation that gives something back; false when nothing is left that init or a child could. */
bool model_unwind(const struct model *m, struct model_op *op);

/* The operation in words, e.g. "1 vm_map(slot 3, 0, 0x1000, 2) reg=4", NUL-terminated, cut off at size. */
void model_op_text(const struct model_op *op, char *text, size_t size);

/* "vm_map", for messages and counts. */
const char *model_kind_name(uint8_t kind);

#endif
