/* SPDX-License-Identifier: Apache-2.0 */
#include "model/model_run.h"

#include <string.h>

#define UNWIND_OPS_MAX 4096 /* more than tasks, regions, slots and messages together */

/* Executes one operation. Returns false if its answer is wrong. */
static bool execute(struct model_run *run, const struct model_op *op, struct model_result *result)
{
    result->op = *op;
    model_resolve(&run->model, op, result->args);
    memset(&result->answer, 0, sizeof(result->answer));
    run->exec(run->ctx, op, result->args, &result->answer);
    result->executed++;
    result->why = model_step(&run->model, op, &result->answer, &result->wanted);
    if (result->why == NULL && run->check != NULL) {
        result->why = run->check(run->ctx, &run->model);
    }
    return result->why == NULL;
}

/* The loop ends because each operation releases something. A received capability is released later. */
static bool unwind(struct model_run *run, struct model_result *result)
{
    struct model_op op;
    for (unsigned i = 0; i < UNWIND_OPS_MAX && model_unwind(&run->model, &op); i++) {
        if (!model_allows(&run->model, &op)) {
            result->op = op;
            result->why = "the model does not allow an unwinding operation";
            return false;
        }
        if (!execute(run, &op, result)) {
            return false;
        }
    }
    return true;
}

static bool is_left_out(const struct model_run *run, const struct model_op *op)
{
    uint64_t args[OP_ARGS];
    model_resolve(&run->model, op, args);
    return model_set_has(run->classes, op, args);
}

bool model_run(struct model_run *run, struct model_result *result)
{
    struct model_op op;
    memset(result, 0, sizeof(*result));
    gen_init(&run->gen, run->seed, &run->limits);
    model_init(&run->model, &run->limits);
    for (run->at = 0; run->at < run->ops; run->at++) {
        gen_next(&run->gen, &op);
        result->at = run->at;
        model_resolve_src(&run->model, &op);
        if (run->left_out != NULL && run->left_out[run->at] != 0) {
            continue;
        }
        if (!model_allows(&run->model, &op)) {
            continue;
        }
        if (is_left_out(run, &op)) {
            result->skipped++;
        } else if (!execute(run, &op, result)) {
            return false;
        }
    }
    result->at = run->ops;
    return !run->unwinds || unwind(run, result);
}
