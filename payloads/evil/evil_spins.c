/* SPDX-License-Identifier: Apache-2.0 */
/* K-16: a child that never yields has a1 for itself, for ever. */
#include "evil/evil.h"

int main(void)
{
    (void)evil_start(child_spins);
    SAYS("yield", NX_SYS_YIELD, 0);
    return 0;
}
