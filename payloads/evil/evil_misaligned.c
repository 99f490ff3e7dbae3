/* SPDX-License-Identifier: Apache-2.0 */
/* K-64: an atomic access across its alignment: no page fault, so not K-60's. */
#include "evil/evil.h"

int main(void)
{
    evil_child_alone(child_is_misaligned);
    return 0;
}
