/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kinds of operations. To add a system call to the model, add a row and a step function to the file of
 * its family. The name comes from calls.def.
 */
#ifndef TESTS_MODEL_KIND_H
#define TESTS_MODEL_KIND_H

#include "model/model_make.h"
#include "model/model_parts.h"

/* The revisions that have the call; K-04, independent of calls.def. */
enum { ON_A1 = 1, ON_A2 = 2, ON_BOTH = ON_A1 | ON_A2 };

/* The argument that names a slot of the caller. */
enum { SLOT_IN_NONE, SLOT_IN_A0, SLOT_IN_A1 };

/* The register that receives the answer. */
enum { FILLS_NOTHING, FILLS_REG, FILLS_HANDLE, FILLS_SLOT };

/* An operation for model_allows. */
struct ask {
    const struct model *m;
    const struct model_actor *self;
    const struct model_op *op;
    const uint64_t *args;
};

struct model_kind {
    uint8_t kind;      /* enum op_kind, or the number of the call */
    uint8_t revisions; /* ON_ */
    uint8_t shown;     /* number of arguments that model_op_text prints */
    uint8_t slot_in;   /* SLOT_IN_ */
    uint8_t fills;     /* FILLS_ */
    uint8_t prepares;  /* OP_PUTS_ */
    void (*step)(struct turn *t);
    bool (*allows)(const struct ask *a); /* NULL: always allowed */
    op_maker *make;                      /* NULL: no arguments */
    uint8_t weights[MOODS];              /* relative frequency in a boot of each mood */
};

struct model_family {
    const struct model_kind *kinds;
    size_t count;
};
extern const struct model_family model_vmo_calls, model_map_calls, model_cap_calls, model_space_calls,
    model_ipc_calls, model_task_calls;

/* The row of a kind, NULL if unknown; the n-th row, NULL after the last. */
const struct model_kind *model_kind_of(uint8_t kind);
const struct model_kind *model_kind_at(unsigned n);

/* The tests of model_allows besides the slot (model_allow.c). */
bool allows_unreserved(const struct ask *a); /* a0 is not a slot of the set-up */
bool allows_pid_in_a0(const struct ask *a);
bool allows_pid_in_a1(const struct ask *a);
bool allows_not_init(const struct ask *a);
bool allows_create(const struct ask *a);
bool allows_copy(const struct ask *a);
bool allows_query(const struct ask *a);
bool allows_destroy(const struct ask *a);
bool allows_map(const struct ask *a);
bool allows_vm_map(const struct ask *a);
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
