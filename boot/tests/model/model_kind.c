/* SPDX-License-Identifier: Apache-2.0 */
/* The table of kinds, composed of the families, and getpid, which belongs to no family. */
#include "model/model_kind.h"

static void step_getpid(struct turn *t)
{
    expect_a0(t, t->self->pid);
}

static const struct model_kind kinds[] = {
    {.kind = NX_SYS_GETPID, .revisions = ON_BOTH, .step = step_getpid, .weights = {1, 1, 1, 1, 1, 1, 1, 1}},
};
static const struct model_family own_calls = {kinds, sizeof(kinds) / sizeof(kinds[0])};

/* The order determines the program of a seed; a replay names operations by number. */
static const struct model_family *const families[] = {&own_calls,       &model_vmo_calls,   &model_map_calls,
                                                      &model_cap_calls, &model_space_calls, &model_ipc_calls,
                                                      &model_task_calls};

const struct model_kind *model_kind_at(unsigned n)
{
    size_t left = n;
    for (unsigned i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
        if (left < families[i]->count) {
            return &families[i]->kinds[left];
        }
        left -= families[i]->count;
    }
    return NULL;
}

const struct model_kind *model_kind_of(uint8_t kind)
{
    const struct model_kind *row;
    for (unsigned i = 0; (row = model_kind_at(i)) != NULL; i++) {
        if (row->kind == kind) {
            return row;
        }
    }
    return NULL;
}

bool model_has(bool is_a1, uint8_t kind)
{
    const struct model_kind *row = model_kind_of(kind);
    return row != NULL && (row->revisions & (is_a1 ? ON_A1 : ON_A2)) != 0;
}

unsigned op_prepares(const struct model_op *op)
{
    const struct model_kind *row = model_kind_of(op->kind);
    return row == NULL ? 0 : row->prepares;
}
