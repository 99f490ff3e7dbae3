/* SPDX-License-Identifier: Apache-2.0 */
/* K-64: a misaligned atomic access. It is not a page fault, so K-60 does not cover it. */
#include "evil/evil.h"

int main(void)
{
    evil_child_alone(child_is_misaligned);
    return 0;
}
