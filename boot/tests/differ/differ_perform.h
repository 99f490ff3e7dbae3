/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DIFFER_PERFORM_H
#define DIFFER_PERFORM_H

#include "differ/differ_page.h"

/* Makes one operation as the current task: prepares its memory, calls, and fills in the answer. Does not
 * return if the operation ends the task. */
void differ_perform(struct differ_memory *memory, const struct differ_order *order,
                    struct model_answer *answer);

#endif
