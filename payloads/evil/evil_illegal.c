/* SPDX-License-Identifier: Apache-2.0 */
/* K-64: an illegal instruction. */
#include "evil/evil.h"

int main(void)
{
    evil_child_alone(child_is_illegal);
    return 0;
}
