/* SPDX-License-Identifier: Apache-2.0 */
/* Executes a random program on a real boot. Init makes its own operations, puppets make the children's. */
#ifndef DIFFER_EXEC_H
#define DIFFER_EXEC_H

#include "differ/differ_block.h"
#include "differ/differ_page.h"
#include "model/model_run.h"

struct differ_child {
    struct differ_page *page;
    uint64_t pid; /* of this actor's latest child; 0: none */
};

struct differ {
    const volatile struct differ_block *block;
    struct model_run run;
    struct differ_child children[OP_CONTROLS];
};

/* Makes the set-up of model_op.h. Returns false if a call fails. */
bool differ_set_up(struct differ *differ);

/* The exec function of model_run; ctx is a struct differ. */
void differ_exec(void *ctx, const struct model_op *op, const uint64_t args[OP_ARGS],
                 struct model_answer *answer);

/* Ends every child, so that the run can end. */
void differ_dismiss(struct differ *differ);

/* init's own memory. */
extern struct differ_memory differ_memory;

#endif
