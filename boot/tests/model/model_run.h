/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a random program of one boot against an executor, and prints operations as text. */
#ifndef TESTS_MODEL_RUN_H
#define TESTS_MODEL_RUN_H

#include "model/model_gen.h"

struct model_run {
    /* the program */
    uint64_t seed;
    uint32_t ops;
    struct model_limits limits;
    const uint8_t *left_out; /* one byte per operation, 1: skip it; NULL: skip none */
    uint64_t classes;        /* skip and count the operations of these classes, one bit per class */

    /* the executor: the kernel is booted and set up. exec gives the answer. check runs after each operation
     * and returns NULL or an error; it may be NULL */
    void (*exec)(void *ctx, const struct model_op *op, const uint64_t args[OP_ARGS],
                 struct model_answer *answer);
    const char *(*check)(void *ctx, const struct model *m);
    void *ctx;
    bool unwinds; /* release everything at the end (model_unwind), with operations of any class */

    /* working memory: the number of the current operation, the generator and the model */
    uint32_t at;
    struct model_gen gen;
    struct model model;
};

struct model_result {
    const char *why;   /* the error; NULL: none */
    uint32_t at;       /* the operation that failed; .ops: none, or one of model_unwind */
    uint32_t executed; /* operations executed, neither refused by model_allows nor skipped */
    uint32_t skipped;  /* operations that model_allows, and that were skipped for their class */
    struct model_op op;
    uint64_t args[OP_ARGS];
    struct model_answer answer;
    int64_t wanted;
};

/* Returns whether all answers were admissible. */
bool model_run(struct model_run *run, struct model_result *result);

/* The next operation that releases something; false if nothing is left. */
bool model_unwind(const struct model *m, struct model_op *op);

/* Classes of operations that a run can leave out (model_class.def). Class n is bit n of a set. */
#define MODEL_CLASSES_MAX 64
const char *model_class_name(unsigned n); /* NULL after the last */
bool model_class_has(unsigned n, const struct model_op *op, const uint64_t args[OP_ARGS]);
bool model_set_has(uint64_t classes, const struct model_op *op, const uint64_t args[OP_ARGS]);

/* The operation as text, e.g. "1 vm_map(slot3, 0, 0x1000, 2) reg=4", NUL-terminated, truncated to size. */
void model_op_text(const struct model_op *op, char *text, size_t size);

/* "vm_map", for messages and counts. */
const char *model_kind_name(uint8_t kind);

#endif
