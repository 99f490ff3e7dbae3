/* SPDX-License-Identifier: Apache-2.0 */
/* K-64: floating point, which the kernels leave switched off. */
#include "evil/evil.h"

int main(void)
{
    evil_child_alone(child_floats);
    return 0;
}
