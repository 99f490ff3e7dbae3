/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kinds of operations: one row a kind, in the file that has its step. A row and a step are all that a
 * system call adds to the model. The name is the one in calls.def.
 */
#ifndef TESTS_MODEL_KIND_H
#define TESTS_MODEL_KIND_H

#include "model/model_make.h"
#include "model/model_parts.h"

/* Which revisions have the call: the model's own account of K-04. */
enum { ON_A1 = 1, ON_A2 = 2, ON_BOTH = ON_A1 | ON_A2 };

/* Where the argument is that is a slot of the caller. */
enum { SLOT_IN_NONE, SLOT_IN_A0, SLOT_IN_A1 };

/* Which of the registers the answer goes to. */
enum { FILLS_NOTHING, FILLS_REG, FILLS_HANDLE, FILLS_SLOT };

/* One operation that is asked about. */
struct ask {
    const struct model *m;
    const struct model_actor *self;
    const struct model_op *op;
    const uint64_t *args;
};

struct model_kind {
    uint8_t kind;      /* enum op_kind, or the number of the call */
    uint8_t revisions; /* ON_ */
    uint8_t shown;     /* how many arguments stand in its words */
    uint8_t slot_in;   /* SLOT_IN_ */
    uint8_t fills;     /* FILLS_ */
    uint8_t prepares;  /* OP_PUTS_ */
    void (*step)(struct turn *t);
    bool (*allows)(const struct ask *a); /* NULL: it always is */
    op_maker *make;                      /* NULL: it has no arguments */
    uint8_t weights[MOODS];              /* how often a boot of each mood makes it */
};

struct model_family {
    const struct model_kind *kinds;
    size_t count;
};
extern const struct model_family model_vmo_calls, model_map_calls, model_cap_calls, model_space_calls,
    model_ipc_calls, model_task_calls;

/* The row of a kind; NULL for what the model does not know. The n-th row; NULL after the last. */
const struct model_kind *model_kind_of(uint8_t kind);
const struct model_kind *model_kind_at(unsigned n);

/* What model_allows asks beside the slot (model_allow.c). */
bool allows_unreserved(const struct ask *a); /* a0 is not a slot of the set-up */
bool allows_pid_in_a0(const struct ask *a);
bool allows_pid_in_a1(const struct ask *a);
bool allows_not_init(const struct ask *a);
bool allows_create(const struct ask *a);
bool allows_copy(const struct ask *a);
bool allows_query(const struct ask *a);
bool allows_destroy(const struct ask *a);
bool allows_map(const struct ask *a);
bool allows_vm_unmap(const struct ask *a);
bool allows_as_create(const struct ask *a);
bool allows_as_map(const struct ask *a);
bool allows_load(const struct ask *a);
bool allows_store(const struct ask *a);
bool allows_send(const struct ask *a);
bool allows_recv(const struct ask *a);
bool allows_spawn(const struct ask *a);
bool allows_exec(const struct ask *a);
bool allows_wait(const struct ask *a);

#endif
