/* SPDX-License-Identifier: Apache-2.0 */
/* K-16: a child that never yields; on a1 no other task runs again. */
#include "evil/evil.h"

int main(void)
{
    (void)evil_start(child_spins);
    SAYS("yield", NX_SYS_YIELD, 0);
    return 0;
}
