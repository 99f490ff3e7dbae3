/* SPDX-License-Identifier: Apache-2.0 */
/* The executor of a random program on a real boot: init makes its own operations, puppets the others'. */
#ifndef DIFFER_EXEC_H
#define DIFFER_EXEC_H

#include "differ/differ_block.h"
#include "differ/differ_page.h"
#include "model/model_run.h"

struct differ_child {
    struct differ_page *page;
    uint64_t pid; /* of the last one in this place; 0: there was none */
};

struct differ {
    const volatile struct differ_block *block;
    struct model_run run;
    struct differ_child children[OP_CONTROLS];
};

/* The set-up of model_op.h. False when the kernel answered otherwise. */
bool differ_set_up(struct differ *differ);

/* As model_run wants it; ctx is a struct differ. */
void differ_exec(void *ctx, const struct model_op *op, const uint64_t args[OP_ARGS],
                 struct model_answer *answer);

/* Has every child end, so that the run can. */
void differ_dismiss(struct differ *differ);

/* init's own memory. */
extern struct differ_memory differ_memory;

#endif
