/* SPDX-License-Identifier: Apache-2.0 */
/* K-64: a floating-point instruction; the kernels keep the FPU off. */
#include "evil/evil.h"

int main(void)
{
    evil_child_alone(child_floats);
    return 0;
}
