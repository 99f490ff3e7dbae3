/* SPDX-License-Identifier: Apache-2.0 */
#include "model/model_run.h"

enum {
#define MODEL_CLASS(name, condition) +1
    CLASSES = 0
#include "model/model_class.def"
};
_Static_assert(CLASSES <= MODEL_CLASSES_MAX, "a set of classes is 64 bits");

bool model_class_has(unsigned n, const struct model_op *op, const uint64_t args[OP_ARGS])
{
    const bool has[CLASSES] = {
#define MODEL_CLASS(name, condition) (condition),
#include "model/model_class.def"
    };
    return n < CLASSES && has[n];
}

const char *model_class_name(unsigned n)
{
    static const char *const names[CLASSES] = {
#define MODEL_CLASS(name, condition) (name),
#include "model/model_class.def"
    };
    return n < CLASSES ? names[n] : NULL;
}

bool model_set_has(uint64_t classes, const struct model_op *op, const uint64_t args[OP_ARGS])
{
    for (unsigned n = 0; n < CLASSES; n++) {
        if ((classes >> n & 1) != 0 && model_class_has(n, op, args)) {
            return true;
        }
    }
    return false;
}
