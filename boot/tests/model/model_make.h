/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the generator's two parts: choice of operation (model_gen.c) and arguments (model_make.c). */
#ifndef TESTS_MODEL_MAKE_H
#define TESTS_MODEL_MAKE_H

#include "model/model_gen.h"

/* The operations that a boot prefers. Without moods some tables would rarely fill up. */
enum mood {
    MOOD_ANY,
    MOOD_MESSAGES,
    MOOD_CAPS,
    MOOD_MAPS,
    MOOD_ENDPOINTS,
    MOOD_TASKS,
    MOOD_HUGE,
    MOOD_LARGE,
    MOODS
};

uint64_t gen_draw(struct model_gen *gen);
uint64_t gen_below(struct model_gen *gen, uint64_t n);
bool gen_one_in(struct model_gen *gen, uint64_t n);

/* Sets the arguments; the caller has set actor, kind, register and fill. */
typedef void op_maker(struct model_gen *gen, struct model_op *op);
op_maker make_vmo_create, make_query;
op_maker make_copy;       /* slot, off, buffer, length */
op_maker make_of_slot;    /* slot */
op_maker make_of_vmo;     /* the slot of a VMO */
op_maker make_of_managed; /* the slot of an endpoint with MANAGE */
op_maker make_map, make_vm_map, make_vm_unmap, make_as_map;
op_maker make_access;   /* va */
op_maker make_transfer; /* pid, slot, rights, dst */
op_maker make_ep_create, make_send, make_recv;
op_maker make_spawn, make_exec, make_exit;
op_maker make_of_pid; /* pid */

#endif
