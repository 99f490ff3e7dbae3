/* SPDX-License-Identifier: Apache-2.0 */
/* K-64: a breakpoint. */
#include "evil/evil.h"

int main(void)
{
    evil_child_alone(child_breaks);
    return 0;
}
